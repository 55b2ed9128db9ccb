// AVX2 with fused multiply-adds: vectors of 8 floats, 16 registers.
#include "portable_sets.h"

#if defined(__x86_64__)
#define TARGET "avx2,fma,bmi,bmi2,lzcnt"
#define SET avx2
#define LANES 8
#define HEIGHT 6
#define EACH_HEIGHT UP_TO_6
#include "portable_kernels.h"
#endif
