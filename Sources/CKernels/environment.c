// How a thread computes. A library that was linked with -ffast-math sets flush-to-zero for the thread that loads it and
// all that this one starts later; others may leave a rounding mode behind.
#include "environment.h"

#include <fenv.h>
#include <gnu/libc-version.h>
#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

// Masks of the control and status register (Intel's manual, volume 1, section 10.2.3).
enum { MASKED = 0x1f80, ROUNDING = 0x6000, FLUSH = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };

int ckernels_environment(void) {
  const unsigned state = _mm_getcsr();
  return (state & ROUNDING ? CKERNELS_ROUNDING : 0) |
         (state & (FLUSH | DENORMALS_ARE_ZERO) ? CKERNELS_SUBNORMALS : 0) |
         ((state & MASKED) != MASKED ? CKERNELS_TRAPS : 0);
}

void ckernels_set_environment(void) {
  fesetenv(FE_DFL_ENV);
  _mm_setcsr(MASKED);
}
#elif defined(__aarch64__)
// Bits of FPCR (Arm's manual, section C5.2.8).
enum { ALTERNATE = 3, TRAPS = 0x9f00, ROUNDING = 3 << 22, FLUSH = 1 << 24 };

int ckernels_environment(void) {
  uint64_t state;
  __asm__ volatile("mrs %0, fpcr" : "=r"(state));
  return (state & ROUNDING ? CKERNELS_ROUNDING : 0) | (state & (FLUSH | ALTERNATE) ? CKERNELS_SUBNORMALS : 0) |
         (state & TRAPS ? CKERNELS_TRAPS : 0);
}

void ckernels_set_environment(void) {
  fesetenv(FE_DFL_ENV);
  __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
}
#else
int ckernels_environment(void) { return fegetround() == FE_TONEAREST ? 0 : CKERNELS_ROUNDING; }

void ckernels_set_environment(void) { fesetenv(FE_DFL_ENV); }
#endif

// As every_width.h lists them.
int ckernels_vector_bits(void) {
#if defined(__x86_64__) && defined(__linux__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return 512;
  if (__builtin_cpu_supports("x86-64-v3")) return 256;
#endif
  return 128;
}

const char *ckernels_mathematics_version(void) { return gnu_get_libc_version(); }

uint64_t ckernels_mathematics(void) {
  // What a library has left behind is told by others.
  fenv_t before;
  fegetenv(&before);
  ckernels_set_environment();
  uint64_t hash = 0;
  for (int i = 1; i <= 256; i++) {
    const double x = i * 0.0390625;
    const float y = (float)x;
    const double results[] = {exp(-x), log(x), sin(x), cos(x), expf(-y), logf(y), tanhf(y), log1pf(y)};
    for (int j = 0; j < 8; j++) {
      uint64_t bits;
      memcpy(&bits, results + j, sizeof bits);
      hash = (hash ^ bits) * 6364136223846793005u;
      hash ^= hash >> 29;
    }
  }
  fesetenv(&before);
  return hash;
}
