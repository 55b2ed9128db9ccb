// What a core does at most: chains of fused multiply-adds in registers, more than its units and their latency can hold.
#pragma once

enum { PEAK_CHAINS = LANES == 16 ? 24 : 12 };

// x * chains[j] + x, again and again: x = 0.5 keeps them at 1.
static float fuse(float x, size_t rounds) {
  const floats zero = {0}, factor = x - zero;
  floats chains[PEAK_CHAINS];
  UNROLLED for (size_t j = 0; j < PEAK_CHAINS; j++) chains[j] = factor * (float)j;
  for (size_t i = 0; i < rounds; i++) {
    UNROLLED for (size_t j = 0; j < PEAK_CHAINS; j++) chains[j] = __builtin_elementwise_fma(factor, chains[j], factor);
  }
  floats sum = zero;
  UNROLLED for (size_t j = 0; j < PEAK_CHAINS; j++) sum += chains[j];
  float lanes[LANES], result = 0;
  *(floats *)lanes = sum;
  for (size_t j = 0; j < LANES; j++) result += lanes[j];
  return result;
}
