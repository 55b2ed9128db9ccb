// A request to stop, as signals bring it: the handler sets one word and returns.
#pragma once
#include <signal.h>
#include <spawn.h>
#include <sys/types.h>

/// The signal that asked this process to stop, or 0.
extern volatile sig_atomic_t csignals_received;

/// From now on SIGTERM, SIGINT, SIGUSR1 and SIGHUP (unless that is ignored) set `csignals_received`. A second SIGINT ends the process at once.
void csignals_catch(void);

/// From now on they mean again what they meant before `csignals_catch`.
void csignals_release(void);

static inline int csignals_has_received(void) { return csignals_received != 0; }

/// Starts a program, with the file actions and words of `posix_spawnp`, and waits for its end. A signal that ends this
/// process meanwhile ends the program too.
///
/// - status: as `waitpid` gives it.
/// - returns: 0, or why it could not be started.
int csignals_run(
    const char *program, const posix_spawn_file_actions_t *actions, char *const arguments[], char *const environment[],
    int *status);

/// Until `csignals_end_watch_of_start`, SIGTERM has this process say which of a job's ranks on this machine is missing,
/// if any is, before it ends.
///
/// - job: a name that the job's processes have in common, and no others.
/// - rank, ranks: this process's number among those of the machine, and how many there are.
void csignals_watch_start(const char *job, int rank, int ranks, const char *host);

void csignals_end_watch_of_start(void);

/// Kills another process in so many seconds, if it is still there then; this one may end meanwhile.
void csignals_kill_later(pid_t process, int seconds);

/// Why another process of this user may not read this one's memory, as an error number; 0 where it may.
int csignals_error_of_reading(void);
