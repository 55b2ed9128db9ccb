// The loops of a step that are neither BLAS nor arithmetic of their own: one pass over some floats each.
//
// Swift compiles for the oldest processor of an architecture (SSE2 on x86-64). These loops are compiled for
// every vector width, and the loader takes the widest that the processor has. The operations of each result have
// one order, and are rounded one by one (never a fused multiply-add), so the bits do not depend on the width.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "environment.h"
#include "normalisation.h"
#include "portable.h"

/// c[i] = a[i] + b[i]
void ckernels_sum(float *restrict c, const float *a, const float *b, size_t count);

/// a[i] += b[i]
void ckernels_add(float *restrict a, const float *b, size_t count);

/// Floats of 16 bits, rounded to the nearest and of two as near to the even one; what is infinite or no number stays so.
typedef enum {
  /// The upper half of a float: its range, with 8 bits of precision.
  CKERNELS_BF16,
  /// IEEE binary16 of 2^10 times a number: up to 63.97, 11 bits of precision from 2^-24 on, then multiples of 2^-34.
  CKERNELS_FP16,
} ckernels_half;

/// x[i] = x[i] as rounded to the format; R(x[i]) below.
void ckernels_half_round(ckernels_half format, float *x, size_t count);

/// c[i] = R(a[i] + b[i])
void ckernels_half_sum(ckernels_half format, float *restrict c, const float *a, const float *b, size_t count);

/// a[i] = R(a[i] + b[i])
void ckernels_half_add(ckernels_half format, float *restrict a, const float *b, size_t count);

/// to[i] = the bits of R(from[i]), and back.
void ckernels_half_pack(ckernels_half format, uint16_t *restrict to, const float *from, size_t count);
void ckernels_half_unpack(ckernels_half format, float *restrict to, const uint16_t *from, size_t count);

/// step[i] = the bits of R(w[i] - before[i]); w[i] = before[i] + R(w[i] - before[i])
void ckernels_half_step(
    ckernels_half format, float *restrict w, const float *before, uint16_t *restrict step, size_t count);

/// w[i] += what step[i] has the bits of.
void ckernels_half_follow(ckernels_half format, float *restrict w, const uint16_t *step, size_t count);

/// w[i] -= rate * g[i]
void ckernels_descend(float *restrict w, const float *g, float rate, size_t count);

/// w[i] -= rate * (g[i] + decay * w[i])
void ckernels_descend_decayed(float *restrict w, const float *g, float rate, float decay, size_t count);

/// w[i] = keep * w[i] + rate * g[i]
void ckernels_average(float *restrict w, const float *g, float keep, float rate, size_t count);

/// m[i] = momentum * m[i] + h, h = g[i] + decay * w[i]; then w[i] -= rate * m[i], or rate * (h + momentum * m[i]).
void ckernels_momentum(
    float *restrict w, const float *g, float *restrict m, float rate, float momentum, float decay,
    bool nesterov, size_t count);

/// One step's numbers of Adam.
typedef struct {
  float mean_rate, square_keep, square_rate, step_size, square_scale, epsilon, decay, shrink;
} ckernels_adam_coefficients;

/// With h = g[i] + decay * w[i]: m[i] += mean_rate * (h - m[i]), v[i] = square_keep * v[i] + square_rate * h², and
/// w[i] = shrink * w[i] - step_size * m[i] / (√v[i] * square_scale + epsilon).
void ckernels_adam(
    float *restrict w, const float *g, float *restrict m, float *restrict v, ckernels_adam_coefficients c,
    size_t count);

/// With h = g[i] + decay * w[i]: s[i] += h², and w[i] -= rate * (h / (√s[i] + epsilon)).
void ckernels_adagrad(
    float *restrict w, const float *g, float *restrict s, float rate, float epsilon, float decay, size_t count);

/// One step's numbers of RMSprop.
typedef struct {
  float keep, take, epsilon, momentum, rate, decay;
} ckernels_rmsprop_coefficients;

/// With h = g[i] + decay * w[i]: v[i] = keep * v[i] + take * h². Where there is a mean: mean[i] += take * (h - mean[i]),
/// and d = v[i] - mean[i]², 0 at least; else d = v[i]. With q = h / (√d + epsilon): w[i] -= rate * q, or where there is a
/// buffer b: b[i] = momentum * b[i] + q and w[i] -= rate * b[i].
void ckernels_rmsprop(
    float *restrict w, const float *g, float *restrict v, float *restrict b, float *restrict mean,
    ckernels_rmsprop_coefficients c, size_t count);

/// One step's numbers of Adadelta.
typedef struct {
  float keep, take, epsilon, rate, decay;
} ckernels_adadelta_coefficients;

/// With h = g[i] + decay * w[i]: v[i] = keep * v[i] + take * h², d = √(u[i] + epsilon) / √(v[i] + epsilon) * h,
/// u[i] = keep * u[i] + take * d², w[i] -= rate * d.
void ckernels_adadelta(
    float *restrict w, const float *g, float *restrict v, float *restrict u, ckernels_adadelta_coefficients c,
    size_t count);

/// m[i] = momentum * m[i] + rate * (g[i] + decay * w[i]), w[i] -= m[i].
void ckernels_lars(
    float *restrict w, const float *g, float *restrict m, float rate, float momentum, float decay, size_t count);

/// m and v as in `ckernels_adam` without decay; u[i], the gradient, becomes
/// step_size * m[i] / (√v[i] * square_scale + epsilon) + decay * w[i].
void ckernels_lamb_direction(
    float *restrict u, const float *w, float *restrict m, float *restrict v, ckernels_adam_coefficients c,
    size_t count);

/// x[i] *= factor
void ckernels_scale(float *restrict x, float factor, size_t count);

/// x[i] into ±limit; a NaN stays one.
void ckernels_clamp(float *restrict x, float limit, size_t count);

/// The sum of x[i]² in double precision, where each square is exact: sixteen sums take turns, from the first number to the
/// last; they are then added two and two, neighbours first.
double ckernels_sum_of_squares(const float *x, size_t count);

/// factors[i] = scale where word i of the Philox blocks from `first_block` on is at least `threshold`, else 0.
void ckernels_dropout_factors(
    float *restrict factors, size_t count, uint32_t key0, uint32_t key1, uint32_t epoch, uint32_t purpose,
    uint64_t first_block, uint32_t threshold, float scale);

/// y[i, j] += bias[j]; y has shape (rows, columns).
void ckernels_add_bias(float *restrict y, const float *bias, size_t rows, size_t columns);

/// y[i, j] = max(0, y[i, j] + bias[j]); a NaN stays one.
void ckernels_add_bias_relu(float *restrict y, const float *bias, size_t rows, size_t columns);

/// dy[i] = 0 where y[i] is not positive: the gradient of ReLU, from its output.
void ckernels_relu_gradient(float *restrict dy, const float *y, size_t count);

/// The sum of (y[i] - targets[i])² / 2 in double precision; y[i] becomes scale * (y[i] - targets[i]). Four sums take
/// turns, and are added from left to right.
double ckernels_squared_loss(float *restrict y, const float *targets, float scale, size_t count);

/// The same for pieces of the numbers: losses[i] = scale * the sum of piece i.
/// - bounds: shape (pieces + 1), where each piece starts, and the end of the last.
void ckernels_squared_losses(
    float *restrict losses, float *restrict y, const float *targets, float scale, const size_t *bounds, size_t pieces);

/// sums[j] = sums[j] + dy[0, j] + dy[1, j] + …, from left to right; dy has shape (rows, columns).
void ckernels_add_rows(float *restrict sums, const float *dy, size_t rows, size_t columns);

/// to[i, j] = scale * from[indices[i], j]: rows of `columns` bytes, wherever they lie.
void ckernels_gather_bytes(
    float *restrict to, const uint8_t *from, const ptrdiff_t *indices, size_t rows, size_t columns, float scale);

/// to[i, j] = from[indices[i], j]: rows of `columns` floats, wherever they lie.
void ckernels_gather_floats(
    float *restrict to, const float *from, const ptrdiff_t *indices, size_t rows, size_t columns);

/// to[i] = from[indices[i]]: four bytes each.
void ckernels_gather_targets(
    int32_t *restrict to, const int32_t *from, const ptrdiff_t *indices, size_t count);

/// The index of the first number that is NaN or infinite; `count` where there is none.
size_t ckernels_first_not_finite(const float *x, size_t count);

/// Rows of at most this many floats are short: each is loaded as a whole vector, with what follows it in memory, which
/// must be finite.
enum { CKERNELS_SHORT_ROW = 8 };

/// to[i, j] = from[indices[i], j] and targets_to[i] = targets[indices[i]]: short rows, and four bytes for each. Behind
/// the last row of `from` and of `to` there must be room for a whole vector.
void ckernels_gather_short_rows(
    float *restrict to, int32_t *restrict targets_to, const float *from, const int32_t *targets,
    const ptrdiff_t *indices, size_t rows, size_t columns);

/// y[i] = 0 + x[i, 0] * w[0] + x[i, 1] * w[1] + …, from left to right; x has shape (rows, columns), its rows are short.
void ckernels_multiply_short_rows(
    float *restrict y, const float *x, const float *w, size_t rows, size_t columns);

/// sums[j] = the sum over i of x[i, j] * dy[i], and sums[columns] = the sum over i of dy[i]: first the even rows of a
/// piece and its odd ones, each from top to bottom, then these two, then the pieces two and two, the pairs two and two,
/// and so on. x has shape (rows, columns), its rows are short.
/// - bounds: shape (pieces + 1), the row at which each piece starts, and the end of the last.
/// - accumulate: add to what is there.
void ckernels_short_rows_gradient(
    float *restrict sums, const float *x, const float *dy, const size_t *bounds, size_t pieces, size_t columns,
    bool accumulate);

/// A Feistel network over Z_a × Z_b: an even number of rounds, which alternately add a hash of one half to the other.
/// The pair (l, r) stands for the number l + a · r. Numbers are to be permuted below `limit`, to which a · b is close.
typedef struct {
  uint64_t limit;
  uint32_t a, b;
  uint32_t rounds;
  uint64_t keys[10];
} ckernels_network;

/// images[i] = where a network sends first + i, sent again until it is below the limit ("cycle walking").
void ckernels_permute(ptrdiff_t *restrict images, size_t first, size_t count, const ckernels_network *network);
