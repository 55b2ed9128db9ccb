/* The bare sgemm calls of a training step, and nothing else.

     gcc -O2 sgemm.c -o sgemm $(pkg-config --cflags --libs openblas)
     ./sgemm 784,256,128,10 ROWS [SHARDS]

   An MLP with layers of these widths, SHARDS times (1) a forward and a backward pass over ROWS rows, one thread.
   Prints the median seconds of a step as one JSON line. Under mpirun, every process does the same at its own pace. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_LAYERS = 16, BLOCKS = 15 };

static int layers, width[MAX_LAYERS + 1];
static float *weight[MAX_LAYERS], *slope[MAX_LAYERS];            /* (outputs, inputs) */
static float *value[MAX_LAYERS + 1], *error[MAX_LAYERS + 1];     /* (rows, width) */

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static float *numbers(size_t count) {
  float *array = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
  for (size_t i = 0; i < count; i++) array[i] = 0.05f * ((float)rand() / (float)RAND_MAX - 0.5f);
  return array;
}

static void pass(int rows) {
  for (int k = 0; k < layers; k++)
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, width[k + 1], width[k], 1, value[k], width[k],
                weight[k], width[k], 0, value[k + 1], width[k + 1]);
  for (int k = layers - 1; k >= 0; k--) {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, width[k + 1], width[k], rows, 1, error[k + 1],
                width[k + 1], value[k], width[k], 0, slope[k], width[k]);
    if (k > 0) /* nobody needs the gradient at the data */
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, width[k], width[k + 1], 1, error[k + 1],
                  width[k + 1], weight[k], width[k], 0, error[k], width[k]);
  }
}

static double block(int rows, int shards, int steps) {
  double start = seconds();
  for (int i = 0; i < steps * shards; i++) pass(rows);
  return (seconds() - start) / steps;
}

int main(int count, char **words) {
  int rows = count > 2 ? atoi(words[2]) : 0, shards = count > 3 ? atoi(words[3]) : 1, widths = 0;
  for (char *word = count > 1 ? words[1] : ""; *word && widths <= MAX_LAYERS; word += *word == ',')
    width[widths++] = (int)strtol(word, &word, 10);
  layers = widths - 1;
  if (layers < 1 || rows < 1 || shards < 1) {
    fprintf(stderr, "usage: sgemm WIDTHS ROWS [SHARDS], as in: sgemm 784,256,128,10 128\n");
    return 64;
  }
  openblas_set_num_threads(1);
  for (int k = 0; k < layers; k++) {
    weight[k] = numbers((size_t)width[k] * width[k + 1]);
    slope[k] = numbers((size_t)width[k] * width[k + 1]);
  }
  for (int k = 0; k <= layers; k++) {
    value[k] = numbers((size_t)rows * width[k]);
    error[k] = numbers((size_t)rows * width[k]);
  }
  int steps = 1;
  while (block(rows, shards, steps) * steps < 0.05) steps *= 2;
  double samples[BLOCKS];
  for (int i = 0; i < BLOCKS; i++) samples[i] = block(rows, shards, steps);
  qsort(samples, BLOCKS, sizeof *samples, ascending);
  printf("{\"secondsPerStep\": %.9g, \"kernel\": \"%s\"}\n", samples[BLOCKS / 2], openblas_get_corename());
  return 0;
}
