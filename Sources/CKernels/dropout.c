// Random masks: Philox 4x32-10 (Salmon et al. 2011), a block for every four numbers of a row.
#include "every_width.h"
#include "kernels.h"

EVERY_WIDTH void ckernels_dropout_factors(
    float *restrict factors, size_t count, uint32_t key0, uint32_t key1, uint32_t epoch, uint32_t purpose,
    uint64_t first_block, uint32_t threshold, float scale) {
  enum { LANES = 16 };
  uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];
  for (size_t start = 0; start < count; start += 4 * LANES) {
    for (size_t lane = 0; lane < LANES; lane++) {
      const uint64_t index = first_block + start / 4 + lane;
      c0[lane] = (uint32_t)index;
      c1[lane] = (uint32_t)(index >> 32);
      c2[lane] = epoch;
      c3[lane] = purpose;
    }
    uint32_t k0 = key0, k1 = key1;
    for (int round = 0; round < 10; round++) {
      for (size_t lane = 0; lane < LANES; lane++) {
        const uint64_t p0 = (uint64_t)c0[lane] * 0xD2511F53u;
        const uint64_t p1 = (uint64_t)c2[lane] * 0xCD9E8D57u;
        c0[lane] = (uint32_t)(p1 >> 32) ^ c1[lane] ^ k0;
        c1[lane] = (uint32_t)p1;
        c2[lane] = (uint32_t)(p0 >> 32) ^ c3[lane] ^ k1;
        c3[lane] = (uint32_t)p0;
      }
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    for (size_t lane = 0; lane < LANES; lane++) {
      const uint32_t words[4] = {c0[lane], c1[lane], c2[lane], c3[lane]};
      for (size_t word = 0; word < 4; word++) {
        const size_t i = start + 4 * lane + word;
        if (i < count) factors[i] = words[word] >= threshold ? scale : 0;
      }
    }
  }
}
