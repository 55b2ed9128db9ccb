// The arithmetic of a step whose bits are defined: products and functions that every processor computes alike.
//
// A table of kernels for each set of instructions. All of them have the same bits, whatever the vectors' width: each
// operation of a result is one of IEEE 754's in binary32, and they have one order. The sign and the payload of a NaN
// are not defined.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Element (i, j) is start[i * row + j * column]; one of the strides is 1.
typedef struct {
  const float *start;
  size_t row, column;
} ckernels_matrix;

/// C = A·B; A is (rows, inner), B is (inner, columns), C is (rows, columns) without gaps.
///
/// Each element is one chain of fused multiply-adds over its inner numbers from the first to the last,
///
///     c = fma(a[i, k], b[k, j], c),
///
/// which begins with 0, or with what C holds. Where the inner numbers are cut into pieces, each piece has a chain of
/// its own, and the chains are added two and two, then the pairs two and two, and so on.
typedef struct {
  size_t rows, columns, inner;
  ckernels_matrix a, b;
  float *c;
  /// Shape (pieces + 1): where each piece starts, and the end of the last. They count from any number: the first piece
  /// begins at A's first column. NULL for one piece.
  const size_t *bounds;
  /// At least 1, and fewer than 2²⁴.
  size_t pieces;
  /// Whether the chain goes on from what C holds; with one piece only.
  bool continues;
  /// What becomes of C behind the chains: c + bias[j], then max(0, ·) as in `s < 0 ? 0 : s`; or 0 where kept[i, j], of
  /// C's shape, is not above 0. NULL: nothing; `rectifies` needs a bias, and there is not both a bias and `kept`.
  const float *bias, *kept;
  bool rectifies;
} ckernels_product;

/// Floats of the workspace of products of at most so many inner numbers.
size_t ckernels_workspace(size_t inner);

/// Where the numbers of a picture of one example lie: (c, y, x) is c * channel + y * row + x. What lies between is 0.
///
/// Examples are computed in groups of `lanes`; number i of example e of a group is group[i * lanes + e].
typedef struct {
  size_t channels, height, width;
  size_t channel, row;
} ckernels_picture;

/// One number of a kernel: what it is multiplied with, counted from where the kernel is, and its place among the weights.
typedef struct {
  ptrdiff_t x, weight;
} ckernels_tap;

/// y[c, i, j] = f(s + bias[c]), where s is one chain of fused multiply-adds over the taps of row i at column j, from the
/// first to the last,
///
///     s = fma(w[c * w_channel + tap.weight], x[i * x_row + j * x_column + tap.x], s),
///
/// which begins with 0. Without a bias nothing is added; f is max(0, ·) or nothing. A pointer is a group's.
typedef struct {
  const float *x, *w;
  float *y;
  /// NULL: none.
  const float *bias;
  const ckernels_tap *taps;
  /// Shape (parts, rows, 2): the first tap of each row, and the end of the last. A row's columns are divided evenly into
  /// as few parts of `columns_at_once` as there can be, the longer ones first.
  const size_t *row_taps;
  size_t channels, rows, columns;
  size_t x_row, x_column, y_channel, y_row, y_column, w_channel;
  bool rectifies;
} ckernels_convolution;

/// For each example of a group dw[c * dw_channel + tap.weight], one chain over the positions,
///
///     s = fma(dy[c, i, j], x[i * x_row + j * x_column + tap.x], s),
///
/// and db[c] = 0 + dy[c, 0, 0] + dy[c, 0, 1] + …, from the first position to the last.
typedef struct {
  const float *x, *dy;
  /// Groups; db may be NULL.
  float *dw, *db;
  /// Shape (kernel_rows, taps_of_row)
  const ckernels_tap *taps;
  /// Shape (kernel_rows, 2): the rows of positions at which a row of the kernel is on the picture.
  const size_t *kernel_row_rows;
  size_t kernel_rows, taps_of_row;
  /// At most CKERNELS_CHANNELS_AT_ONCE channels.
  size_t channels, rows, columns;
  size_t x_row, x_column, dy_channel, dy_row, dw_channel;
} ckernels_weight_gradient;

enum { CKERNELS_CHANNELS_AT_ONCE = 6 };

/// Windows of (height, width), each `row_step` and `column_step` further. The mean of one is its sum, from the first
/// number to the last, times `scale`.
typedef struct {
  ckernels_picture x, y;
  size_t height, width, row_step, column_step;
  float scale;
} ckernels_pooling;

/// Values as in `pooling`; the gradients at them lie in places of their own.
typedef struct {
  ckernels_pooling pooling;
  ckernels_picture dx, dy;
} ckernels_pooling_gradient;

/// A function of every number.
typedef enum { CKERNELS_RELU, CKERNELS_LOGISTIC, CKERNELS_TANH } ckernels_activation;

/// y[i] = f(x[i]); y may be x.
typedef void (*ckernels_function)(float *y, const float *x, size_t count);

/// y[i, j] = f(y[i, j] + bias[j]); y has shape (rows, columns).
typedef void (*ckernels_biased_function)(float *y, const float *bias, size_t rows, size_t columns);

/// What a set of instructions offers.
typedef struct {
  /// avx512, avx2, neon or scalar.
  const char *name;
  /// Multiplies and adds in registers alone, `operations_of_fuse` operations a round: the peak of a core.
  /// - x: 0.5, so that no number grows.
  float (*fuse)(float x, size_t rounds);
  size_t operations_of_fuse;
  /// - workspace: `ckernels_workspace` floats, from a multiple of 64 bytes on.
  void (*multiply)(const ckernels_product *product, float *workspace);

  /// The same chains for x, shape (rows, columns), whose rows are short (kernels.h), and one column: y = x·w.
  void (*multiply_short_rows)(float *restrict y, const float *x, const float *w, size_t rows, size_t columns);
  /// sums[j], the chain over i of x[i, j] * dy[i], and sums[columns] = 0 + dy[0] + dy[1] + …: one for each piece of the
  /// rows, added two and two, then the pairs two and two, and so on. With one piece they may go on from what is there.
  /// - bounds: shape (pieces + 1), the row at which each piece starts, and the end of the last.
  void (*short_rows_gradient)(
      float *restrict sums, const float *x, const float *dy, const size_t *bounds, size_t pieces, size_t columns,
      bool continues);

  /// eˣ, log x, log(1 + x), tanh x, 1/(1 + e⁻ˣ) and erf x, each within 1 ulp of the exact value.
  ckernels_function exponential, logarithm, logarithm_of_one_plus, hyperbolic_tangent, logistic, error_function;
  ckernels_biased_function add_bias_logistic, add_bias_hyperbolic_tangent;
  /// x·Φ(x), Φ(x) = 0.5 * (1 + erf(x * 0.70710677)).
  ckernels_function gelu;
  /// dx[i] = dy[i] * (Φ(x[i]) + x[i] * (exp(-0.5 * x[i] * x[i]) * 0.3989423)); dx may be dy.
  void (*gelu_gradient)(float *dx, const float *dy, const float *x, size_t count);

  /// Softmax cross-entropy over rows of z, shape (rows, columns): the sum, from the first row to the last in double
  /// precision, of log(total) - (z[label] - m), where m is the row's largest number and total = 0 + exp(z[0] - m) + …;
  /// z becomes exp(z - m) * (scale / total), less `scale` at the label.
  double (*cross_entropy)(float *z, const int32_t *labels, size_t rows, size_t columns, float scale);
  /// The same for two classes and one number a row: max(z, 0) - z·label + log(1 + exp(-|z|)); z becomes
  /// scale * (1/(1 + e⁻ᶻ) - label).
  double (*binary_cross_entropy)(float *z, const int32_t *labels, size_t rows, float scale);

  /// Examples of a group, and columns of a part of a row (`ckernels_convolution`) at most.
  size_t lanes, columns_at_once;
  void (*convolve)(const ckernels_convolution *convolution);
  void (*convolution_weights)(const ckernels_weight_gradient *gradient);
  /// sums[i] += number i of the examples first ..< end of a group, from the first to the last.
  void (*add_examples)(float *sums, const float *group, size_t count, size_t first, size_t end);
  /// Takes `count` examples into a group, and brings them back; rows[e * row] is the first number of example e.
  void (*gather_examples)(const ckernels_picture *picture, float *group, const float *rows, size_t row, size_t count);
  void (*scatter_examples)(const ckernels_picture *picture, const float *group, float *rows, size_t row, size_t count);
  /// y, the mean or the largest number of each window.
  void (*mean_pool)(const ckernels_pooling *pooling, float *y, const float *x);
  void (*largest_pool)(const ckernels_pooling *pooling, float *y, const float *x);
  /// dx: what each window gives to all of its numbers, or to the first that is the largest, added up from the first
  /// window to the last.
  void (*mean_pool_gradient)(const ckernels_pooling_gradient *pooling, float *dx, const float *dy);
  void (*largest_pool_gradient)(
      const ckernels_pooling_gradient *pooling, float *dx, const float *dy, const float *x, const float *y);
  void (*copy_picture)(const ckernels_picture *of_x, const float *x, const ckernels_picture *of_y, float *y);
  /// y = f(x) for every number of a picture; y may be x.
  void (*activate_picture)(
      const ckernels_picture *of_x, const float *x, const ckernels_picture *of_y, float *y, ckernels_activation f);
  /// dy becomes the gradient in front of f.
  void (*activation_gradient)(
      const ckernels_picture *of_dy, float *dy, const ckernels_picture *of_y, const float *y, ckernels_activation f);
} ckernels_instructions;

/// NULL where there is no such set, or this processor does not have it.
const ckernels_instructions *ckernels_instructions_named(const char *name);

/// The best that this processor has.
const ckernels_instructions *ckernels_best_instructions(void);
