// A training with batch and layer norms and portable arithmetic, written again from docs/arithmetic.md: nothing of the
// program is in it.
//
//   cc -std=c11 -O1 -ffp-contract=off Tests/Arithmetic/again_normalised.c -lm -o again_normalised
//   again_normalised INPUTS.npy TARGETS.npy CHANNELS SPAN SEED SHARDS BATCH EPOCHS RATE [other]
//
// of the model 'batchnorm layernorm dense:9 batchnorm relu dense' in the file's order, with the squared loss, where each
// norm has the SPAN 'shard' or 'global'. INPUTS are binary32, of CHANNELS channels, TARGETS binary32. Prints the bytes of
// the parameters and statistics. With `other` single sums are added in another order, to show that it is another result.
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read_array.h"

typedef uint64_t u64;
typedef uint32_t u32;
enum { MOST = 4096, WIDEST = 128, HIDDEN = 9, SHARDS = 16, ROWS = 128 };

static u64 seed;
static bool is_global, other;
static int parameters, active, bound[SHARDS + 1];
static long b;
static float w[MOST], gradient[SHARDS][MOST];

static double uniform(u64 index) {
  u32 c[4] = {(u32)index, (u32)(index >> 32), 0, 1}, k0 = (u32)seed, k1 = (u32)(seed >> 32);
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const u64 p0 = (u64)c[0] * 0xD2511F53u, p1 = (u64)c[2] * 0xCD9E8D57u;
    c[0] = (u32)(p1 >> 32) ^ c[1] ^ k0, c[1] = (u32)p1;
    c[2] = (u32)(p0 >> 32) ^ c[3] ^ k1, c[3] = (u32)p0;
  }
  return (double)((c[0] | (u64)c[1] << 32) >> 11) * 0x1p-53;
}

// Σ of some numbers of one row.
static float sum(const float *x, int s) {
  float t[32] = {0}, u[8] = {0}, v = 0, e[8];
  int k = 0;
  for (; k < s / 32 * 32; k++) t[k % 32] += x[k];
  if (s - k >= 16) for (int i = 0; i < 16; i++) t[i] += x[k++];
  if (s - k >= 8) for (int i = 0; i < 8; i++) u[i] += x[k++];
  for (; k < s; k++) v += x[k];
  for (int l = 0; l < 8; l++) e[l] = ((t[l] + t[l + 16]) + (t[l + 8] + t[l + 24])) + u[l];
  if (other) return (((e[0] + e[1]) + (e[2] + e[3])) + ((e[4] + e[5]) + (e[6] + e[7]))) + v;
  return (((e[0] + e[4]) + (e[2] + e[6])) + ((e[1] + e[5]) + (e[3] + e[7]))) + v;
}

// Of s numbers in each of some rows, the first at x, the rows `stride` apart.
static void moments(const float *x, int rows, int stride, int s, double *m, double *q) {
  *m = *q = 0;
  if (s == 1) {
    for (int i = 0; i < rows; i++) *m += (double)x[i * stride];
    *m /= rows;
    for (int i = 0; i < rows; i++) *q += ((double)x[i * stride] - *m) * ((double)x[i * stride] - *m);
    return;
  }
  for (int i = 0; i < rows; i++, x += stride) {
    float d[WIDEST], squares[WIDEST];
    const float c = i == 0 ? (float)((double)sum(x, s) / s) : (float)*m;
    for (int k = 0; k < s; k++) d[k] = x[k] - c, squares[k] = d[k] * d[k];
    const double S = sum(d, s), own = (double)c + S / s, left = (double)sum(squares, s) - S * (S / s);
    const double spread = left < 0 ? 0 : left, e = own - *m;
    if (i == 0) *m = own, *q = spread;
    else *m += e * (1 / (i + 1.0)), *q += spread + e * e * ((double)s * i / (i + 1.0));
  }
}

static void add_up(float (*leaf)[2 * WIDEST], int count) {
  for (int step = 1; step < active; step *= 2)
    for (int i = 0; i + step < active; i += 2 * step)
      for (int j = 0; j < count; j++) leaf[i][j] += leaf[i + step][j];
}

// A batch norm of c channels of s numbers, whose tensors are at `place`; its μ and r of each shard.
typedef struct {
  int place, c, s;
  float mu[SHARDS][WIDEST], r[SHARDS][WIDEST];
} batch_norm;

static void forward(batch_norm *n, const float *x, float *y) {
  static float leaf[SHARDS][2 * WIDEST];
  static double m[SHARDS][WIDEST], q[SHARDS][WIDEST];
  const int c = n->c, s = n->s, width = c * s;
  for (int i = 0; i < active; i++) {
    const int rows = bound[i + 1] - bound[i];
    const double M = (double)rows * s, z = (double)rows / (double)b;
    for (int j = 0; j < c; j++) {
      moments(x + bound[i] * width + j * s, rows, width, s, &m[i][j], &q[i][j]);
      n->mu[i][j] = (float)m[i][j];
      n->r[i][j] = (float)(1 / sqrt(q[i][j] / M + (double)1e-5));
      leaf[i][j] = gradient[i][n->place + 2 * c + j] = (float)(z * m[i][j]);
      const double running = (double)w[n->place + 3 * c + j];
      gradient[i][n->place + 3 * c + j] = (float)(z * (M > 1 ? q[i][j] / (M - 1) : running));
    }
  }
  if (is_global) {
    const double M = (double)b * s;
    float mu[WIDEST];
    add_up(leaf, c);
    memcpy(mu, leaf[0], sizeof mu);
    for (int i = 0; i < active; i++) {
      for (int j = 0; j < c; j++) {
        const double e = m[i][j] - (double)mu[j], all = q[i][j] + (double)(bound[i + 1] - bound[i]) * s * (e * e);
        leaf[i][j] = (float)(all / M);
        gradient[i][n->place + 3 * c + j] = (float)(all / (M - 1));
      }
    }
    add_up(leaf, c);
    for (int i = 0; i < active; i++)
      for (int j = 0; j < c; j++) n->mu[i][j] = mu[j], n->r[i][j] = (float)(1 / sqrt((double)leaf[0][j] + 1e-5));
  }
  for (int i = 0; i < active; i++)
    for (int k = bound[i] * width; k < bound[i + 1] * width; k++) {
      const int j = k % width / s;
      y[k] = (x[k] - n->mu[i][j]) * (w[n->place + j] * n->r[i][j]) + w[n->place + c + j];
    }
}

static void backward(batch_norm *n, const float *x, const float *dy, float *dx) {
  static float leaf[SHARDS][2 * WIDEST];
  static double B[SHARDS][WIDEST], G[SHARDS][WIDEST];
  const int c = n->c, s = n->s, width = c * s;
  for (int i = 0; i < active; i++)
    for (int j = 0; j < c; j++) {
      B[i][j] = G[i][j] = 0;
      for (int row = bound[i]; row < bound[i + 1]; row++) {
        const float *own = x + row * width + j * s, *g = dy + row * width + j * s;
        float p[WIDEST];
        for (int k = 0; k < s; k++) p[k] = g[k] * (own[k] - n->mu[i][j]);
        B[i][j] += (double)(s == 1 ? g[0] : sum(g, s)), G[i][j] += (double)(s == 1 ? p[0] : sum(p, s));
      }
      G[i][j] *= (double)n->r[i][j];
      leaf[i][j] = gradient[i][n->place + j] = (float)G[i][j];
      leaf[i][c + j] = gradient[i][n->place + c + j] = (float)B[i][j];
    }
  if (!dx) return;
  if (is_global) add_up(leaf, 2 * c);
  for (int i = 0; i < active; i++)
    for (int k = bound[i] * width; k < bound[i + 1] * width; k++) {
      const int j = k % width / s;
      const double M = (double)(is_global ? b : bound[i + 1] - bound[i]) * s;
      const double g = is_global ? (double)leaf[0][j] : G[i][j], h = is_global ? (double)leaf[0][c + j] : B[i][j];
      const float a = w[n->place + j] * n->r[i][j];
      const float slope = (float)((double)a * (double)n->r[i][j] * g / M), constant = (float)((double)a * h / M);
      dx[k] = dy[k] * a - ((x[k] - n->mu[i][j]) * slope + constant);
    }
}

static void draw(int count, int inputs) {
  for (int i = 0; i < count; i++, parameters++)
    w[parameters] = (float)(1 / sqrt(inputs) * (2 * uniform((u64)parameters) - 1));
}

static void set(int count, float value) {
  for (int i = 0; i < count; i++) w[parameters++] = value;
}

static int norm(int c) {
  set(c, 1), set(2 * c, 0), set(c, 1);
  return parameters - 4 * c;
}

// The gradients of all shards of the batch at x.
static void differentiate(batch_norm *first, batch_norm *second, int layer, int dense, int last, const float *x,
                          const float *targets) {
  static float y[ROWS * WIDEST], z[ROWS * WIDEST], h[ROWS * HIDDEN], g[ROWS * HIDDEN], dh[ROWS * HIDDEN];
  static float dz[ROWS * WIDEST], dy[ROWS * WIDEST], mu[ROWS], r[ROWS];
  const int width = first->c * first->s;
  forward(first, x, y);
  for (int i = 0; i < b; i++) {
    double m, q;
    moments(y + i * width, 1, width, width, &m, &q);
    mu[i] = (float)m, r[i] = (float)(1 / sqrt(q / width + 1e-5));
    for (int j = 0; j < width; j++)
      z[i * width + j] = (y[i * width + j] - mu[i]) * r[i] * w[layer + j] + w[layer + width + j];
    for (int j = 0; j < HIDDEN; j++) {
      float c = 0;
      for (int k = 0; k < width; k++) c = fmaf(z[i * width + k], w[dense + j * width + k], c);
      h[i * HIDDEN + j] = c + w[dense + HIDDEN * width + j];
    }
  }
  forward(second, h, g);
  for (int shard = 0; shard < active; shard++)
    for (int i = bound[shard]; i < bound[shard + 1]; i++) {
      float c = 0;
      for (int j = 0; j < HIDDEN; j++) {
        g[i * HIDDEN + j] = g[i * HIDDEN + j] < 0 ? 0 : g[i * HIDDEN + j];
        c = fmaf(g[i * HIDDEN + j], w[last + j], c);
      }
      const float d = (c + w[last + HIDDEN] - targets[i]) * (1 / (float)b);
      for (int j = 0; j < HIDDEN; j++) {
        gradient[shard][last + j] = fmaf(d, g[i * HIDDEN + j], gradient[shard][last + j]);
        dh[i * HIDDEN + j] = g[i * HIDDEN + j] > 0 ? fmaf(d, w[last + j], 0) : 0;
      }
      gradient[shard][last + HIDDEN] += d;
    }
  backward(second, h, dh, g);
  for (int shard = 0; shard < active; shard++)
    for (int i = bound[shard]; i < bound[shard + 1]; i++) {
      float *own = gradient[shard], p[WIDEST], t[WIDEST];
      for (int k = 0; k < width; k++) {
        float c = 0;
        for (int j = 0; j < HIDDEN; j++) {
          float *at = own + dense + j * width + k;
          *at = fmaf(g[i * HIDDEN + j], z[i * width + k], *at);
          c = fmaf(g[i * HIDDEN + j], w[dense + j * width + k], c);
        }
        dz[k] = c;
        const float distance = y[i * width + k] - mu[i];
        own[layer + k] += c * (distance * r[i]), own[layer + width + k] += c;
        p[k] = c * w[layer + k], t[k] = p[k] * distance;
      }
      for (int j = 0; j < HIDDEN; j++) own[dense + HIDDEN * width + j] += g[i * HIDDEN + j];
      const float mean = sum(p, width) / (float)width, slope = sum(t, width) / (float)width * (r[i] * r[i]);
      for (int k = 0; k < width; k++)
        dy[i * width + k] = r[i] * (dz[k] * w[layer + k] - ((y[i * width + k] - mu[i]) * slope + mean));
    }
  backward(first, x, dy, NULL);
}

int main(int count, char **words) {
  if (count < 10) return 64;
  long bytes, n;
  const float *x = (const float *)read_array(words[1], &bytes), *targets = (const float *)read_array(words[2], &n);
  n /= 4;
  static batch_norm first, second;
  is_global = !strcmp(words[4], "global"), seed = strtoull(words[5], NULL, 10), other = count > 10;
  const int shards = atoi(words[6]), batch = atoi(words[7]), epochs = atoi(words[8]), width = (int)(bytes / 4 / n);
  const float rate = (float)atof(words[9]), keep = (float)(1 - 0.1), take = (float)0.1;
  first.c = atoi(words[3]), first.s = width / first.c, first.place = norm(first.c);
  const int layer = parameters;
  set(width, 1), set(width, 0);
  const int dense = parameters;
  draw(HIDDEN * (width + 1), width);
  second.c = HIDDEN, second.s = 1, second.place = norm(HIDDEN);
  const int last = parameters;
  draw(HIDDEN + 1, HIDDEN);
  for (int epoch = 0; epoch < epochs; epoch++) {
    for (long start = 0; start < n; start += b) {
      b = n - start < batch ? n - start : batch;
      active = b < shards ? (int)b : shards;
      for (int s = 0; s < active; s++) bound[s + 1] = bound[s] + (int)(b / shards) + (s < b % shards);
      memset(gradient, 0, sizeof gradient);
      differentiate(&first, &second, layer, dense, last, x + start * width, targets + start);
      for (int step = 1; step < active; step *= 2)
        for (int i = 0; i + step < active; i += 2 * step)
          for (int j = 0; j < parameters; j++) gradient[i][j] += gradient[i + step][j];
      for (int j = 0; j < parameters; j++) {
        const bool is_statistic = (j >= first.place + 2 * first.c && j < first.place + 4 * first.c) ||
                                  (j >= second.place + 2 * HIDDEN && j < second.place + 4 * HIDDEN);
        w[j] = is_statistic ? keep * w[j] + take * gradient[0][j] : w[j] - rate * gradient[0][j];
      }
    }
  }
  return fwrite(w, 4, parameters, stdout) != (size_t)parameters;
}
