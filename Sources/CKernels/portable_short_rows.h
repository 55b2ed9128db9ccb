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

// One chain over some rows, which goes on from `chains`. From row `wide` on there is no whole vector.
PART short_gradient chains_of_piece(
    short_gradient chains, const float *x, const float *dy, size_t first, size_t end, size_t wide, size_t columns) {
  const eight_floats zero = {0};
  size_t i = first;
  for (; i < (end < wide ? end : wide); i++) {
    chains.weights = __builtin_elementwise_fma(*(const eight_floats *)(x + i * columns), dy[i] - zero, chains.weights);
    chains.bias += dy[i];
  }
  if (i == end) return chains;
  float parts[WIDTH];
  *(eight_floats *)parts = chains.weights;
  for (; i < end; i++) {
    for (size_t j = 0; j < columns; j++) parts[j] = fmaf(x[i * columns + j], dy[i], parts[j]);
    chains.bias += dy[i];
  }
  chains.weights = *(const eight_floats *)parts;
  return chains;
}

static void short_rows_gradient(
    float *restrict sums, const float *x, const float *dy, const size_t *bounds, size_t pieces, size_t columns,
    bool continues) {
  short_gradient digits[SUM_DIGITS];
  float parts[WIDTH] = {0};
  for (size_t j = 0; continues && j < columns; j++) parts[j] = sums[j];
  const short_gradient start = {*(const eight_floats *)parts, continues ? sums[columns] : 0};
  const size_t wide = wide_rows(bounds[pieces], columns);
  size_t height = 0;
  for (size_t piece = 0; piece < pieces; piece += 2) {
    short_gradient pair = chains_of_piece(start, x, dy, bounds[piece], bounds[piece + 1], wide, columns);
    if (piece + 1 < pieces) {
      pair = sum_of(pair, chains_of_piece(start, x, dy, bounds[piece + 1], bounds[piece + 2], wide, columns));
    }
    height = add_leaf(digits, height, piece / 2, pair);
  }
  const short_gradient total = total_of(digits, height);
  *(eight_floats *)parts = total.weights;
  for (size_t j = 0; j < columns; j++) sums[j] = parts[j];
  sums[columns] = total.bias;
}
