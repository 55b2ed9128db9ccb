#include "kernels.h"

#include <math.h>
#include <string.h>

#include "every_width.h"

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
  if (columns == 1) {
    const float b = *bias;
    for (size_t i = 0; i < rows; i++) y[i] += b;
    return;
  }
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

typedef double four_doubles __attribute__((vector_size(32)));

PART_OF_KERNEL double squared_loss(float *restrict y, const float *targets, float scale, size_t count) {
  // Four sums, so that an addition need not wait for the one before it.
  four_doubles sums = {0, 0, 0, 0};
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    four_doubles squares;
    for (size_t lane = 0; lane < 4; lane++) {
      const float error = y[i + lane] - targets[i + lane];
      squares[lane] = (double)(error * error);
      y[i + lane] = error * scale;
    }
    sums += squares;
  }
  for (; i < count; i++) {
    const float error = y[i] - targets[i];
    sums[0] += (double)(error * error);
    y[i] = error * scale;
  }
  return 0.5 * (((sums[0] + sums[1]) + sums[2]) + sums[3]);
}

EVERY_WIDTH double ckernels_squared_loss(float *restrict y, const float *targets, float scale, size_t count) {
  return squared_loss(y, targets, scale, count);
}

EVERY_WIDTH void ckernels_squared_losses(
    float *restrict losses, float *restrict y, const float *targets, float scale, const size_t *bounds, size_t pieces) {
  for (size_t piece = 0; piece < pieces; piece++) {
    const size_t start = bounds[piece], end = bounds[piece + 1];
    // Of fewer than four numbers the four sums are one.
    if (end - start < 4) {
      double sum = 0;
      for (size_t i = start; i < end; i++) {
        const float error = y[i] - targets[i];
        sum += (double)(error * error);
        y[i] = error * scale;
      }
      losses[piece] = (float)(0.5 * sum) * scale;
      continue;
    }
    losses[piece] = (float)squared_loss(y + start, targets + start, scale, end - start) * scale;
  }
}

typedef float sixteen_floats __attribute__((vector_size(64), aligned(4)));

// Some columns at a time stay in registers over all rows: 64 of them, so that an addition need not wait for the one
// before it and a row's lines are read together, then 16.
EVERY_WIDTH void ckernels_add_rows(float *restrict sums, const float *dy, size_t rows, size_t columns) {
  size_t j = 0;
  for (; j + 64 <= columns; j += 64) {
    sixteen_floats blocks[4];
    for (size_t v = 0; v < 4; v++) blocks[v] = *(const sixteen_floats *)(sums + j + 16 * v);
    for (size_t i = 0; i < rows; i++) {
      for (size_t v = 0; v < 4; v++) blocks[v] += *(const sixteen_floats *)(dy + i * columns + j + 16 * v);
    }
    for (size_t v = 0; v < 4; v++) *(sixteen_floats *)(sums + j + 16 * v) = blocks[v];
  }
  for (; j + 16 <= columns; j += 16) {
    sixteen_floats block = *(const sixteen_floats *)(sums + j);
    for (size_t i = 0; i < rows; i++) block += *(const sixteen_floats *)(dy + i * columns + j);
    *(sixteen_floats *)(sums + j) = block;
  }
  for (; j < columns; j++) {
    for (size_t i = 0; i < rows; i++) sums[j] += dy[i * columns + j];
  }
}

// The processor does not foresee which row comes next. Some rows at a time are asked for early, so that they wait for
// memory, and for where their pages are, together; into the second cache, which takes more lines at once than the first.
enum { ROWS_AT_ONCE = 32, BYTES_AT_ONCE = 12288, BYTES_OF_ROW = 4096 };

static inline size_t rows_at_once(size_t bytes) {
  const size_t rows = BYTES_AT_ONCE / bytes;
  return rows < 2 ? 2 : rows > ROWS_AT_ONCE ? ROWS_AT_ONCE : rows;
}

// At every so many rows, those after the next as many; at the start both.
static inline void ask_ahead(
    const void *from, const ptrdiff_t *indices, size_t row, size_t rows, size_t bytes, size_t at_once) {
  if (row % at_once != 0) return;
  const size_t asked = bytes < BYTES_OF_ROW ? bytes : BYTES_OF_ROW;
  for (size_t i = row == 0 ? 0 : row + at_once; i < row + 2 * at_once && i < rows; i++) {
    const char *start = (const char *)from + indices[i] * bytes;
    for (size_t at = 0; at < asked; at += 64) __builtin_prefetch(start + at, 0, 2);
    __builtin_prefetch(start + asked - 1, 0, 2);
  }
}

EVERY_WIDTH void ckernels_gather_bytes(
    float *restrict to, const uint8_t *from, const ptrdiff_t *indices, size_t rows, size_t columns, float scale) {
  const size_t at_once = rows_at_once(columns);
  for (size_t i = 0; i < rows; i++, to += columns) {
    ask_ahead(from, indices, i, rows, columns, at_once);
    const uint8_t *row = from + indices[i] * columns;
    for (size_t j = 0; j < columns; j++) to[j] = scale * row[j];
  }
}

void ckernels_gather_floats(
    float *restrict to, const float *from, const ptrdiff_t *indices, size_t rows, size_t columns) {
  const size_t bytes = 4 * columns, at_once = rows_at_once(bytes);
  for (size_t i = 0; i < rows; i++) {
    ask_ahead(from, indices, i, rows, bytes, at_once);
    memcpy(to + i * columns, from + indices[i] * columns, bytes);
  }
}

void ckernels_gather_targets(
    int32_t *restrict to, const int32_t *from, const ptrdiff_t *indices, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = from[indices[i]];
}

EVERY_WIDTH void count_not_finite(uint32_t *restrict found, const float *x, size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, 4);
    sum += (bits & 0x7F800000) == 0x7F800000;
  }
  *found = sum;
}

size_t ckernels_first_not_finite(const float *x, size_t count) {
  enum { block = 4096 };
  for (size_t start = 0; start < count; start += block) {
    const size_t n = count - start < block ? count - start : block;
    uint32_t found;
    count_not_finite(&found, x + start, n);
    for (size_t i = start; found > 0; i++) {
      if (!isfinite(x[i])) return i;
    }
  }
  return count;
}
