#define _GNU_SOURCE
#include "affinity.h"

#if defined(__linux__)
#include <sched.h>

int caffinity_get(uint64_t *words, size_t count) {
  return sched_getaffinity(0, count * sizeof *words, (cpu_set_t *)words) == 0;
}

int caffinity_set(pid_t thread, const uint64_t *words, size_t count) {
  return sched_setaffinity(thread, count * sizeof *words, (const cpu_set_t *)words) == 0;
}
#else
int caffinity_get(uint64_t *words, size_t count) { return 0; }
int caffinity_set(pid_t thread, const uint64_t *words, size_t count) { return 0; }
#endif
