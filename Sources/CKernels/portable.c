// Which set of instructions computes the portable arithmetic.
#include "portable.h"

#include <string.h>

#include "portable_sets.h"

size_t ckernels_workspace(size_t inner) { return WORKSPACE(inner); }

const ckernels_instructions *ckernels_instructions_named(const char *name) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  // As x86-64-v4 and v3: asked by these names, the operating system's part in it is asked too.
  if (!strcmp(name, "avx512") && __builtin_cpu_supports("x86-64-v4")) return &ckernels_avx512;
  if (!strcmp(name, "avx2") && __builtin_cpu_supports("x86-64-v3")) return &ckernels_avx2;
#elif defined(__aarch64__)
  if (!strcmp(name, "neon")) return &ckernels_neon;
#endif
  return strcmp(name, "scalar") ? NULL : &ckernels_scalar;
}

const ckernels_instructions *ckernels_best_instructions(void) {
  const char *const names[] = {"avx512", "avx2", "neon", "scalar"};
  const ckernels_instructions *best = NULL;
  for (size_t i = 0; !best; i++) best = ckernels_instructions_named(names[i]);
  return best;
}
