// Vectors of a whole short row, and eight of them turned into columns.
#pragma once
#include "every_width.h"
#include "kernels.h"

enum { WIDTH = CKERNELS_SHORT_ROW };
typedef float eight_floats __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef float four_of_eight __attribute__((vector_size(2 * WIDTH), aligned(4)));

typedef struct {
  eight_floats columns[4];
} four_columns;

// Four columns of eight rows, `stride` eight_floats from one row to the next.
PART_OF_KERNEL four_columns transposed(const float *x, size_t stride) {
  // Rows 0 to 3 are in the first halves, rows 4 to 7 in the second.
  eight_floats rows[4];
  for (size_t i = 0; i < 4; i++) {
    rows[i] = __builtin_shufflevector(
        *(const four_of_eight *)(x + i * stride), *(const four_of_eight *)(x + (i + 4) * stride), 0, 1, 2, 3, 4, 5, 6, 7);
  }
  const eight_floats first = __builtin_shufflevector(rows[0], rows[1], 0, 8, 1, 9, 4, 12, 5, 13);
  const eight_floats second = __builtin_shufflevector(rows[2], rows[3], 0, 8, 1, 9, 4, 12, 5, 13);
  const eight_floats third = __builtin_shufflevector(rows[0], rows[1], 2, 10, 3, 11, 6, 14, 7, 15);
  const eight_floats fourth = __builtin_shufflevector(rows[2], rows[3], 2, 10, 3, 11, 6, 14, 7, 15);
  return (four_columns){{
      __builtin_shufflevector(first, second, 0, 1, 8, 9, 4, 5, 12, 13),
      __builtin_shufflevector(first, second, 2, 3, 10, 11, 6, 7, 14, 15),
      __builtin_shufflevector(third, fourth, 0, 1, 8, 9, 4, 5, 12, 13),
      __builtin_shufflevector(third, fourth, 2, 3, 10, 11, 6, 7, 14, 15),
  }};
}

// The first rows that can be loaded as whole vectors without a look beyond the last one.
PART_OF_KERNEL size_t wide_rows(size_t rows, size_t columns) {
  size_t wide = rows;
  for (size_t behind = columns; wide > 0 && behind < WIDTH; behind += columns) wide--;
  return wide;
}

// The gradient of a few weights and a bias.
typedef struct {
  eight_floats weights;
  float bias;
} short_gradient;

// Sums of leaves added two and two, then the pairs two and two, and so on: the digits of a binary counter of the leaves
// seen so far, which are fewer than 2²⁴.
enum { SUM_DIGITS = 25 };

PART_OF_KERNEL short_gradient sum_of(short_gradient left, short_gradient right) {
  return (short_gradient){left.weights + right.weights, left.bias + right.bias};
}

// Returns how many digits there are then.
PART_OF_KERNEL size_t add_leaf(short_gradient *digits, size_t height, size_t index, short_gradient leaf) {
  // The trailing ones of the index are the complete subtrees that this leaf completes in turn.
  for (size_t complete = index; complete % 2 == 1; complete /= 2) leaf = sum_of(digits[--height], leaf);
  digits[height] = leaf;
  return height + 1;
}

PART_OF_KERNEL short_gradient total_of(const short_gradient *digits, size_t height) {
  short_gradient total = digits[--height];
  while (height > 0) total = sum_of(digits[--height], total);
  return total;
}
