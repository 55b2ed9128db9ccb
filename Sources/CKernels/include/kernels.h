// The loops of a step that are neither BLAS nor arithmetic of their own: one pass over some floats each.
//
// Swift compiles for the oldest processor of an architecture (SSE2 on x86-64). These loops are compiled for
// every vector width, and the loader takes the widest that the processor has. Each element's result is one
// or two operations, rounded one by one (never a fused multiply-add), so the bits do not depend on the width.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// c[i] = a[i] + b[i]
void ckernels_sum(float *restrict c, const float *a, const float *b, size_t count);

/// a[i] += b[i]
void ckernels_add(float *restrict a, const float *b, size_t count);

/// w[i] -= rate * g[i]
void ckernels_descend(float *restrict w, const float *g, float rate, size_t count);

/// y[i, j] += bias[j]; y has shape (rows, columns).
void ckernels_add_bias(float *restrict y, const float *bias, size_t rows, size_t columns);

/// y[i, j] = max(0, y[i, j] + bias[j]); a NaN stays one.
void ckernels_add_bias_relu(float *restrict y, const float *bias, size_t rows, size_t columns);

/// dy[i] = 0 where y[i] is not positive: the gradient of ReLU, from its output.
void ckernels_relu_gradient(float *restrict dy, const float *y, size_t count);

/// sums[j] = sums[j] + dy[0, j] + dy[1, j] + …, from left to right; dy has shape (rows, columns).
void ckernels_add_rows(float *restrict sums, const float *dy, size_t rows, size_t columns);

/// to[i, j] = scale * from[indices[i], j]: rows of `columns` bytes, wherever they lie.
void ckernels_gather_bytes(
    float *restrict to, const uint8_t *from, const ptrdiff_t *indices, size_t rows, size_t columns, float scale);

/// to[i, j] = from[indices[i], j]: rows of `columns` floats, wherever they lie.
void ckernels_gather_floats(
    float *restrict to, const float *from, const ptrdiff_t *indices, size_t rows, size_t columns);

/// images[i] = where a Feistel network over Z_a × Z_b sends first + i, written l + a · r: an even number of rounds, which
/// alternately add a hash of one half to the other. a and b are below 2^32.
void ckernels_feistel(
    ptrdiff_t *restrict images, size_t first, size_t count, uint64_t a, uint64_t b, const uint64_t *keys,
    size_t rounds);
