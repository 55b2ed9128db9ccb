// Update rules that keep a state for every parameter.
#include "every_width.h"
#include "kernels.h"

EVERY_WIDTH void ckernels_descend_decayed(
    float *restrict w, const float *g, float rate, float decay, size_t count) {
  for (size_t i = 0; i < count; i++) w[i] -= rate * (g[i] + decay * w[i]);
}

EVERY_WIDTH void ckernels_average(float *restrict w, const float *g, float keep, float rate, size_t count) {
  for (size_t i = 0; i < count; i++) w[i] = keep * w[i] + rate * g[i];
}

EVERY_WIDTH void ckernels_momentum(
    float *restrict w, const float *g, float *restrict m, float rate, float momentum, float decay,
    bool nesterov, size_t count) {
  if (nesterov) {
    for (size_t i = 0; i < count; i++) {
      const float gradient = g[i] + decay * w[i];
      m[i] = momentum * m[i] + gradient;
      w[i] -= rate * (gradient + momentum * m[i]);
    }
  } else {
    for (size_t i = 0; i < count; i++) {
      m[i] = momentum * m[i] + (g[i] + decay * w[i]);
      w[i] -= rate * m[i];
    }
  }
}

// The square root is the processor's own instruction: C's sqrtf may have to set errno, which keeps a loop from being
// vectorised. Both are rounded right.
EVERY_WIDTH void ckernels_adam(
    float *restrict w, const float *g, float *restrict m, float *restrict v, ckernels_adam_coefficients c,
    size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float gradient = g[i] + c.decay * w[i];
    const float kept = c.shrink * w[i];
    m[i] += c.mean_rate * (gradient - m[i]);
    v[i] = c.square_keep * v[i] + c.square_rate * (gradient * gradient);
    w[i] = kept - c.step_size * m[i] / (__builtin_elementwise_sqrt(v[i]) * c.square_scale + c.epsilon);
  }
}
