// Changes how a process computes, as libraries with -ffast-math do: preloaded by the tests of the floating-point
// environment. $CHANGE is `up` (rounding) or `flush` (subnormal numbers), before all other libraries are loaded (linked
// with -z initfirst); with $LATER, when the process first writes something.
#include <fenv.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char **words;

// The C library is not ready when the first constructor runs: it has no `getenv` then.
static const char *word(const char *name) {
  const size_t length = strlen(name);
  for (char **next = words; next && *next; next++) {
    if (strncmp(*next, name, length) == 0 && (*next)[length] == '=') return *next + length + 1;
  }
  return NULL;
}

static void change(void) {
  const char *what = word("CHANGE");
  if (!what) return;
  if (strcmp(what, "up") == 0) fesetround(FE_UPWARD);
#if defined(__x86_64__)
  if (strcmp(what, "flush") == 0) __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#elif defined(__aarch64__)
  if (strcmp(what, "flush") == 0) __asm__ volatile("msr fpcr, %0" : : "r"(1ul << 24));
#endif
}

__attribute__((constructor)) static void start(int count, char **arguments, char **environment) {
  words = environment;
  if (!word("LATER")) change();
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  if (word("LATER")) change();
  return syscall(SYS_write, descriptor, bytes, count);
}
