// What ranks of one server need beside MPI: atomics on shared words, a futex to sleep on, and a clock
// that is read at every phase of a step. Inline C, because Swift's `Atomic` cannot
// be laid over memory that another process owns.
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static inline uint32_t cmpi_load_acquire(const uint32_t *word) {
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void cmpi_store_release(uint32_t *word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/// Adds and returns the value before the addition; sequentially consistent.
static inline uint32_t cmpi_fetch_add(uint32_t *word, uint32_t value) {
  return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t cmpi_load_sequential(const uint32_t *word) {
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline uint64_t cmpi_load64(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

static inline void cmpi_store64(uint64_t *word, uint64_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/// Stores and returns the value before; sequentially consistent.
static inline uint64_t cmpi_exchange64(uint64_t *word, uint64_t value) {
  return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

/// Tells the processor that this is a waiting loop.
static inline void cmpi_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// Sleeps while `*word == value`, at most `milliseconds`; wakes of any process that shares the memory count.
static inline void cmpi_futex_wait(uint32_t *word, uint32_t value, int milliseconds) {
#if defined(__linux__)
  struct timespec limit = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000L};
  syscall(SYS_futex, word, FUTEX_WAIT, value, &limit, (void *)0, 0);
#endif
}

static inline void cmpi_futex_wake_all(uint32_t *word) {
#if defined(__linux__)
  syscall(SYS_futex, word, FUTEX_WAKE, 0x7fffffff, (void *)0, (void *)0, 0);
#endif
}

/// A descriptor that polls as readable when the process has ended (Linux 5.3); -1 where there is none.
static inline int cmpi_pidfd_open(pid_t process) {
#if defined(SYS_pidfd_open)
  return (int)syscall(SYS_pidfd_open, process, 0);
#else
  return -1;
#endif
}

/// A counter that runs at a constant rate: the processor's own where there is one, else nanoseconds.
static inline uint64_t cmpi_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}
