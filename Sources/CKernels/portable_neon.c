// NEON: vectors of 4 floats, 32 registers.
#include "portable_sets.h"

#if defined(__aarch64__)
#define SET neon
#define LANES 4
#define HEIGHT 12
#define EACH_HEIGHT UP_TO_12
#include "portable_kernels.h"
#endif
