// The portable kernels by themselves: `kernels products` compares each set of instructions with a loop of fmaf and
// prints a hash of all results, which is the same everywhere; `kernels functions STEP` prints the largest errors of the
// functions over every STEP-th binary32 number.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portable.h"

static const char *const names[] = {"avx512", "avx2", "neon", "scalar"};

static uint32_t state;

// On ±½, of 24 bits: Numerical Recipes' generator.
static void fill(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    x[i] = (float)((int32_t)state >> 8) * 0x1p-24f;
  }
}

static uint64_t hash(uint64_t hash, const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
  return hash;
}

// What follows the chains.
enum { NOTHING, BIAS, BIAS_AND_RELU, KEPT, ENDS };

// A product with A and B as they are or transposed, in some pieces or continued, by all sets of this processor.
static uint64_t product(
    uint64_t sum, size_t rows, size_t columns, size_t inner, int way, size_t pieces, bool continues, int end) {
  float *a = malloc(4 * (rows * inner + 1)), *b = malloc(4 * (inner * columns + 1));
  float *before = malloc(4 * rows * columns), *expected = malloc(4 * rows * columns), *c = malloc(4 * rows * columns);
  float *bias = malloc(4 * columns), *kept = malloc(4 * rows * columns);
  float *workspace = aligned_alloc(64, (4 * ckernels_workspace(inner) + 63) / 64 * 64);
  size_t bounds[17];
  for (size_t i = 0; i <= pieces; i++) bounds[i] = i * inner / pieces;
  fill(a, rows * inner), fill(b, inner * columns), fill(before, rows * columns);
  fill(bias, columns), fill(kept, rows * columns);
  const ckernels_matrix left = {a, way & 1 ? 1 : inner, way & 1 ? rows : 1};
  const ckernels_matrix right = {b, way & 2 ? 1 : columns, way & 2 ? inner : 1};
  for (size_t i = 0; i < rows; i++) {
    for (size_t j = 0; j < columns; j++) {
      float chains[16];
      for (size_t piece = 0; piece < pieces; piece++) {
        chains[piece] = continues ? before[i * columns + j] : 0;
        for (size_t k = bounds[piece]; k < bounds[piece + 1]; k++) {
          chains[piece] = fmaf(
              a[i * left.row + k * left.column], b[k * right.row + j * right.column], chains[piece]);
        }
      }
      for (size_t width = 1; width < pieces; width *= 2) {
        for (size_t piece = 0; piece + width < pieces; piece += 2 * width) chains[piece] += chains[piece + width];
      }
      float c = chains[0];
      if (end == BIAS || end == BIAS_AND_RELU) c += bias[j];
      if (end == BIAS_AND_RELU && c < 0) c = 0;
      if (end == KEPT) c = kept[i * columns + j] > 0 ? c : 0;
      expected[i * columns + j] = c;
    }
  }
  for (size_t set = 0; set < sizeof names / sizeof *names; set++) {
    const ckernels_instructions *kernels = ckernels_instructions_named(names[set]);
    if (!kernels) continue;
    memcpy(c, before, 4 * rows * columns);
    kernels->multiply(
        &(ckernels_product){
            .rows = rows,
            .columns = columns,
            .inner = inner,
            .a = left,
            .b = right,
            .c = c,
            .bounds = pieces > 1 ? bounds : NULL,
            .pieces = pieces,
            .continues = continues,
            .bias = end == BIAS || end == BIAS_AND_RELU ? bias : NULL,
            .kept = end == KEPT ? kept : NULL,
            .rectifies = end == BIAS_AND_RELU,
        },
        workspace);
    if (memcmp(c, expected, 4 * rows * columns)) {
      printf(
          "%s: %zu x %zu x %zu, way %d, %zu pieces%s, end %d: other bits than fmaf's\n", names[set], rows, columns,
          inner, way, pieces, continues ? ", continued" : "", end);
      exit(1);
    }
  }
  sum = hash(sum, c, 4 * rows * columns);
  free(a), free(b), free(before), free(expected), free(c), free(bias), free(kept), free(workspace);
  return sum;
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static const struct {
  const char *name;
  size_t kernel;
  double (*exact)(double);
} functions[] = {
    {"exp", offsetof(ckernels_instructions, exponential), exp},
    {"log", offsetof(ckernels_instructions, logarithm), log},
    {"log1p", offsetof(ckernels_instructions, logarithm_of_one_plus), log1p},
    {"tanh", offsetof(ckernels_instructions, hyperbolic_tangent), tanh},
    {"sigmoid", offsetof(ckernels_instructions, logistic), sigmoid},
    {"erf", offsetof(ckernels_instructions, error_function), erf},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, BLOCK = 4096 };

static size_t apply(const ckernels_instructions *kernels, size_t function, float *y, const float *x, size_t count) {
  (*(const ckernels_function *)((const char *)kernels + functions[function].kernel))(y, x, count);
  return count;
}

// The next numbers by their bits, every step-th.
static size_t next(float *x, uint64_t *bits, uint64_t step) {
  size_t count = 0;
  for (; count < BLOCK && *bits < 1ull << 32; count++, *bits += step) {
    const uint32_t low = (uint32_t)*bits;
    memcpy(x + count, &low, 4);
  }
  return count;
}

static void print_products(void) {
  uint64_t sum = 0xcbf29ce484222325u;
  for (size_t rows = 1; rows <= 40; rows++) {
    for (size_t columns = 1; columns <= 40; columns++) {
      const size_t inner = (rows * 7 + columns * 13) % 41;
      for (int way = 0; way < 4; way++) {
        sum = product(sum, rows, columns, inner, way, 1, false, (int)(rows + columns) % ENDS);
        sum = product(sum, rows, columns, inner, way, 1, true, (int)(rows + columns / 3) % ENDS);
        sum = product(sum, rows, columns, inner, way, 1 + (rows + columns) % 9, false, NOTHING);
      }
    }
  }
  for (int way = 0; way < 4; way++) {
    for (int end = 0; end < ENDS; end++) {
      sum = product(sum, 64, 256, 784, way, 1, false, end);
      sum = product(sum, 150, 66, 1100, way, 1, true, end);
    }
    sum = product(sum, 66, 1030, 100, way, 13, false, NOTHING);
  }
  // An A that is packed whole, in more parts than one.
  sum = product(sum, 1030, 260, 70, 1, 3, false, NOTHING);
  sum = product(sum, 1025, 260, 1100, 1, 5, false, NOTHING);
  printf("products %016" PRIx64 "\n", sum);
}

static void print_hashes_of_functions(void) {
  for (size_t function = 0; function < FUNCTIONS; function++) {
    uint64_t first = 0;
    for (size_t set = 0; set < sizeof names / sizeof *names; set++) {
      const ckernels_instructions *kernels = ckernels_instructions_named(names[set]);
      if (!kernels) continue;
      float x[BLOCK], y[BLOCK];
      uint64_t sum = 0xcbf29ce484222325u;
      for (uint64_t bits = 0; bits < 1ull << 32;) {
        const size_t count = apply(kernels, function, y, x, next(x, &bits, 4099));
        // A NaN's sign and payload are not defined.
        for (size_t i = 0; i < count; i++) y[i] = isnan(y[i]) ? 1 : y[i];
        sum = hash(sum, y, 4 * count);
      }
      if (first && sum != first) {
        printf("%s by %s: other bits\n", functions[function].name, names[set]);
        exit(1);
      }
      first = sum;
    }
    printf("%s %016" PRIx64 "\n", functions[function].name, first);
  }
}

static void print_errors(uint64_t step) {
  const ckernels_instructions *kernels = ckernels_best_instructions();
  printf("every number whose bits are a multiple of %" PRIu64 ", by %s\n", step, kernels->name);
  for (size_t function = 0; function < FUNCTIONS; function++) {
    double largest = 0;
    float at = 0, x[BLOCK], y[BLOCK];
    uint64_t wrong = 0;
    for (uint64_t bits = 0; bits < 1ull << 32;) {
      const size_t count = apply(kernels, function, y, x, next(x, &bits, step));
      for (size_t i = 0; i < count; i++) {
        const double exact = functions[function].exact(x[i]);
        const float nearest = (float)exact;
        if (isnan(nearest) || isinf(nearest) || nearest == 0) {
          // Not a number, infinite, or 0 of the right sign; or 1 ulp beside.
          const bool beside = isinf(nearest) ? fabsf(y[i]) == 0x1.fffffep+127f && isfinite(exact)
                                             : nearest == 0 && fabsf(y[i]) <= 0x1p-149f && exact != 0;
          const bool same = isnan(nearest) ? isnan(y[i]) : y[i] == nearest && signbit(y[i]) == signbit(nearest);
          if (!same && !beside) wrong++;
          continue;
        }
        int exponent;
        frexp(exact, &exponent);
        const double error = fabs((double)y[i] - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
        if (!(error <= largest)) largest = error, at = x[i];
      }
    }
    printf("%-8s %.4f ulp at %a, %" PRIu64 " wrong\n", functions[function].name, largest, (double)at, wrong);
    fflush(stdout);
    if (!(largest <= 1) || wrong) exit(1);
  }
}

int main(int count, char **words) {
  if (count == 2 && !strcmp(words[1], "products")) {
    print_products();
    print_hashes_of_functions();
  } else if (count == 3 && !strcmp(words[1], "functions")) {
    print_errors(strtoull(words[2], NULL, 10));
  } else {
    fputs("kernels products | kernels functions STEP\n", stderr);
    return 64;
  }
}
