// A request to stop, as signals bring it: the handler sets one word and returns.
#pragma once
#include <signal.h>
#include <sys/types.h>

/// The signal that asked this process to stop, or 0.
extern volatile sig_atomic_t csignals_received;

/// From now on SIGTERM, SIGINT, SIGUSR1 and SIGHUP (unless that is ignored) set `csignals_received`. A second SIGINT ends the process at once.
void csignals_catch(void);

static inline int csignals_has_received(void) { return csignals_received != 0; }

/// Kills another process in so many seconds, if it is still there then; this one may end meanwhile.
void csignals_kill_later(pid_t process, int seconds);
