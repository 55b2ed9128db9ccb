// The sets of instructions, a file each: every one of them includes the same kernels, with vectors of its own.
#pragma once
#include "portable.h"

extern const ckernels_instructions ckernels_avx512, ckernels_avx2, ckernels_neon, ckernels_scalar;

// Floats that are packed of B at a time, if a panel is not more: half of a core's second cache.
#define PACKED 131072
// The same of A, whose tiles are packed whole: a part of the cache that cores share.
#define PACKED_A 2097152
// Columns of a panel, rows of a tile and levels of the tree of pieces, at most.
#define MAXIMUM_PANEL 32
#define MAXIMUM_HEIGHT 16
#define LEVELS 25

#define PACKED_FLOATS(inner) ((inner) * MAXIMUM_PANEL > PACKED ? (inner) * MAXIMUM_PANEL : PACKED)
#define WORKSPACE(inner) \
  (PACKED_FLOATS(inner) + PACKED_A + (inner) * MAXIMUM_HEIGHT + (LEVELS + 1) * MAXIMUM_HEIGHT * MAXIMUM_PANEL)

#define UP_TO_6(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define UP_TO_12(X) UP_TO_6(X) X(7) X(8) X(9) X(10) X(11) X(12)
#define UP_TO_14(X) UP_TO_12(X) X(13) X(14)
