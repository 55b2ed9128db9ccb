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

// Of some rows, in vectors whose last lanes hold what nobody asks for. From row `wide` on there is no whole vector.
PART_OF_KERNEL short_gradient gradient_of_piece(
    const float *x, const float *dy, size_t first, size_t end, size_t wide, size_t columns) {
  // Two sums take turns, so that an addition need not wait for the one before it.
  eight_floats even = {0}, odd = {0};
  float even_bias = 0, odd_bias = 0;
  size_t i = first;
  const size_t stop = end < wide ? end : wide;
  for (; i + 2 <= stop; i += 2) {
    even += *(const eight_floats *)(x + i * columns) * dy[i];
    odd += *(const eight_floats *)(x + (i + 1) * columns) * dy[i + 1];
    even_bias += dy[i];
    odd_bias += dy[i + 1];
  }
  if (i < stop) {
    even += *(const eight_floats *)(x + i * columns) * dy[i];
    even_bias += dy[i];
    i++;
  }
  if (i == end) return (short_gradient){even + odd, even_bias + odd_bias};
  float turns[2][WIDTH];
  *(eight_floats *)turns[0] = even;
  *(eight_floats *)turns[1] = odd;
  float turns_bias[2] = {even_bias, odd_bias};
  for (; i < end; i++) {
    const size_t turn = (i - first) % 2;
    for (size_t j = 0; j < columns; j++) turns[turn][j] += x[i * columns + j] * dy[i];
    turns_bias[turn] += dy[i];
  }
  return (short_gradient){
      *(const eight_floats *)turns[0] + *(const eight_floats *)turns[1], turns_bias[0] + turns_bias[1]};
}

EVERY_WIDTH void ckernels_short_rows_gradient(
    float *restrict sums, const float *x, const float *dy, const size_t *bounds, size_t pieces, size_t columns,
    bool accumulate) {
  const size_t wide = wide_rows(bounds[pieces], columns);
  short_gradient digits[SUM_DIGITS];
  size_t height = 0;
  for (size_t piece = 0; piece < pieces; piece += 2) {
    short_gradient pair = gradient_of_piece(x, dy, bounds[piece], bounds[piece + 1], wide, columns);
    if (piece + 1 < pieces) {
      pair = sum_of(pair, gradient_of_piece(x, dy, bounds[piece + 1], bounds[piece + 2], wide, columns));
    }
    height = add_leaf(digits, height, piece / 2, pair);
  }
  const short_gradient total = total_of(digits, height);
  float parts[WIDTH];
  *(eight_floats *)parts = total.weights;
  for (size_t j = 0; j < columns; j++) sums[j] = accumulate ? sums[j] + parts[j] : parts[j];
  sums[columns] = accumulate ? sums[columns] + total.bias : total.bias;
}
