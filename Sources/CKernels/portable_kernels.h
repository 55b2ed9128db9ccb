// All kernels of a set of instructions. A file that includes this one says what the set is: SET, its name; TARGET, what
// the compiler calls it, where it is not the least of the architecture; LANES, the floats of a vector; HEIGHT, the rows
// of a tile of a product.
#include <math.h>
#include <string.h>

#include "bits.h"
#include "kernels.h"
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

#include "portable_short_rows.h"

#include "portable_functions.h"

#include "portable_layers.h"

#include "portable_convolution.h"

#include "portable_peak.h"
#ifdef TARGET
#pragma clang attribute pop
#endif

#define TEXT(x) #x
#define NAME_OF(set) TEXT(set)
#define JOINED(a, b) a##b
#define TABLE_OF(set) JOINED(ckernels_, set)

const ckernels_instructions TABLE_OF(SET) = {
    .name = NAME_OF(SET),
    .fuse = fuse,
    .operations_of_fuse = 2 * PEAK_CHAINS * LANES,
    .multiply = multiply,
    .multiply_short_rows = multiply_short_rows,
    .short_rows_gradient = short_rows_gradient,
    .exponential = each_exponential,
    .logarithm = each_logarithm,
    .logarithm_of_one_plus = each_logarithm_of_one_plus,
    .hyperbolic_tangent = each_hyperbolic_tangent,
    .logistic = each_logistic,
    .error_function = each_error_function,
    .add_bias_logistic = add_bias_logistic,
    .add_bias_hyperbolic_tangent = add_bias_hyperbolic_tangent,
    .gelu = gelu,
    .gelu_gradient = gelu_gradient,
    .cross_entropy = cross_entropy,
    .binary_cross_entropy = binary_cross_entropy,
    .lanes = LANES,
    .columns_at_once = COLUMNS_OF_TILE,
    .convolve = convolve,
    .convolution_weights = convolution_weights,
    .add_examples = add_examples,
    .gather_examples = gather_examples,
    .scatter_examples = scatter_examples,
    .mean_pool = mean_pool,
    .mean_pool_gradient = mean_pool_gradient,
    .largest_pool = largest_pool,
    .largest_pool_gradient = largest_pool_gradient,
    .copy_picture = copy_picture,
    .activate_picture = activate_picture,
    .activation_gradient = activation_gradient,
};
