// A pseudo-random permutation by a Feistel network, some of its values at a time.
#include "kernels.h"

#include <string.h>

#include "every_width.h"

// Numbers that go through the network side by side: enough for the processor to find work while one waits.
enum { LANES = 32 };
typedef uint64_t lanes __attribute__((vector_size(8 * LANES), aligned(8)));

// half + hash(other, key) modulo `modulus`. Two multiplications with a shift between them: one alone would be nearly
// affine in `other`. The upper 32 bits are scaled to the modulus. A difference below zero wraps around to a large number.
PART_OF_KERNEL void add_hash(lanes *half, const lanes *other, uint64_t key, uint32_t modulus) {
  lanes hash = (*other ^ key) * 0x9E3779B97F4A7C15;
  hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93;
  const lanes sum = *half + (((hash >> 32) * modulus) >> 32);
  *half = __builtin_elementwise_min(sum, sum - modulus);
}

// Where the network sends some pairs.
PART_OF_KERNEL void encipher(
    uint64_t *images, const uint64_t *left, const uint64_t *right, const ckernels_network *network) {
  lanes l = *(const lanes *)left, r = *(const lanes *)right;
  for (size_t round = 0; round < network->rounds; round += 2) {
    add_hash(&l, &r, network->keys[round], network->a);
    add_hash(&r, &l, network->keys[round + 1], network->b);
  }
  *(lanes *)images = r * network->a + l;
}

// Sends the images at some places through the network until they are within its limit.
PART_OF_KERNEL void walk(ptrdiff_t *images, size_t *places, size_t count, const ckernels_network *network) {
  while (count > 0) {
    uint64_t left[LANES] = {0}, right[LANES] = {0}, found[LANES];
    for (size_t i = 0; i < count; i++) {
      left[i] = (uint64_t)images[places[i]] % network->a;
      right[i] = (uint64_t)images[places[i]] / network->a;
    }
    encipher(found, left, right, network);
    size_t remaining = 0;
    for (size_t i = 0; i < count; i++) {
      images[places[i]] = (ptrdiff_t)found[i];
      if (found[i] >= network->limit) places[remaining++] = places[i];
    }
    count = remaining;
  }
}

EVERY_WIDTH void ckernels_permute(
    ptrdiff_t *restrict images, size_t first, size_t count, const ckernels_network *network) {
  const uint64_t a = network->a;
  uint64_t left[LANES], right[LANES];
  uint64_t l = first % a, r = first / a;
  for (size_t i = 0; i < LANES; i++) {
    left[i] = l;
    right[i] = r;
    if (++l == a) l = 0, r++;
  }
  for (size_t start = 0; start < count; start += LANES) {
    uint64_t found[LANES];
    encipher(found, left, right, network);
    memcpy(images + start, found, count - start < LANES ? (count - start) * sizeof *found : sizeof found);
    for (size_t i = 0; i < LANES; i++) {
      left[i] += LANES % a;
      const bool wraps = left[i] >= a;
      left[i] -= wraps ? a : 0;
      right[i] += LANES / a + wraps;
    }
  }
  // Those beyond the limit are rare: as many as there are lanes go on together.
  size_t walkers[LANES], waiting = 0;
  for (size_t i = 0; i < count; i++) {
    if ((uint64_t)images[i] < network->limit) continue;
    walkers[waiting++] = i;
    if (waiting == LANES) walk(images, walkers, waiting, network), waiting = 0;
  }
  walk(images, walkers, waiting, network);
}
