// The handler runs at any moment, even within malloc: it may do nothing but set its word (POSIX.1-2017,
// section 2.4.3).
#include "CSignals.h"

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

void csignals_catch(void) {
  struct sigaction action = {0};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, 0);
  sigaction(SIGINT, &action, 0);
  sigaction(SIGUSR1, &action, 0);
  // Whoever started this process may have left them blocked.
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGUSR1);
  pthread_sigmask(SIG_UNBLOCK, &mask, 0);
}
