#include "kernels.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__) && defined(__linux__)
#define EVERY_WIDTH __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_WIDTH
#endif

EVERY_WIDTH void ckernels_sum(float *restrict c, const float *a, const float *b, size_t count) {
  for (size_t i = 0; i < count; i++) c[i] = a[i] + b[i];
}

EVERY_WIDTH void ckernels_add(float *restrict a, const float *b, size_t count) {
  for (size_t i = 0; i < count; i++) a[i] += b[i];
}

EVERY_WIDTH void ckernels_descend(float *restrict w, const float *g, float rate, size_t count) {
  for (size_t i = 0; i < count; i++) w[i] -= rate * g[i];
}

EVERY_WIDTH void ckernels_add_bias(float *restrict y, const float *bias, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++, y += columns) {
    for (size_t j = 0; j < columns; j++) y[j] += bias[j];
  }
}

EVERY_WIDTH void ckernels_add_bias_relu(
    float *restrict y, const float *bias, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++, y += columns) {
    for (size_t j = 0; j < columns; j++) {
      float sum = y[j] + bias[j];
      y[j] = sum < 0 ? 0 : sum;
    }
  }
}

EVERY_WIDTH void ckernels_relu_gradient(float *restrict dy, const float *y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float gradient = dy[i];
    dy[i] = y[i] > 0 ? gradient : 0;
  }
}

typedef float sixteen_floats __attribute__((vector_size(64), aligned(4)));

// Sixteen columns at a time stay in registers over all rows.
EVERY_WIDTH void ckernels_add_rows(float *restrict sums, const float *dy, size_t rows, size_t columns) {
  size_t j = 0;
  for (; j + 16 <= columns; j += 16) {
    sixteen_floats block = *(const sixteen_floats *)(sums + j);
    for (size_t i = 0; i < rows; i++) block += *(const sixteen_floats *)(dy + i * columns + j);
    *(sixteen_floats *)(sums + j) = block;
  }
  for (; j < columns; j++) {
    for (size_t i = 0; i < rows; i++) sums[j] += dy[i * columns + j];
  }
}

// The processor does not foresee which row comes next: rows are asked for some KiB early, short ones more of them.
enum { AHEAD = 4096 };

static inline void prefetch(const void *row, size_t bytes) {
  for (size_t i = 0; i < bytes && i < AHEAD; i += 64) __builtin_prefetch((const char *)row + i);
  __builtin_prefetch((const char *)row + (bytes < AHEAD ? bytes : AHEAD) - 1);
}

static inline size_t rows_ahead(size_t bytes) {
  size_t rows = AHEAD / bytes;
  return rows < 2 ? 2 : rows > 32 ? 32 : rows;
}

EVERY_WIDTH void ckernels_gather_bytes(
    float *restrict to, const uint8_t *from, const ptrdiff_t *indices, size_t rows, size_t columns, float scale) {
  const size_t ahead = rows_ahead(columns);
  for (size_t i = 0; i < rows; i++, to += columns) {
    if (i + ahead < rows) prefetch(from + indices[i + ahead] * columns, columns);
    const uint8_t *row = from + indices[i] * columns;
    for (size_t j = 0; j < columns; j++) to[j] = scale * row[j];
  }
}

void ckernels_gather_floats(
    float *restrict to, const float *from, const ptrdiff_t *indices, size_t rows, size_t columns) {
  const size_t bytes = 4 * columns, ahead = rows_ahead(bytes);
  for (size_t i = 0; i < ahead && i < rows; i++) prefetch(from + indices[i] * columns, bytes);
  for (size_t i = 0; i < rows; i++) {
    if (i + ahead < rows) prefetch(from + indices[i + ahead] * columns, bytes);
    memcpy(to + i * columns, from + indices[i] * columns, bytes);
  }
}

// half + hash(other, key) modulo `modulus`, both halves below 2^32. Two multiplications with a shift between them: one
// alone would be nearly affine in `other`. The upper 32 bits are scaled to the modulus.
static inline uint64_t add_hash(uint64_t half, uint64_t other, uint64_t key, uint64_t modulus) {
  uint64_t hash = (other ^ key) * 0x9E3779B97F4A7C15;
  hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93;
  uint64_t sum = half + (((hash >> 32) * modulus) >> 32);
  return sum >= modulus ? sum - modulus : sum;
}

EVERY_WIDTH void ckernels_feistel(
    ptrdiff_t *restrict images, size_t first, size_t count, uint64_t a, uint64_t b, const uint64_t *keys,
    size_t rounds) {
  enum { block = 64 };
  uint64_t left[block], right[block];
  uint64_t l = first % a, r = first / a;
  for (size_t start = 0; start < count; start += block) {
    const size_t n = count - start < block ? count - start : block;
    for (size_t i = 0; i < n; i++) {
      left[i] = l;
      right[i] = r;
      if (++l == a) l = 0, r++;
    }
    for (size_t round = 0; round < rounds; round += 2) {
      for (size_t i = 0; i < n; i++) left[i] = add_hash(left[i], right[i], keys[round], a);
      for (size_t i = 0; i < n; i++) right[i] = add_hash(right[i], left[i], keys[round + 1], b);
    }
    for (size_t i = 0; i < n; i++) images[start + i] = (ptrdiff_t)(right[i] * a + left[i]);
  }
}
