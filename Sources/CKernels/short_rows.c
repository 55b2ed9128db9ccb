// Rows of few floats, which fill less than a vector: brought together, multiplied and added up without BLAS.
#include "kernels.h"

#include "every_width.h"
#include "short_rows.h"

EVERY_WIDTH void ckernels_gather_short_rows(
    float *restrict to, int32_t *restrict targets_to, const float *from, const int32_t *targets,
    const ptrdiff_t *indices, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++) {
    // What is taken of the next row, that row overwrites.
    *(eight_floats *)(to + i * columns) = *(const eight_floats *)(from + indices[i] * columns);
    targets_to[i] = targets[indices[i]];
  }
}

EVERY_WIDTH void ckernels_multiply_short_rows(
    float *restrict y, const float *x, const float *w, size_t rows, size_t columns) {
  // Zeros take off what is behind a row.
  float weights[WIDTH] = {0};
  for (size_t j = 0; j < columns; j++) weights[j] = w[j];
  size_t i = 0;
  for (; i + 8 <= rows && (i + 7) * columns + WIDTH <= rows * columns; i += 8) {
    const four_columns left = transposed(x + i * columns, columns);
    const four_columns right = transposed(x + i * columns + 4, columns);
    eight_floats sum = {0};
    for (size_t j = 0; j < 4; j++) sum += left.columns[j] * weights[j];
    for (size_t j = 0; j < 4; j++) sum += right.columns[j] * weights[4 + j];
    *(eight_floats *)(y + i) = sum;
  }
  for (; i < rows; i++) {
    float sum = 0;
    for (size_t j = 0; j < columns; j++) sum += x[i * columns + j] * w[j];
    y[i] = sum;
  }
}

EVERY_WIDTH void ckernels_short_rows_gradient(
    float *restrict sums, const float *x, const float *dy, size_t rows, size_t columns, bool accumulate) {
  // Two sums take turns, so that an addition need not wait for the one before it.
  eight_floats even = {0}, odd = {0};
  float even_bias = 0, odd_bias = 0;
  size_t i = 0;
  for (; i + 2 <= rows && (i + 1) * columns + WIDTH <= rows * columns; i += 2) {
    even += *(const eight_floats *)(x + i * columns) * dy[i];
    odd += *(const eight_floats *)(x + (i + 1) * columns) * dy[i + 1];
    even_bias += dy[i];
    odd_bias += dy[i + 1];
  }
  float turns[2][WIDTH];
  *(eight_floats *)turns[0] = even;
  *(eight_floats *)turns[1] = odd;
  float turns_bias[2] = {even_bias, odd_bias};
  for (; i < rows; i++) {
    for (size_t j = 0; j < columns; j++) turns[i % 2][j] += x[i * columns + j] * dy[i];
    turns_bias[i % 2] += dy[i];
  }
  for (size_t j = 0; j < columns; j++) {
    const float sum = turns[0][j] + turns[1][j];
    sums[j] = accumulate ? sums[j] + sum : sum;
  }
  const float bias = turns_bias[0] + turns_bias[1];
  sums[columns] = accumulate ? sums[columns] + bias : bias;
}
