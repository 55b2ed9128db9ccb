// OpenBLAS's C interface: the CBLAS routines and the calls that tell and set threads and kernels.
#pragma once
#include <cblas.h>
#include <stdbool.h>

// OpenBLAS ends its pool by this before a fork; the next product makes a new one. Builds without a pool lack it.
extern int blas_thread_shutdown_(void) __attribute__((weak));

static inline void openblas_end_threads(void) {
  if (blas_thread_shutdown_) blas_thread_shutdown_();
}

// By these OpenBLAS looks for the processor's kernel, or takes the one that OPENBLAS_CORETYPE names. Builds for one
// processor lack them.
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

// False where there is but one kernel. No product may run meanwhile.
static inline bool openblas_choose_again(void) {
  if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit) return false;
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  return true;
}
