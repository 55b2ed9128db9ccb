// A child that does not outlive what ends its parent.
#include "CSignals.h"

#include <errno.h>
#include <sys/wait.h>

enum { COUNT = 3 };
static const int passed[COUNT] = {SIGTERM, SIGINT, SIGHUP};
static volatile pid_t child = 0;

static void pass_on(int number) {
  kill(child, number);
  signal(number, SIG_DFL);
  raise(number);
}

int csignals_run(
    const char *program, const posix_spawn_file_actions_t *actions, char *const arguments[], char *const environment[],
    int *status) {
  struct sigaction before[COUNT], action = {0};
  action.sa_handler = pass_on;
  sigset_t held, mask, none;
  sigemptyset(&action.sa_mask);
  sigemptyset(&held);
  sigemptyset(&none);
  for (int i = 0; i < COUNT; i++) sigaddset(&held, passed[i]);
  // None may come while the child is there and not yet known. The child itself blocks none, or nobody could stop it.
  pthread_sigmask(SIG_BLOCK, &held, &mask);
  for (int i = 0; i < COUNT; i++) {
    sigaction(passed[i], 0, before + i);
    // One that is ignored stays so, as under nohup.
    if (before[i].sa_handler == SIG_DFL) sigaction(passed[i], &action, 0);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &none);
  pid_t started = 0;
  int code = posix_spawnp(&started, program, actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  child = started;
  if (code == 0) {
    pthread_sigmask(SIG_SETMASK, &mask, 0);
    while (waitpid(started, status, 0) < 0) {
      if (errno != EINTR) {
        code = errno;
        break;
      }
    }
  }
  for (int i = 0; i < COUNT; i++) sigaction(passed[i], before + i, 0);
  pthread_sigmask(SIG_SETMASK, &mask, 0);
  return code;
}
