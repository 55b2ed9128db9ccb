// Vectors, and matrices turned from rows to columns.
#pragma once

typedef float floats __attribute__((vector_size(4 * LANES), aligned(4)));
typedef float four_floats __attribute__((vector_size(16), aligned(4)));

// `to` and `from` are matrices of so many floats from one row to the next: to[j, i] = from[i, j].
#define TRANSPOSE_FOUR(vector, shuffle, rows)                 \
  const vector a = shuffle(rows[0], rows[1], 0, 4, 1, 5);     \
  const vector b = shuffle(rows[0], rows[1], 2, 6, 3, 7);     \
  const vector c = shuffle(rows[2], rows[3], 0, 4, 1, 5);     \
  const vector d = shuffle(rows[2], rows[3], 2, 6, 3, 7);     \
  *(vector *)to = shuffle(a, c, 0, 1, 4, 5);                  \
  *(vector *)(to + to_row) = shuffle(a, c, 2, 3, 6, 7);       \
  *(vector *)(to + 2 * to_row) = shuffle(b, d, 0, 1, 4, 5);   \
  *(vector *)(to + 3 * to_row) = shuffle(b, d, 2, 3, 6, 7);

// Four rows of four columns.
PART void transpose_four(float *to, size_t to_row, const float *from, size_t from_row) {
  four_floats rows[4];
  UNROLLED for (size_t i = 0; i < 4; i++) rows[i] = *(const four_floats *)(from + i * from_row);
  TRANSPOSE_FOUR(four_floats, __builtin_shufflevector, rows)
}

#if LANES >= 4
// The same shuffle of four floats in every quarter of a vector of 16, or half of one of 8.
#define AT(i, q) ((i) < 4 ? (i) + 4 * (q) : (i)-4 + LANES + 4 * (q))
#define QUAD(q, i, j, k, l) AT(i, q), AT(j, q), AT(k, q), AT(l, q)
#if LANES == 16
#define QUADS(...) QUAD(0, __VA_ARGS__), QUAD(1, __VA_ARGS__), QUAD(2, __VA_ARGS__), QUAD(3, __VA_ARGS__)
#elif LANES == 8
#define QUADS(...) QUAD(0, __VA_ARGS__), QUAD(1, __VA_ARGS__)
#else
#define QUADS(...) QUAD(0, __VA_ARGS__)
#endif
#define SHUFFLE_QUADS(x, y, ...) __builtin_shufflevector(x, y, QUADS(__VA_ARGS__))

// A vector of rows, four columns: row i of each four is put together, then the fours are turned where they are.
PART void transpose_vector(float *to, size_t to_row, const float *from, size_t from_row) {
  floats rows[4];
  UNROLLED for (size_t i = 0; i < 4; i++) {
    UNROLLED for (size_t q = 0; q < LANES / 4; q++) {
      memcpy((float *)&rows[i] + 4 * q, from + (4 * q + i) * from_row, 16);
    }
  }
  TRANSPOSE_FOUR(floats, SHUFFLE_QUADS, rows)
}
#endif

#if LANES == 16
// Whole vectors of 16 rows: the columns of each four rows, then the fours are put together.
#define HALVES(x, y, i, j)                                                                                      \
  __builtin_shufflevector(                                                                                      \
      x, y, 4 * (i), 4 * (i) + 1, 4 * (i) + 2, 4 * (i) + 3, 4 * (j), 4 * (j) + 1, 4 * (j) + 2, 4 * (j) + 3,     \
      4 * (i) + 16, 4 * (i) + 17, 4 * (i) + 18, 4 * (i) + 19, 4 * (j) + 16, 4 * (j) + 17, 4 * (j) + 18, 4 * (j) + 19)

PART void transpose_square(float *to, size_t to_row, const float *from, size_t from_row) {
  floats rows[16], fours[4][4];
  UNROLLED for (size_t i = 0; i < 16; i++) rows[i] = *(const floats *)(from + i * from_row);
  UNROLLED for (size_t q = 0; q < 4; q++) {
    const floats *four = rows + 4 * q;
    const floats a = SHUFFLE_QUADS(four[0], four[1], 0, 4, 1, 5), b = SHUFFLE_QUADS(four[0], four[1], 2, 6, 3, 7);
    const floats c = SHUFFLE_QUADS(four[2], four[3], 0, 4, 1, 5), d = SHUFFLE_QUADS(four[2], four[3], 2, 6, 3, 7);
    fours[q][0] = SHUFFLE_QUADS(a, c, 0, 1, 4, 5), fours[q][1] = SHUFFLE_QUADS(a, c, 2, 3, 6, 7);
    fours[q][2] = SHUFFLE_QUADS(b, d, 0, 1, 4, 5), fours[q][3] = SHUFFLE_QUADS(b, d, 2, 3, 6, 7);
  }
  UNROLLED for (size_t j = 0; j < 4; j++) {
    const floats first = HALVES(fours[0][j], fours[1][j], 0, 1), second = HALVES(fours[2][j], fours[3][j], 0, 1);
    const floats third = HALVES(fours[0][j], fours[1][j], 2, 3), fourth = HALVES(fours[2][j], fours[3][j], 2, 3);
    *(floats *)(to + j * to_row) = HALVES(first, second, 0, 2);
    *(floats *)(to + (4 + j) * to_row) = HALVES(first, second, 1, 3);
    *(floats *)(to + (8 + j) * to_row) = HALVES(third, fourth, 0, 2);
    *(floats *)(to + (12 + j) * to_row) = HALVES(third, fourth, 1, 3);
  }
}
#endif

// Blocks at the end overlap with those before them.
static __attribute__((noinline)) void transpose(
    float *to, size_t to_row, const float *from, size_t from_row, size_t rows, size_t columns) {
  if (rows < 4 || columns < 4) {
    for (size_t i = 0; i < rows; i++) {
      for (size_t j = 0; j < columns; j++) to[j * to_row + i] = from[i * from_row + j];
    }
    return;
  }
  // A cache line of every row at a time.
  for (size_t start = 0; start < columns; start += 16) {
    const size_t end = columns - start < 16 ? columns : start + 16;
    size_t i = 0;
#if LANES >= 4
    for (; i + LANES <= rows; i += LANES) {
#if LANES == 16
      if (end - start == 16) {
        // The processor does not foresee as many rows; the first cache would not hold them where they lie far apart.
        UNROLLED for (size_t r = 0; r < 16; r++) __builtin_prefetch(from + (i + r) * from_row + start + 32, 0, 2);
        transpose_square(to + start * to_row + i, to_row, from + i * from_row + start, from_row);
        continue;
      }
#endif
      for (size_t k = start; k < end; k += 4) {
        const size_t j = k + 4 <= columns ? k : columns - 4;
        transpose_vector(to + j * to_row + i, to_row, from + i * from_row + j, from_row);
      }
    }
#endif
    for (; i < rows; i += 4) {
      const size_t row = i + 4 <= rows ? i : rows - 4;
      for (size_t k = start; k < end; k += 4) {
        const size_t j = k + 4 <= columns ? k : columns - 4;
        transpose_four(to + j * to_row + row, to_row, from + row * from_row + j, from_row);
      }
    }
  }
}
