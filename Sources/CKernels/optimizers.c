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

EVERY_WIDTH void ckernels_adagrad(
    float *restrict w, const float *g, float *restrict s, float rate, float epsilon, float decay, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float gradient = g[i] + decay * w[i];
    s[i] += gradient * gradient;
    w[i] -= rate * (gradient / (__builtin_elementwise_sqrt(s[i]) + epsilon));
  }
}

// With constants for what there is, so that each of the loops has no branch.
PART_OF_KERNEL void rmsprop(
    float *restrict w, const float *g, float *restrict v, float *restrict b, float *restrict mean,
    ckernels_rmsprop_coefficients c, size_t count, bool has_momentum, bool is_centered) {
  for (size_t i = 0; i < count; i++) {
    const float gradient = g[i] + c.decay * w[i];
    v[i] = c.keep * v[i] + c.take * (gradient * gradient);
    float square = v[i];
    if (is_centered) {
      mean[i] += c.take * (gradient - mean[i]);
      square -= mean[i] * mean[i];
      square = square < 0 ? 0 : square;
    }
    const float quotient = gradient / (__builtin_elementwise_sqrt(square) + c.epsilon);
    if (has_momentum) {
      b[i] = c.momentum * b[i] + quotient;
      w[i] -= c.rate * b[i];
    } else {
      w[i] -= c.rate * quotient;
    }
  }
}

EVERY_WIDTH void ckernels_rmsprop(
    float *restrict w, const float *g, float *restrict v, float *restrict b, float *restrict mean,
    ckernels_rmsprop_coefficients c, size_t count) {
  if (b && mean) {
    rmsprop(w, g, v, b, mean, c, count, true, true);
  } else if (b) {
    rmsprop(w, g, v, b, mean, c, count, true, false);
  } else if (mean) {
    rmsprop(w, g, v, b, mean, c, count, false, true);
  } else {
    rmsprop(w, g, v, b, mean, c, count, false, false);
  }
}

EVERY_WIDTH void ckernels_adadelta(
    float *restrict w, const float *g, float *restrict v, float *restrict u, ckernels_adadelta_coefficients c,
    size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float gradient = g[i] + c.decay * w[i];
    v[i] = c.keep * v[i] + c.take * (gradient * gradient);
    const float delta =
        __builtin_elementwise_sqrt(u[i] + c.epsilon) / __builtin_elementwise_sqrt(v[i] + c.epsilon) * gradient;
    u[i] = c.keep * u[i] + c.take * (delta * delta);
    w[i] -= c.rate * delta;
  }
}

EVERY_WIDTH void ckernels_lars(
    float *restrict w, const float *g, float *restrict m, float rate, float momentum, float decay, size_t count) {
  for (size_t i = 0; i < count; i++) {
    m[i] = momentum * m[i] + rate * (g[i] + decay * w[i]);
    w[i] -= m[i];
  }
}

EVERY_WIDTH void ckernels_lamb_direction(
    float *restrict u, const float *w, float *restrict m, float *restrict v, ckernels_adam_coefficients c,
    size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float gradient = u[i];
    m[i] += c.mean_rate * (gradient - m[i]);
    v[i] = c.square_keep * v[i] + c.square_rate * (gradient * gradient);
    u[i] = c.step_size * m[i] / (__builtin_elementwise_sqrt(v[i]) * c.square_scale + c.epsilon) + c.decay * w[i];
  }
}
