// Floats in 16 bits: sums that are rounded to them, and the way there and back.
#include "bits.h"
#include "every_width.h"
#include "kernels.h"

// The upper half of a float, rounded to the nearest, of two as near to the even one. What is no number stays none.
PART_OF_KERNEL uint32_t to_bf16(float x) {
  const uint32_t bits = bits_of(x);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const uint32_t none = (bits >> 16) | 0x40;
  return (bits & 0x7fffffff) > 0x7f800000 ? none : rounded;
}

PART_OF_KERNEL float from_bf16(uint32_t half) { return of_bits(half << 16); }

// IEEE binary16 of 2^10 x. Normal numbers lie from 2^-24 on; below, they are multiples of 2^-34, as what a sum with 2^-11
// is rounded to; from 64 - 2^-6 on, they are infinite.
PART_OF_KERNEL uint32_t to_fp16(float x) {
  const uint32_t bits = bits_of(x), size = bits & 0x7fffffff, sign = (bits >> 16) & 0x8000;
  const uint32_t small = bits_of(of_bits(size) + 0x1p-11f) - bits_of(0x1p-11f);
  const uint32_t normal = ((size + 0xfff + ((size >> 13) & 1)) >> 13) - ((127 - 25) << 10);
  uint32_t half = size < bits_of(0x1p-24f) ? small : normal;
  half = size >= bits_of(64 - 0x1p-6f) ? 0x7c00 : half;
  half = size > 0x7f800000 ? 0x7e00 : half;
  return half | sign;
}

PART_OF_KERNEL float from_fp16(uint32_t half) {
  const uint32_t size = half & 0x7fff, sign = (half & 0x8000) << 16;
  const uint32_t small = bits_of((float)(int32_t)size * 0x1p-34f);
  const uint32_t normal = (size << 13) + ((uint32_t)(127 - 25) << 23);
  const uint32_t none = (size << 13) + ((uint32_t)(255 - 31) << 23);
  uint32_t bits = size < 0x400 ? small : normal;
  bits = size >= 0x7c00 ? none : bits;
  return of_bits(bits | sign);
}

PART_OF_KERNEL uint32_t to_half(ckernels_half format, float x) {
  return format == CKERNELS_BF16 ? to_bf16(x) : to_fp16(x);
}

PART_OF_KERNEL float from_half(ckernels_half format, uint32_t half) {
  return format == CKERNELS_BF16 ? from_bf16(half) : from_fp16(half);
}

PART_OF_KERNEL float rounded(ckernels_half format, float x) { return from_half(format, to_half(format, x)); }

// The format is known within each loop, so that it has no branch.
#define FOR_EACH_HALF(format, statement) \
  if (format == CKERNELS_BF16) { \
    enum { HALF = CKERNELS_BF16 }; \
    for (size_t i = 0; i < count; i++) statement; \
  } else { \
    enum { HALF = CKERNELS_FP16 }; \
    for (size_t i = 0; i < count; i++) statement; \
  }

EVERY_WIDTH void ckernels_half_round(ckernels_half format, float *x, size_t count) {
  FOR_EACH_HALF(format, x[i] = rounded(HALF, x[i]))
}

EVERY_WIDTH void ckernels_half_sum(
    ckernels_half format, float *restrict c, const float *a, const float *b, size_t count) {
  FOR_EACH_HALF(format, c[i] = rounded(HALF, a[i] + b[i]))
}

EVERY_WIDTH void ckernels_half_add(ckernels_half format, float *restrict a, const float *b, size_t count) {
  FOR_EACH_HALF(format, a[i] = rounded(HALF, a[i] + b[i]))
}

EVERY_WIDTH void ckernels_half_pack(ckernels_half format, uint16_t *restrict to, const float *from, size_t count) {
  FOR_EACH_HALF(format, to[i] = (uint16_t)to_half(HALF, from[i]))
}

EVERY_WIDTH void ckernels_half_unpack(ckernels_half format, float *restrict to, const uint16_t *from, size_t count) {
  FOR_EACH_HALF(format, to[i] = from_half(HALF, from[i]))
}

EVERY_WIDTH void ckernels_half_step(
    ckernels_half format, float *restrict w, const float *before, uint16_t *restrict step, size_t count) {
  FOR_EACH_HALF(format, {
    const uint32_t half = to_half(HALF, w[i] - before[i]);
    step[i] = (uint16_t)half;
    w[i] = before[i] + from_half(HALF, half);
  })
}

EVERY_WIDTH void ckernels_half_follow(ckernels_half format, float *restrict w, const uint16_t *step, size_t count) {
  FOR_EACH_HALF(format, w[i] += from_half(HALF, step[i]))
}
