/* An account of a server's barrier from outside, for Tests/Timings/bill.py: loaded before a rank (LD_PRELOAD), it writes
   down when the rank falls asleep on the barrier's word (futex), and when it wakes those who sleep. It knows nothing of
   the program's own clocks. A rank that waits gives its core up some times before it sleeps (sched_yield): the first of
   these calls do nothing here, so that whoever waits sleeps at once, and the last rank has somebody to wake.

   A line of MEETINGS.<rank>: f (fell asleep) or w (woke), the meeting, and when, in nanoseconds of the monotonic clock. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LIMIT 4000000

struct call { char kind; uint32_t meeting; uint64_t time; };
static struct call *calls;
static long count;
static pid_t thread;
static int (*real_yield)(void);
static long (*real_syscall)(long, ...);

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Of the thread that trains alone. */
static void note(char kind, uint32_t meeting, uint64_t time) {
  if (calls && count < LIMIT && gettid() == thread) calls[count++] = (struct call){kind, meeting, time};
}

__attribute__((constructor)) static void begin(void) {
  thread = getpid();
  if (getenv("OMPI_COMM_WORLD_RANK") && getenv("MEETINGS")) calls = malloc(LIMIT * sizeof *calls);
}

static void write_down(void) {
  if (!calls) return;
  char path[4096];
  snprintf(path, sizeof path, "%s.%s", getenv("MEETINGS"), getenv("OMPI_COMM_WORLD_RANK"));
  FILE *file = fopen(path, "w");
  for (long i = 0; file && i < count; i++)
    fprintf(file, "%c %u %llu\n", calls[i].kind, calls[i].meeting, (unsigned long long)calls[i].time);
  if (file) fclose(file);
  calls = NULL;
}

/* The program ends by _exit. */
void _exit(int code) {
  write_down();
  void (*real)(int) = (void (*)(int))dlsym(RTLD_NEXT, "_exit");
  real(code);
  __builtin_unreachable();
}

static int yields;
static uint64_t last_yield;

int sched_yield(void) {
  if (!real_yield) real_yield = (int (*)(void))dlsym(RTLD_NEXT, "sched_yield");
  if (!calls || gettid() != thread) return real_yield();
  /* The barrier asks 10 times; MPI, which asks as long as it waits, gets what it asks for. Between two waits a rank
     computes. */
  if (now() - last_yield > 20000) yields = 0;
  int result = yields++ < 10 ? 0 : real_yield();
  last_yield = now();
  return result;
}

long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long), d = va_arg(list, long);
  long e = va_arg(list, long), f = va_arg(list, long);
  va_end(list);
  if (!real_syscall) real_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  if (number == SYS_futex && (b & 0x7f) == FUTEX_WAIT) {
    note('f', (uint32_t)c, now());
    yields = 0;
  }
  if (number == SYS_futex && (b & 0x7f) == FUTEX_WAKE) note('w', *(uint32_t *)a - 1, now());
  return real_syscall(number, a, b, c, d, e, f);
}
