// A training with portable arithmetic, written again from docs/arithmetic.md: nothing of the program is in it.
//
//   cc -std=c11 -O1 -ffp-contract=off Tests/Arithmetic/again.c -lm -o again
//   again INPUTS.npy TARGETS.npy WIDTHS ACTIVATION LOSS SAMPLING SEED SHARDS BATCH EPOCHS RATE MOMENTUM DECAY [backwards]
//
// INPUTS are binary32, TARGETS bytes (cross-entropy) or binary32 (squared). Prints the parameters' bytes. With
// `backwards` the sums over a shard's rows begin with the last row, to show that another order is another result.
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read_array.h"

typedef uint64_t u64;
typedef uint32_t u32;
enum { MOST = 4096, WIDEST = 64, LAYERS = 8, SHARDS = 16 };

static u64 seed;
static int layers, width[LAYERS + 1], parameters, backwards;
static float w[MOST], momentum_of[MOST], gradient[SHARDS][MOST];
static const char *activation, *loss;

static u64 bits(u64 index, u32 epoch, u32 purpose) {
  u32 c[4] = {(u32)index, (u32)(index >> 32), epoch, purpose}, k0 = (u32)seed, k1 = (u32)(seed >> 32);
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const u64 p0 = (u64)c[0] * 0xD2511F53u, p1 = (u64)c[2] * 0xCD9E8D57u;
    c[0] = (u32)(p1 >> 32) ^ c[1] ^ k0, c[1] = (u32)p1;
    c[2] = (u32)(p0 >> 32) ^ c[3] ^ k1, c[3] = (u32)p0;
  }
  return c[0] | (u64)c[1] << 32;
}

static u64 hash(u64 x, u64 key, u64 m) {
  u64 y = (x ^ key) * 0x9E3779B97F4A7C15u;
  y = (y ^ y >> 32) * 0xD6E8FEB86659FD93u;
  return (y >> 32) * m >> 32;
}

static u64 shuffled(u64 p, u64 n, u32 epoch) {
  u64 a = 1;
  while (a * a < n) a++;
  const u64 b = (n + a - 1) / a;
  do {
    u64 l = p % a, r = p / a;
    for (int i = 0; i < (n < 1024 ? 10 : 6); i += 2) {
      l = (l + hash(r, bits(i, epoch, 2), a)) % a;
      r = (r + hash(l, bits(i + 1, epoch, 2), b)) % b;
    }
    p = l + a * r;
  } while (p >= n);
  return p;
}

#define P(x, ...) polynomial(x, (const float[]){__VA_ARGS__}, sizeof((const float[]){__VA_ARGS__}) / 4)
static float polynomial(float x, const float *c, size_t count) {
  float p = c[0];
  for (size_t i = 1; i < count; i++) p = fmaf(p, x, c[i]);
  return p;
}

static float parts(float x, float *low) {
  x = x > 89 ? 89 : x;
  x = x < -105 ? -105 : x;
  const float s = fmaf(x, 0x1.715476p+0f, 0x1.8p+23f), n = s - 0x1.8p+23f;
  const float most = fmaf(n, -0x1.62e4p-1f, x), least = n * -0x1.7f7d1cp-20f, r = most + least;
  const float p = P(r, 0x1.9ffcc0p-13f, 0x1.6db094p-10f, 0x1.1111d4p-7f, 0x1.555460p-5f, 0x1.555554p-3f, 0x1p-1f);
  const float sum = 1 + most, rest = fmaf(p, r * r, least + (most - (sum - 1))), top = sum + rest;
  const int i = (int)n, h = (i - (i & 1)) / 2;
  const float a = ldexpf(1, h), b = ldexpf(1, i - h);
  *low = (rest - (top - sum)) * a * b;
  return top * a * b;
}

static float hyperbolic_tangent(float x) {
  const float s = x * x, size = fabsf(x);
  const float p = P(s, -0x1.27f826p-11f, 0x1.7409e0p-9f, -0x1.167e82p-7f, 0x1.64aa5ap-6f, -0x1.b9fc4ap-5f,
                    0x1.111084p-3f, -0x1.555554p-2f);
  if (size < 0.8f) return copysignf(fmaf(p, x * s, x), x);
  float low;
  const float high = parts(2 * (size > 10 ? 10 : size), &low), sum = high + 1, lost = low + (1 - (sum - high));
  const float q = 2 / sum, rest = fmaf(-q, lost, fmaf(-q, sum, 2));
  return copysignf(1 - fmaf(rest, q * 0.5f, q), x);
}

static float logistic(float x) {
  float low;
  const float high = parts(-fabsf(x), &low), sum = 1 + high, lost = low + (high - (sum - 1)), v = 1 / sum;
  const float t = x < 0 ? high : 1, q = t * v;
  return fmaf(fmaf(-q, lost, fmaf(-q, sum, t) + (x < 0 ? low : 0)), v, q);
}

static float activated(float x) {
  if (*activation == 'r') return x < 0 ? 0 : x;
  return *activation == 't' ? hyperbolic_tangent(x) : logistic(x);
}

static float times_derivative(float dy, float y) {
  if (*activation == 'r') return y > 0 ? dy : 0;
  return *activation == 't' ? dy * (1 - y * y) : dy * (y * (1 - y));
}

// Softmax cross-entropy: z becomes its gradient.
static void differentiate(float *z, int outputs, int label, float scale) {
  float largest = z[0], total = 0, low;
  for (int j = 0; j < outputs; j++) largest = z[j] > largest ? z[j] : largest;
  for (int j = 0; j < outputs; j++) total += z[j] = parts(z[j] - largest, &low);
  for (int j = 0; j < outputs; j++) z[j] *= scale / total;
  z[label] -= scale;
}

// The gradients of one row, added to those of the rows before it.
static void add_row(float *g, const float *x, float target, float scale) {
  float y[LAYERS + 1][WIDEST], dy[WIDEST], dx[WIDEST];
  memcpy(y[0], x, 4 * width[0]);
  int place = 0;
  for (int l = 0; l < layers; place += width[l + 1] * (width[l] + 1), l++) {
    const float *bias = w + place + width[l + 1] * width[l];
    for (int j = 0; j < width[l + 1]; j++) {
      float c = 0;
      for (int k = 0; k < width[l]; k++) c = fmaf(y[l][k], w[place + j * width[l] + k], c);
      c += bias[j];
      y[l + 1][j] = l + 1 < layers ? activated(c) : c;
    }
  }
  memcpy(dy, y[layers], sizeof dy);
  if (*loss == 's') dy[0] = (dy[0] - target) * scale;
  else differentiate(dy, width[layers], (int)target, scale);
  for (int l = layers - 1; l >= 0; l--) {
    const int m = width[l], n = width[l + 1];
    place -= n * (m + 1);
    for (int j = 0; j < n; j++) {
      for (int k = 0; k < m; k++) g[place + j * m + k] = fmaf(dy[j], y[l][k], g[place + j * m + k]);
      g[place + n * m + j] += dy[j];
    }
    for (int k = 0; l > 0 && k < m; k++) {
      float c = 0;
      for (int j = 0; j < n; j++) c = fmaf(dy[j], w[place + j * m + k], c);
      dx[k] = times_derivative(c, y[l][k]);
    }
    memcpy(dy, dx, sizeof dy);
  }
}

int main(int count, char **words) {
  if (count < 14) return 64;
  long bytes_of_inputs, n;
  const float *x = (const float *)read_array(words[1], &bytes_of_inputs);
  const unsigned char *targets = read_array(words[2], &n);
  activation = words[4], loss = words[5], seed = strtoull(words[7], NULL, 10), backwards = count > 14;
  if (*loss == 's') n /= 4;
  const int shards = atoi(words[8]), batch = atoi(words[9]), epochs = atoi(words[10]);
  const float rate = (float)atof(words[11]), mu = (float)atof(words[12]), lambda = (float)atof(words[13]);
  width[layers++] = (int)(bytes_of_inputs / 4 / n);
  for (char *word = strtok(words[3], ","); word; word = strtok(NULL, ",")) width[layers++] = atoi(word);
  int largest = 0;
  for (long i = 0; i < n; i++) largest = targets[i] > largest ? targets[i] : largest;
  width[layers] = *loss == 's' ? 1 : largest + 1;
  for (int l = 0; l < layers; l++) {
    for (int i = 0; i < width[l + 1] * (width[l] + 1); i++, parameters++) {
      w[parameters] = (float)(1 / sqrt(width[l]) * (2 * ((double)(bits(parameters, 0, 1) >> 11) * 0x1p-53) - 1));
    }
  }
  for (int epoch = 0; epoch < epochs; epoch++) {
    for (long first = 0, b; first < n; first += b) {
      b = n - first < batch ? n - first : batch;
      const int active = b < shards ? (int)b : shards;
      memset(gradient, 0, sizeof gradient);
      for (long s = 0, p = first, size; s < active; s++, p += size) {
        size = b / shards + (s < b % shards);
        for (long i = 0; i < size; i++) {
          const long position = backwards ? p + size - 1 - i : p + i;
          const bool is_in_order = strcmp(words[6], "shuffle") || (active == 1 && b == n);
          const long example = is_in_order ? position : (long)shuffled(position, n, epoch);
          const float target = *loss == 's' ? ((const float *)targets)[example] : targets[example];
          add_row(gradient[s], x + example * width[0], target, 1 / (float)b);
        }
      }
      for (int step = 1; step < active; step *= 2)
        for (int i = 0; i + step < active; i += 2 * step)
          for (int j = 0; j < parameters; j++) gradient[i][j] += gradient[i + step][j];
      for (int j = 0; j < parameters; j++) {
        const float g = gradient[0][j];
        if (mu > 0) momentum_of[j] = mu * momentum_of[j] + (g + lambda * w[j]);
        w[j] -= rate * (mu > 0 ? momentum_of[j] : lambda > 0 ? g + lambda * w[j] : g);
      }
    }
  }
  return fwrite(w, 4, parameters, stdout) != (size_t)parameters;
}
