// Loops that do nothing but move memory, with vectors of a chosen width. Swift compiles for the oldest
// processor of an architecture (SSE2 on x86-64), whose narrow loads would hide what a cache can deliver; here
// every width is compiled and the caller takes one that the processor has.
#pragma once
#include <stddef.h>

#define CBANDWIDTH_DEFINE(SUFFIX, BYTES, TARGET)                                                             \
  typedef float cbandwidth_vector_##SUFFIX __attribute__((vector_size(BYTES), aligned(4)));                  \
                                                                                                             \
  /* The sum of a and b: two streams of loads. Eight sums hide the latency of the additions. */              \
  TARGET static __attribute__((noinline, unused)) float cbandwidth_read_##SUFFIX(                            \
      const float *a, const float *b, size_t count) {                                                        \
    typedef cbandwidth_vector_##SUFFIX V;                                                                    \
    const size_t width = BYTES / 4;                                                                          \
    V s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0};                        \
    for (size_t i = 0; i + 4 * width <= count; i += 4 * width) {                                             \
      const V *x = (const V *)(a + i), *y = (const V *)(b + i);                                              \
      s0 += x[0], s1 += x[1], s2 += x[2], s3 += x[3];                                                        \
      t0 += y[0], t1 += y[1], t2 += y[2], t3 += y[3];                                                        \
    }                                                                                                        \
    V s = ((s0 + s1) + (s2 + s3)) + ((t0 + t1) + (t2 + t3));                                                 \
    float sum = 0;                                                                                           \
    for (size_t j = 0; j < width; j++) sum += s[j];                                                          \
    return sum;                                                                                              \
  }                                                                                                          \
                                                                                                             \
  /* STREAM's triad, a[i] = b[i] + factor * c[i]: two streams of loads and one of stores. */                 \
  TARGET static __attribute__((noinline, unused)) void cbandwidth_triad_##SUFFIX(                            \
      float *a, const float *b, const float *c, float factor, size_t count) {                                \
    typedef cbandwidth_vector_##SUFFIX V;                                                                    \
    const size_t width = BYTES / 4;                                                                          \
    for (size_t i = 0; i + 4 * width <= count; i += 4 * width) {                                             \
      V *z = (V *)(a + i);                                                                                   \
      const V *x = (const V *)(b + i), *y = (const V *)(c + i);                                              \
      V z0 = x[0] + factor * y[0], z1 = x[1] + factor * y[1];                                                \
      V z2 = x[2] + factor * y[2], z3 = x[3] + factor * y[3];                                                \
      z[0] = z0, z[1] = z1, z[2] = z2, z[3] = z3;                                                            \
    }                                                                                                        \
  }                                                                                                          \
                                                                                                             \
  /* STREAM's copy, a[i] = b[i]: one stream of loads and one of stores. */                                   \
  TARGET static __attribute__((noinline, unused)) void cbandwidth_copy_##SUFFIX(                             \
      float *a, const float *b, size_t count) {                                                              \
    typedef cbandwidth_vector_##SUFFIX V;                                                                    \
    const size_t width = BYTES / 4;                                                                          \
    for (size_t i = 0; i + 4 * width <= count; i += 4 * width) {                                             \
      V *z = (V *)(a + i);                                                                                   \
      const V *x = (const V *)(b + i);                                                                       \
      V x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];                                                          \
      z[0] = x0, z[1] = x1, z[2] = x2, z[3] = x3;                                                            \
    }                                                                                                        \
  }

CBANDWIDTH_DEFINE(16, 16, )
#if defined(__x86_64__)
CBANDWIDTH_DEFINE(32, 32, __attribute__((target("avx2,fma"))))
CBANDWIDTH_DEFINE(64, 64, __attribute__((target("avx512f"))))
#endif

/// The sum of a and b, `count` floats each, with vectors of `width` bytes (16, 32 or 64; the processor must
/// have them). `count` is rounded down to a multiple of 4 vectors, here and below.
static inline float cbandwidth_read(int width, const float *a, const float *b, size_t count) {
#if defined(__x86_64__)
  if (width == 64) return cbandwidth_read_64(a, b, count);
  if (width == 32) return cbandwidth_read_32(a, b, count);
#endif
  (void)width;
  return cbandwidth_read_16(a, b, count);
}

/// a = b + factor * c.
static inline void cbandwidth_triad(
    int width, float *a, const float *b, const float *c, float factor, size_t count) {
#if defined(__x86_64__)
  if (width == 64) return cbandwidth_triad_64(a, b, c, factor, count);
  if (width == 32) return cbandwidth_triad_32(a, b, c, factor, count);
#endif
  (void)width;
  cbandwidth_triad_16(a, b, c, factor, count);
}

/// a = b.
static inline void cbandwidth_copy(int width, float *a, const float *b, size_t count) {
#if defined(__x86_64__)
  if (width == 64) return cbandwidth_copy_64(a, b, count);
  if (width == 32) return cbandwidth_copy_32(a, b, count);
#endif
  (void)width;
  cbandwidth_copy_16(a, b, count);
}
