// Activations and losses: the functions of portable_functions.h over arrays.
#pragma once

// Each number by itself, so that y may be x. A sanitizer's build leaves it at that.
#pragma clang diagnostic ignored "-Wpass-failed"
#define EACH _Pragma("clang loop vectorize(assume_safety)") for (size_t i = 0; i < count; i++)

// Four vectors at a time: a function is one long chain, which alone would leave a core idle.
enum { NUMBERS_AT_ONCE = 4 * LANES };
#define EACH_OF_MANY(...)                                                                                             \
  const size_t whole = count - count % NUMBERS_AT_ONCE;                                                              \
  _Pragma("clang loop vectorize(assume_safety) interleave_count(4)") for (size_t i = 0; i < whole; i++) __VA_ARGS__; \
  _Pragma("clang loop vectorize(assume_safety)") for (size_t i = whole; i < count; i++) __VA_ARGS__;

#define ARRAY(function) \
  static void each_##function(float *y, const float *x, size_t count) { EACH_OF_MANY(y[i] = function(x[i])) }
ARRAY(exponential)
ARRAY(logarithm)
ARRAY(logarithm_of_one_plus)
ARRAY(hyperbolic_tangent)
ARRAY(logistic)
ARRAY(error_function)
#undef ARRAY

static void add_bias_logistic(float *y, const float *bias, size_t rows, size_t count) {
  for (size_t row = 0; row < rows; row++, y += count) {
    EACH_OF_MANY(y[i] = logistic(y[i] + bias[i]))
  }
}

static void add_bias_hyperbolic_tangent(float *y, const float *bias, size_t rows, size_t count) {
  for (size_t row = 0; row < rows; row++, y += count) {
    EACH_OF_MANY(y[i] = hyperbolic_tangent(y[i] + bias[i]))
  }
}

// The normal distribution function.
PART float normal_distribution(float x) { return 0.5f * (1 + error_function(x * 0.70710677f)); }

static void gelu(float *y, const float *x, size_t count) { EACH y[i] = x[i] * normal_distribution(x[i]); }

static void gelu_gradient(float *dx, const float *dy, const float *x, size_t count) {
  EACH {
    const float density = exponential(-0.5f * x[i] * x[i]) * 0.3989423f;
    dx[i] = dy[i] * (normal_distribution(x[i]) + x[i] * density);
  }
}

// Rows of which a loss keeps a number each at a time.
enum { LOSS_ROWS = 64 };

static double cross_entropy(float *z, const int32_t *labels, size_t rows, size_t columns, float scale) {
  double loss = 0;
  for (size_t first = 0; first < rows; first += LOSS_ROWS, z += LOSS_ROWS * columns, labels += LOSS_ROWS) {
    const size_t count = rows - first < LOSS_ROWS ? rows - first : LOSS_ROWS;
    float at_label[LOSS_ROWS], totals[LOSS_ROWS], logarithms_of_totals[LOSS_ROWS];
    for (size_t row = 0; row < count; row++) {
      float *of_row = z + row * columns, largest = of_row[0];
      for (size_t j = 1; j < columns; j++) largest = of_row[j] > largest ? of_row[j] : largest;
      for (size_t j = 0; j < columns; j++) of_row[j] -= largest;
      at_label[row] = of_row[labels[row]];
    }
    each_exponential(z, z, count * columns);
    for (size_t row = 0; row < count; row++) {
      float *of_row = z + row * columns, total = 0;
      for (size_t j = 0; j < columns; j++) total += of_row[j];
      const float factor = scale / total;
      for (size_t j = 0; j < columns; j++) of_row[j] *= factor;
      of_row[labels[row]] -= scale;
      totals[row] = total;
    }
    each_logarithm(logarithms_of_totals, totals, count);
    for (size_t row = 0; row < count; row++) loss += (double)logarithms_of_totals[row] - (double)at_label[row];
  }
  return loss;
}

static double binary_cross_entropy(float *z, const int32_t *labels, size_t rows, float scale) {
  double loss = 0;
  for (size_t first = 0; first < rows; first += LOSS_ROWS, z += LOSS_ROWS, labels += LOSS_ROWS) {
    const size_t count = rows - first < LOSS_ROWS ? rows - first : LOSS_ROWS;
    float tails[LOSS_ROWS];
    EACH tails[i] = logarithm_of_one_plus(exponential(-with_sign(z[i], 1)));
    for (size_t i = 0; i < count; i++) {
      // A NaN is not below 0, and goes on as one.
      const double positive = z[i] < 0 ? 0 : (double)z[i];
      loss += positive - (labels[i] == 1 ? (double)z[i] : 0) + (double)tails[i];
    }
    EACH z[i] = scale * (logistic(z[i]) - (float)labels[i]);
  }
  return loss;
}
