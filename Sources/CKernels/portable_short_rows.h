// Products of rows of few floats with one column, where a tile would cost more than the arithmetic: the same chains.
#pragma once
#include "short_rows.h"

// With so many columns, known to the compiler.
PART void multiply_rows(float *restrict y, const float *x, const float *w, size_t rows, const size_t columns) {
  const eight_floats zero = {0};
  size_t i = 0;
  // What is behind a row is turned with it, and not multiplied.
  for (; i + 8 <= rows && (i + 7) * columns + WIDTH <= rows * columns; i += 8) {
    const four_columns turned[2] = {transposed(x + i * columns, columns), transposed(x + i * columns + 4, columns)};
    eight_floats sum = zero;
    UNROLLED for (size_t j = 0; j < columns; j++) {
      sum = __builtin_elementwise_fma(turned[j / 4].columns[j % 4], w[j] - zero, sum);
    }
    *(eight_floats *)(y + i) = sum;
  }
  for (; i < rows; i++) {
    float sum = 0;
    UNROLLED for (size_t j = 0; j < columns; j++) sum = fmaf(x[i * columns + j], w[j], sum);
    y[i] = sum;
  }
}

static void multiply_short_rows(float *restrict y, const float *x, const float *w, size_t rows, size_t columns) {
  switch (columns) {
    case 1: return multiply_rows(y, x, w, rows, 1);
    case 2: return multiply_rows(y, x, w, rows, 2);
    case 3: return multiply_rows(y, x, w, rows, 3);
    case 4: return multiply_rows(y, x, w, rows, 4);
    case 5: return multiply_rows(y, x, w, rows, 5);
    case 6: return multiply_rows(y, x, w, rows, 6);
    case 7: return multiply_rows(y, x, w, rows, 7);
    case 8: return multiply_rows(y, x, w, rows, 8);
  }
}

// Long chains take turns: as many of them as cycles that an operation takes. Short ones overlap by themselves.
enum { CHAINS = 4, LONG_CHAIN = 24 };

// Row i of a piece, which can be loaded as a whole vector.
PART void add_row(short_gradient *chain, const float *x, const float *dy, size_t i, size_t columns) {
  const eight_floats zero = {0};
  chain->weights = __builtin_elementwise_fma(*(const eight_floats *)(x + i * columns), dy[i] - zero, chain->weights);
  chain->bias += dy[i];
}

// One chain over some rows, which goes on from `chain`. From row `wide` on there is no whole vector.
PART short_gradient chain_of_piece(
    short_gradient chain, const float *x, const float *dy, size_t first, size_t end, size_t wide, size_t columns) {
  size_t i = first;
  for (; i < (end < wide ? end : wide); i++) add_row(&chain, x, dy, i, columns);
  if (i == end) return chain;
  float parts[WIDTH];
  *(eight_floats *)parts = chain.weights;
  for (; i < end; i++) {
    for (size_t j = 0; j < columns; j++) parts[j] = fmaf(x[i * columns + j], dy[i], parts[j]);
    chain.bias += dy[i];
  }
  chain.weights = *(const eight_floats *)parts;
  return chain;
}

// The chains of neighbouring pieces.
PART void chains_of_pieces(
    short_gradient *chains, const float *x, const float *dy, const size_t *bounds, size_t wide, size_t columns) {
  const short_gradient zero = {{0}, 0};
  size_t common = bounds[1] - bounds[0];
  UNROLLED for (size_t q = 0; q < CHAINS; q++) {
    const size_t end = bounds[q + 1] < wide ? bounds[q + 1] : wide;
    const size_t length = bounds[q] < end ? end - bounds[q] : 0;
    common = length < common ? length : common;
  }
  short_gradient sums[CHAINS] = {zero, zero, zero, zero};
  for (size_t i = 0; i < common; i++) {
    UNROLLED for (size_t q = 0; q < CHAINS; q++) add_row(&sums[q], x, dy, bounds[q] + i, columns);
  }
  UNROLLED for (size_t q = 0; q < CHAINS; q++) {
    chains[q] = chain_of_piece(sums[q], x, dy, bounds[q] + common, bounds[q + 1], wide, columns);
  }
}

// One piece's, which may go on from `sums`.
PART void gradient_of_piece(
    float *restrict sums, const float *x, const float *dy, size_t first, size_t end, size_t columns, bool continues) {
  const size_t wide = wide_rows(end, columns);
  if (!continues) {
    for (size_t j = 0; j <= columns; j++) sums[j] = 0;
  }
  size_t i = first;
  if (i < wide) {
    float parts[WIDTH] = {0};
    for (size_t j = 0; j < columns; j++) parts[j] = sums[j];
    short_gradient chain = {*(const eight_floats *)parts, sums[columns]};
    for (; i < wide; i++) add_row(&chain, x, dy, i, columns);
    *(eight_floats *)parts = chain.weights;
    for (size_t j = 0; j < columns; j++) sums[j] = parts[j];
    sums[columns] = chain.bias;
  }
  for (; i < end; i++) {
    for (size_t j = 0; j < columns; j++) sums[j] = fmaf(x[i * columns + j], dy[i], sums[j]);
    sums[columns] += dy[i];
  }
}

static void short_rows_gradient(
    float *restrict sums, const float *x, const float *dy, const size_t *bounds, size_t pieces, size_t columns,
    bool continues) {
  if (pieces == 1) return gradient_of_piece(sums, x, dy, bounds[0], bounds[1], columns, continues);
  const short_gradient zero = {{0}, 0};
  const size_t wide = wide_rows(bounds[pieces], columns);
  const bool is_long = bounds[pieces] - bounds[0] >= LONG_CHAIN * pieces;
  short_gradient digits[SUM_DIGITS];
  size_t height = 0, piece = 0;
  for (; is_long && piece + CHAINS <= pieces; piece += CHAINS) {
    short_gradient chains[CHAINS];
    chains_of_pieces(chains, x, dy, bounds + piece, wide, columns);
    for (size_t q = 0; q < CHAINS; q += 2) {
      height = add_leaf(digits, height, (piece + q) / 2, sum_of(chains[q], chains[q + 1]));
    }
  }
  for (; piece < pieces; piece += 2) {
    short_gradient pair = chain_of_piece(zero, x, dy, bounds[piece], bounds[piece + 1], wide, columns);
    if (piece + 1 < pieces) {
      pair = sum_of(pair, chain_of_piece(zero, x, dy, bounds[piece + 1], bounds[piece + 2], wide, columns));
    }
    height = add_leaf(digits, height, piece / 2, pair);
  }
  const short_gradient total = total_of(digits, height);
  float parts[WIDTH];
  *(eight_floats *)parts = total.weights;
  for (size_t j = 0; j < columns; j++) sums[j] = parts[j];
  sums[columns] = total.bias;
}
