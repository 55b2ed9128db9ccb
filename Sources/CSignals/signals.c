// The handler runs at any moment, even within malloc: it may do nothing but set its word (POSIX.1-2017,
// section 2.4.3).
#include "CSignals.h"

#if defined(__linux__)
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

volatile sig_atomic_t csignals_received = 0;

static void note(int number) {
  if (csignals_received == SIGINT) {
    if (number != SIGINT) return;
    // It is blocked until this handler returns, and then ends the process as if nobody had caught it.
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
  }
  csignals_received = number;
}

static const int caught[3] = {SIGTERM, SIGINT, SIGUSR1};
static struct sigaction before[3];
static int is_catching = 0;

void csignals_release(void) {
  for (int i = 0; i < 3 && is_catching; i++) sigaction(caught[i], before + i, 0);
  is_catching = 0;
}

void csignals_catch(void) {
  struct sigaction action = {0};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < 3; i++) sigaction(caught[i], &action, before + i);
  is_catching = 1;
  // Whoever started this process may have left them blocked.
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGUSR1);
  pthread_sigmask(SIG_UNBLOCK, &mask, 0);
}

void csignals_kill_later(pid_t process, int seconds) {
#if defined(SYS_pidfd_open) && defined(SYS_pidfd_send_signal)
  // A descriptor names this process alone, also when its number has long been given to another.
  const int descriptor = (int)syscall(SYS_pidfd_open, process, 0);
  if (descriptor < 0 || fork() != 0) return;
  setsid();
  // Whoever reads what this process wrote must not wait for its child.
  for (int other = 0; other < 3; other++) close(other);
  struct pollfd end = {.fd = descriptor, .events = POLLIN};
  if (poll(&end, 1, 1000 * seconds) == 0) syscall(SYS_pidfd_send_signal, descriptor, SIGKILL, (void *)0, 0);
  _exit(0);
#endif
}
