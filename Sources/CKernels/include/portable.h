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
  /// Shape (pieces + 1): where each piece starts, and the end of the last, which is `inner`; NULL for one piece.
  const size_t *bounds;
  /// At least 1, and fewer than 2²⁴.
  size_t pieces;
  /// Whether the chain goes on from what C holds; with one piece only.
  bool continues;
} ckernels_product;

/// Floats of the workspace of products of at most so many inner numbers.
size_t ckernels_workspace(size_t inner);

/// What a set of instructions offers.
typedef struct {
  /// avx512, avx2, neon or scalar.
  const char *name;
  /// - workspace: `ckernels_workspace` floats, from a multiple of 64 bytes on.
  void (*multiply)(const ckernels_product *product, float *workspace);
} ckernels_instructions;

/// NULL where there is no such set, or this processor does not have it.
const ckernels_instructions *ckernels_instructions_named(const char *name);

/// The best that this processor has, or the one that the environment's DISTSGD_INSTRUCTIONS names; NULL where that is
/// none of this processor's.
const ckernels_instructions *ckernels_chosen_instructions(void);
