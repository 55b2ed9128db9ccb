// A rank that dies before MPI_Init is done: the others still wait in there, and all they get is the launcher's SIGTERM.
// Each holds a name of the system's (an abstract socket, unix(7)), which its end sets free whatever ends it; so one that
// is told to end can see who is missing. All in the handler is on POSIX's list of what may be called there.
#include "CSignals.h"

#if defined(__linux__)
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
  char job[64], host[128];
  int rank, ranks, word;
} start;

// Writes a number; returns where it ends.
static char *number(char *text, int value) {
  char digits[12];
  int count = 0;
  do digits[count++] = '0' + value % 10;
  while ((value /= 10) > 0);
  while (count > 0) *text++ = digits[--count];
  return text;
}

static char *copy(char *text, const char *from) {
  while (*from) *text++ = *from++;
  return text;
}

// Whether nobody else holds this number's name; then this process does until it ends.
static int hold(int of) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char *end = number(copy(copy(address.sun_path + 1, "distsgd-"), start.job), of);
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return 0;
  if (bind(descriptor, (struct sockaddr *)&address, (socklen_t)(end - (char *)&address)) == 0) return 1;
  close(descriptor);
  return 0;
}

static void told_to_end(int number_of_signal) {
  int missing = 0;
  while (missing < start.ranks && (missing == start.rank || !hold(missing))) missing++;
  if (missing < start.ranks && hold(start.word)) {
    char line[512];
    char *end = copy(line, "distsgd: error: local rank ");
    end = copy(number(end, missing), " of ");
    end = copy(copy(copy(number(end, start.ranks), " on "), start.host), " has died before all ranks had started");
    end = copy(end, ": see what ended it, such as memory that ran out (dmesg), and start the job again\n");
    if (write(STDERR_FILENO, line, (size_t)(end - line)) < 0) { /* nobody reads it */ }
  }
  // The others must find this one's name taken, and the launcher must have read the line.
  poll(0, 0, 300);
  signal(number_of_signal, SIG_DFL);
  raise(number_of_signal);
}

void csignals_watch_start(const char *job, int rank, int ranks, const char *host) {
  // Any text, and whose it is, as a number of fixed length.
  uint64_t hash = 14695981039346656037u ^ getuid();
  for (const char *letter = job; *letter; letter++) hash = (hash ^ (unsigned char)*letter) * 1099511628211u;
  snprintf(start.job, sizeof start.job, "%016llx-", (unsigned long long)hash);
  snprintf(start.host, sizeof start.host, "%s", host);
  start.rank = rank;
  start.ranks = ranks;
  start.word = ranks;
  struct sigaction action = {0};
  action.sa_handler = told_to_end;
  sigemptyset(&action.sa_mask);
  if (hold(rank)) sigaction(SIGTERM, &action, 0);
}

void csignals_end_watch_of_start(void) {
  struct sigaction now;
  if (sigaction(SIGTERM, 0, &now) == 0 && now.sa_handler == told_to_end) signal(SIGTERM, SIG_DFL);
}
#else
void csignals_watch_start(const char *job, int rank, int ranks, const char *host) {}
void csignals_end_watch_of_start(void) {}
#endif
