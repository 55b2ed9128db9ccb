// Products of rows of few floats with one column, where a tile would cost more than the arithmetic: the same chains.
#pragma once

typedef float short_row __attribute__((vector_size(4 * CKERNELS_SHORT_ROW), aligned(4)));

static void multiply_short_rows(float *restrict y, const float *x, const float *w, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++, x += columns) {
    float sum = 0;
    for (size_t j = 0; j < columns; j++) sum = fmaf(x[j], w[j], sum);
    y[i] = sum;
  }
}

static void short_rows_gradient(
    float *restrict sums, const float *x, const float *dy, size_t rows, size_t columns, bool continues) {
  float parts[CKERNELS_SHORT_ROW] = {0};
  for (size_t j = 0; continues && j < columns; j++) parts[j] = sums[j];
  float bias = continues ? sums[columns] : 0;
  short_row chains = *(const short_row *)parts;
  const short_row zero = {0};
  size_t i = 0;
  // A whole vector, where it does not go beyond the last row.
  for (; i < rows && i * columns + CKERNELS_SHORT_ROW <= rows * columns; i++) {
    chains = __builtin_elementwise_fma(*(const short_row *)(x + i * columns), dy[i] - zero, chains);
    bias += dy[i];
  }
  *(short_row *)parts = chains;
  for (; i < rows; i++) {
    for (size_t j = 0; j < columns; j++) parts[j] = fmaf(x[i * columns + j], dy[i], parts[j]);
    bias += dy[i];
  }
  for (size_t j = 0; j < columns; j++) sums[j] = parts[j];
  sums[columns] = bias;
}
