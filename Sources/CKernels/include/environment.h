// What the bits of a product depend on beside its numbers: how a thread rounds, vectors, and the mathematics library.
#pragma once
#include <stdint.h>

/// What in a thread's floating-point environment is not IEEE 754's default: bits of these.
enum {
  CKERNELS_ROUNDING = 1,
  CKERNELS_SUBNORMALS = 2,
  CKERNELS_TRAPS = 4,
};

/// Of the calling thread; 0 is the default: to nearest, subnormal numbers as they are, no traps.
int ckernels_environment(void);

/// Gives the calling thread the default.
void ckernels_set_environment(void);

/// The width of the vectors that the loader has chosen the kernels for.
int ckernels_vector_bits(void);

/// A hash of what the mathematics library's functions give for some numbers: its versions, and its variants for
/// different processors, need not round alike.
uint64_t ckernels_mathematics(void);

/// glibc's version.
const char *ckernels_mathematics_version(void);
