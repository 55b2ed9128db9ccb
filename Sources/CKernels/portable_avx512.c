// AVX-512: vectors of 16 floats, 32 registers.
#include "portable_sets.h"

#if defined(__x86_64__)
#define TARGET "avx512f,avx512vl,avx512bw,avx512dq,avx512cd,avx2,fma,bmi,bmi2,lzcnt"
#define SET avx512
#define LANES 16
#define HEIGHT 14
#define EACH_HEIGHT UP_TO_14
#include "portable_kernels.h"
#endif
