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
} ckernels_product;

/// Floats of the workspace of products of at most so many inner numbers.
size_t ckernels_workspace(size_t inner);

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
} ckernels_instructions;

/// NULL where there is no such set, or this processor does not have it.
const ckernels_instructions *ckernels_instructions_named(const char *name);

/// The best that this processor has.
const ckernels_instructions *ckernels_best_instructions(void);
