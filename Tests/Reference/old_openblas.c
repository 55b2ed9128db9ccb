// An OpenBLAS that knows no better kernel for this processor than Prescott's, as one that is older than the processor:
// preloaded before the real one. With -DWRONG its other kernels compute nonsense.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

void gotoblas_dynamic_init(void) {
  const int is_own = getenv("OPENBLAS_CORETYPE") == NULL;
  if (is_own) setenv("OPENBLAS_CORETYPE", "Prescott", 1);
  ((void (*)(void))real("gotoblas_dynamic_init"))();
  if (is_own) unsetenv("OPENBLAS_CORETYPE");
}

#ifdef WRONG
typedef void sgemm(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);

void cblas_sgemm(
    int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
    const float *b, int ldb, float beta, float *c, int ldc) {
  ((sgemm *)real("cblas_sgemm"))(order, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  if (strcmp(((char *(*)(void))real("openblas_get_corename"))(), "Prescott") != 0) c[0] += 1;
}
#endif
