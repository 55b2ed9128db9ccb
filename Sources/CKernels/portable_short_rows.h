// Products of rows of few floats with one column, where a tile would cost more than the arithmetic: the same chains.
#pragma once
#include "short_rows.h"

static void multiply_short_rows(float *restrict y, const float *x, const float *w, size_t rows, size_t columns) {
  const eight_floats zero = {0};
  size_t i = 0;
  // What is behind a row is turned with it, and not multiplied.
  for (; i + 8 <= rows && (i + 7) * columns + WIDTH <= rows * columns; i += 8) {
    const four_columns turned[2] = {transposed(x + i * columns, columns), transposed(x + i * columns + 4, columns)};
    eight_floats sum = zero;
    UNROLLED for (size_t j = 0; j < WIDTH; j++) {
      if (j < columns) sum = __builtin_elementwise_fma(turned[j / 4].columns[j % 4], w[j] - zero, sum);
    }
    *(eight_floats *)(y + i) = sum;
  }
  for (; i < rows; i++) {
    float sum = 0;
    for (size_t j = 0; j < columns; j++) sum = fmaf(x[i * columns + j], w[j], sum);
    y[i] = sum;
  }
}

static void short_rows_gradient(
    float *restrict sums, const float *x, const float *dy, size_t rows, size_t columns, bool continues) {
  float parts[WIDTH] = {0};
  for (size_t j = 0; continues && j < columns; j++) parts[j] = sums[j];
  float bias = continues ? sums[columns] : 0;
  eight_floats chains = *(const eight_floats *)parts;
  const eight_floats zero = {0};
  size_t i = 0;
  // A whole vector, where it does not go beyond the last row.
  for (; i < rows && i * columns + WIDTH <= rows * columns; i++) {
    chains = __builtin_elementwise_fma(*(const eight_floats *)(x + i * columns), dy[i] - zero, chains);
    bias += dy[i];
  }
  *(eight_floats *)parts = chains;
  for (; i < rows; i++) {
    for (size_t j = 0; j < columns; j++) parts[j] = fmaf(x[i * columns + j], dy[i], parts[j]);
    bias += dy[i];
  }
  for (size_t j = 0; j < columns; j++) sums[j] = parts[j];
  sums[columns] = bias;
}
