// Batch and layer normalisation: moments, the normalising itself, and its gradients.
#include "every_width.h"
#include "kernels.h"

typedef float sixteen_floats __attribute__((vector_size(64), aligned(4)));
typedef double eight_doubles __attribute__((vector_size(64), aligned(8)));
typedef float eight_floats __attribute__((vector_size(32), aligned(4)));

#define EIGHT_DOUBLES(x) __builtin_convertvector(*(const eight_floats *)(x), eight_doubles)

// Sums that take turns: number i goes to sum i mod 32. Of those behind the last 32 the first sixteen go to the first
// sums, the next eight to eight of their own, and what is left to one.
typedef struct {
  sixteen_floats low, high;
  eight_floats eight;
  float rest;
} turns;

PART_OF_KERNEL float total(const turns *sums) {
  const sixteen_floats s = sums->low + sums->high;
  const eight_floats e = (__builtin_shufflevector(s, s, 0, 1, 2, 3, 4, 5, 6, 7) +
                          __builtin_shufflevector(s, s, 8, 9, 10, 11, 12, 13, 14, 15)) +
                         sums->eight;
  return (((e[0] + e[4]) + (e[2] + e[6])) + ((e[1] + e[5]) + (e[3] + e[7]))) + sums->rest;
}

// Lets a statement add what it makes of some numbers: ADD(AT, part) adds AT(x), which is sixteen of x's numbers, eight or
// one, to the part of some turns.
#define SUM(count, ADD)               \
  do {                                \
    size_t i = 0;                     \
    for (; i + 32 <= (count); i += 16) { \
      ADD(SIXTEEN, low);              \
      i += 16;                        \
      ADD(SIXTEEN, high);             \
    }                                 \
    if (i + 16 <= (count)) {          \
      ADD(SIXTEEN, low);              \
      i += 16;                        \
    }                                 \
    if (i + 8 <= (count)) {           \
      ADD(EIGHT, eight);              \
      i += 8;                         \
    }                                 \
    for (; i < (count); i++) ADD(ONE, rest); \
  } while (0)

#define SIXTEEN(x) (*(const sixteen_floats *)((x) + i))
#define EIGHT(x) (*(const eight_floats *)((x) + i))
#define ONE(x) ((x)[i])

PART_OF_KERNEL float sum_of_plane(const float *x, size_t size) {
  turns sums = {0};
#define NUMBER(AT, part) sums.part += AT(x)
  SUM(size, NUMBER);
  return total(&sums);
}

// Columns are taken eight at a time, so that their sums stay in registers over all rows.
PART_OF_KERNEL void column_moments(double *means, double *squares, const float *x, size_t rows, size_t columns) {
  const double count = (double)rows;
  size_t j = 0;
  for (; j + 8 <= columns; j += 8) {
    eight_doubles sum = {0}, square = {0};
    for (size_t i = 0; i < rows; i++) sum += EIGHT_DOUBLES(x + i * columns + j);
    const eight_doubles mean = sum / count;
    for (size_t i = 0; i < rows; i++) {
      const eight_doubles distance = EIGHT_DOUBLES(x + i * columns + j) - mean;
      square += distance * distance;
    }
    *(eight_doubles *)(means + j) = mean;
    *(eight_doubles *)(squares + j) = square;
  }
  for (; j < columns; j++) {
    double sum = 0, square = 0;
    for (size_t i = 0; i < rows; i++) sum += (double)x[i * columns + j];
    const double mean = sum / count;
    for (size_t i = 0; i < rows; i++) {
      const double distance = (double)x[i * columns + j] - mean;
      square += distance * distance;
    }
    means[j] = mean;
    squares[j] = square;
  }
}

EVERY_WIDTH void ckernels_channel_moments(
    double *restrict means, double *restrict squares, const float *x, size_t rows, size_t channels, size_t size) {
  if (size == 1) {
    column_moments(means, squares, x, rows, channels);
    return;
  }
  const double count = (double)size;
  for (size_t row = 0; row < rows; row++) {
    const double before = (double)row, part = 1 / (before + 1), weight = count * before / (before + 1);
    for (size_t c = 0; c < channels; c++, x += size) {
      // Near to the numbers, if they are like those before: what is left of them has few digits to lose.
      const float center = row == 0 ? (float)((double)sum_of_plane(x, size) / count) : (float)means[c];
      turns distances = {0}, squared = {0};
#define DISTANCE(AT, part)                    \
  do {                                        \
    const __auto_type d = AT(x) - center;     \
    distances.part += d;                      \
    squared.part += d * d;                    \
  } while (0)
      SUM(size, DISTANCE);
      const double sum = (double)total(&distances);
      const double mean = (double)center + sum / count, rest = (double)total(&squared) - sum * (sum / count);
      const double square = rest < 0 ? 0 : rest;
      if (row == 0) {
        means[c] = mean;
        squares[c] = square;
        continue;
      }
      const double distance = mean - means[c];
      means[c] += distance * part;
      squares[c] += square + distance * distance * weight;
    }
  }
}

EVERY_WIDTH void ckernels_normalise_channels(
    float *restrict y, const float *x, const float *means, const float *factors, const float *shifts, size_t rows,
    size_t channels, size_t size) {
  if (size == 1) {
    for (size_t i = 0; i < rows; i++, x += channels, y += channels) {
      for (size_t c = 0; c < channels; c++) y[c] = (x[c] - means[c]) * factors[c] + shifts[c];
    }
    return;
  }
  for (size_t i = 0; i < rows; i++) {
    for (size_t c = 0; c < channels; c++, x += size, y += size) {
      const float mean = means[c], factor = factors[c], shift = shifts[c];
      for (size_t k = 0; k < size; k++) y[k] = (x[k] - mean) * factor + shift;
    }
  }
}

PART_OF_KERNEL void column_gradients(
    double *sums, double *products, const float *dy, const float *x, const float *means, size_t rows,
    size_t columns) {
  size_t j = 0;
  for (; j + 8 <= columns; j += 8) {
    const eight_floats mean = *(const eight_floats *)(means + j);
    eight_doubles sum = {0}, product = {0};
    for (size_t i = 0; i < rows; i++) {
      const eight_floats g = *(const eight_floats *)(dy + i * columns + j);
      const eight_floats p = g * (*(const eight_floats *)(x + i * columns + j) - mean);
      sum += __builtin_convertvector(g, eight_doubles);
      product += __builtin_convertvector(p, eight_doubles);
    }
    *(eight_doubles *)(sums + j) = sum;
    *(eight_doubles *)(products + j) = product;
  }
  for (; j < columns; j++) {
    sums[j] = 0;
    products[j] = 0;
    for (size_t i = 0; i < rows; i++) {
      const float g = dy[i * columns + j];
      const float p = g * (x[i * columns + j] - means[j]);
      sums[j] += (double)g;
      products[j] += (double)p;
    }
  }
}

EVERY_WIDTH void ckernels_channel_gradients(
    double *restrict sums, double *restrict products, const float *dy, const float *x, const float *means, size_t rows,
    size_t channels, size_t size) {
  if (size == 1) {
    column_gradients(sums, products, dy, x, means, rows, channels);
    return;
  }
  for (size_t c = 0; c < channels; c++) sums[c] = products[c] = 0;
  for (size_t row = 0; row < rows; row++) {
    for (size_t c = 0; c < channels; c++, x += size, dy += size) {
      const float mean = means[c];
      turns g = {0}, p = {0};
#define GRADIENT(AT, part)                    \
  do {                                        \
    const __auto_type dy_at = AT(dy);         \
    g.part += dy_at;                          \
    p.part += dy_at * (AT(x) - mean);         \
  } while (0)
      SUM(size, GRADIENT);
      sums[c] += (double)total(&g);
      products[c] += (double)total(&p);
    }
  }
}

EVERY_WIDTH void ckernels_channel_input_gradients(
    float *restrict dx, const float *dy, const float *x, const float *means, const float *factors, const float *slopes,
    const float *constants, size_t rows, size_t channels, size_t size) {
  if (size == 1) {
    for (size_t i = 0; i < rows; i++, x += channels, dy += channels, dx += channels) {
      for (size_t c = 0; c < channels; c++) {
        dx[c] = dy[c] * factors[c] - ((x[c] - means[c]) * slopes[c] + constants[c]);
      }
    }
    return;
  }
  for (size_t i = 0; i < rows; i++) {
    for (size_t c = 0; c < channels; c++, x += size, dy += size, dx += size) {
      const float mean = means[c], factor = factors[c], slope = slopes[c], constant = constants[c];
      for (size_t k = 0; k < size; k++) dx[k] = dy[k] * factor - ((x[k] - mean) * slope + constant);
    }
  }
}

EVERY_WIDTH void ckernels_normalise_rows(
    float *restrict y, const float *x, const float *means, const float *factors, const float *weight, const float *bias,
    size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
    const float mean = means[i], factor = factors[i];
    for (size_t j = 0; j < columns; j++) y[j] = (x[j] - mean) * factor * weight[j] + bias[j];
  }
}

EVERY_WIDTH void ckernels_row_input_gradients(
    float *restrict dx, const float *dy, const float *x, const float *means, const float *factors, const float *weight,
    size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++, x += columns, dy += columns, dx += columns) {
    const float mean = means[row], factor = factors[row];
    turns g = {0}, p = {0};
#define WEIGHTED(AT, part)                    \
  do {                                        \
    const __auto_type dy_at = AT(dy) * AT(weight); \
    g.part += dy_at;                          \
    p.part += dy_at * (AT(x) - mean);         \
  } while (0)
    SUM(columns, WEIGHTED);
    const float count = (float)columns;
    const float constant = total(&g) / count, slope = total(&p) / count * (factor * factor);
    for (size_t j = 0; j < columns; j++) {
      dx[j] = factor * (dy[j] * weight[j] - ((x[j] - mean) * slope + constant));
    }
  }
}

EVERY_WIDTH void ckernels_add_row_gradients(
    float *restrict dw, float *restrict db, const float *dy, const float *x, const float *means, const float *factors,
    size_t rows, size_t columns) {
  size_t j = 0;
  for (; j + 16 <= columns; j += 16) {
    sixteen_floats w = *(const sixteen_floats *)(dw + j), b = *(const sixteen_floats *)(db + j);
    for (size_t i = 0; i < rows; i++) {
      const sixteen_floats g = *(const sixteen_floats *)(dy + i * columns + j);
      w += g * ((*(const sixteen_floats *)(x + i * columns + j) - means[i]) * factors[i]);
      b += g;
    }
    *(sixteen_floats *)(dw + j) = w;
    *(sixteen_floats *)(db + j) = b;
  }
  for (; j < columns; j++) {
    for (size_t i = 0; i < rows; i++) {
      const float g = dy[i * columns + j];
      dw[j] += g * ((x[i * columns + j] - means[i]) * factors[i]);
      db[j] += g;
    }
  }
}
