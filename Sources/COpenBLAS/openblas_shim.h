// OpenBLAS's C interface: the CBLAS routines and the calls that tell and set threads and kernels.
#pragma once
#include <cblas.h>

// OpenBLAS ends its pool by this before a fork; the next product makes a new one. Builds without a pool lack it.
extern int blas_thread_shutdown_(void) __attribute__((weak));

static inline void openblas_end_threads(void) {
  if (blas_thread_shutdown_) blas_thread_shutdown_();
}
