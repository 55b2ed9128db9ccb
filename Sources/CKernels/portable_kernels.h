// All kernels of a set of instructions. A file that includes this one says what the set is: SET, its name; TARGET, what
// the compiler calls it, where it is not the least of the architecture; LANES, the floats of a vector; HEIGHT, the rows
// of a tile of a product.
#include <string.h>

#include "portable_sets.h"

// Sums and products are fused where it is written, and nowhere else.
#pragma STDC FP_CONTRACT OFF

#define PART static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")

#ifdef TARGET
#pragma clang attribute push(__attribute__((target(TARGET))), apply_to = function)
#endif
#include "portable_transpose.h"

#include "portable_products.h"
#ifdef TARGET
#pragma clang attribute pop
#endif

#define TEXT(x) #x
#define NAME_OF(set) TEXT(set)
#define JOINED(a, b) a##b
#define TABLE_OF(set) JOINED(ckernels_, set)

const ckernels_instructions TABLE_OF(SET) = {.name = NAME_OF(SET), .multiply = multiply};
