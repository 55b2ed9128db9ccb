// The sizes of gradients: sums of squares, and what makes them smaller.
#include "every_width.h"
#include "kernels.h"

EVERY_WIDTH void ckernels_scale(float *restrict x, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= factor;
}

EVERY_WIDTH void ckernels_clamp(float *restrict x, float limit, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float low = x[i] < -limit ? -limit : x[i];
    x[i] = low > limit ? limit : low;
  }
}

typedef double sixteen_doubles __attribute__((vector_size(128)));
typedef float sixteen_floats __attribute__((vector_size(64), aligned(4)));

EVERY_WIDTH double ckernels_sum_of_squares(const float *x, size_t count) {
  sixteen_doubles sums = {0};
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const sixteen_doubles values = __builtin_convertvector(*(const sixteen_floats *)(x + i), sixteen_doubles);
    sums += values * values;
  }
  for (size_t lane = 0; i < count; i++, lane++) sums[lane] += (double)x[i] * (double)x[i];
  for (size_t width = 8; width > 0; width /= 2) {
    for (size_t lane = 0; lane < width; lane++) sums[lane] = sums[2 * lane] + sums[2 * lane + 1];
  }
  return sums[0];
}
