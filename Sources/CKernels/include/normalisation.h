// What batch and layer normalisation do with their numbers: one pass over memory each. Sums have one order, whatever the
// width of the vectors.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// For each channel of x, shape (rows, channels, size), the mean of its rows·size numbers and the sum of their squared
/// distances from it.
///
/// Of single numbers (size 1) both are sums in double precision over the rows, from the first to the last. Of planes,
/// each plane's are found first: with d the distance of a number from c, in single precision, Σd and Σd² (32 sums take
/// turns, see normalisation.c) give c + Σd/size and Σd² − Σd·(Σd/size), which is 0 at least. c is the mean of the rows
/// before; in the first row the plane's own, Σx/size. Those of a channel are then combined from the first row to the last
/// (Chan, Golub & LeVeque 1979): with e the distance of a plane's mean from that of the k rows before it, the mean moves
/// by e·(1/(k + 1)), and e²·(size·k/(k + 1)) joins the squares; this in double precision.
void ckernels_channel_moments(
    double *restrict means, double *restrict squares, const float *x, size_t rows, size_t channels, size_t size);

/// y = (x - means[c]) * factors[c] + shifts[c] for each channel; x and y have shape (rows, channels, size). With `relu`
/// 0 where that is negative.
void ckernels_normalise_channels(
    float *restrict y, const float *x, const float *means, const float *factors, const float *shifts, size_t rows,
    size_t channels, size_t size, bool relu);

/// For each channel the sums of g and of g * (x - means[c]), each number in single precision: in the order of the
/// moments. g is dy; with `relu` 0 where (x - means[c]) * factors[c] + shifts[c] is not positive, here and below.
void ckernels_channel_gradients(
    double *restrict sums, double *restrict products, const float *dy, const float *x, const float *means,
    const float *factors, const float *shifts, size_t rows, size_t channels, size_t size, bool relu);

/// dx = g * factors[c] - ((x - means[c]) * slopes[c] + constants[c]) for each channel.
void ckernels_channel_input_gradients(
    float *restrict dx, const float *dy, const float *x, const float *means, const float *factors, const float *shifts,
    const float *slopes, const float *constants, size_t rows, size_t channels, size_t size, bool relu);

/// y[i, j] = (x[i, j] - means[i]) * factors[i] * weight[j] + bias[j]; x and y have shape (rows, columns).
void ckernels_normalise_rows(
    float *restrict y, const float *x, const float *means, const float *factors, const float *weight, const float *bias,
    size_t rows, size_t columns);

/// With g = dy[i, j] * weight[j] and d = x[i, j] - means[i], dx[i, j] = factors[i] * (g - (d * s + m)): m is the mean of
/// g over its row, s that of g * d times the square of factors[i]. Their sums are those of a plane.
void ckernels_row_input_gradients(
    float *restrict dx, const float *dy, const float *x, const float *means, const float *factors, const float *weight,
    size_t rows, size_t columns);

/// dw[j] += dy[i, j] * ((x[i, j] - means[i]) * factors[i]) and db[j] += dy[i, j], from the first row to the last.
void ckernels_add_row_gradients(
    float *restrict dw, float *restrict db, const float *dy, const float *x, const float *means, const float *factors,
    size_t rows, size_t columns);
