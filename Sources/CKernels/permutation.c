// A pseudo-random permutation by a Feistel network: computed, or looked up where many of few numbers are wanted.
#include "kernels.h"

#include <string.h>

#include "every_width.h"

// What one half adds to the other, below `modulus`. Two multiplications with a shift between them: one alone would be
// nearly affine in `half`. The upper 32 bits are scaled to the modulus.
PART_OF_KERNEL uint64_t scaled_hash(uint64_t half, uint64_t key, uint64_t modulus) {
  uint64_t hash = (half ^ key) * 0x9E3779B97F4A7C15;
  hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93;
  return ((hash >> 32) * modulus) >> 32;
}

PART_OF_KERNEL uint64_t add_hash(uint64_t half, uint64_t other, uint64_t key, uint64_t modulus) {
  const uint64_t sum = half + scaled_hash(other, key, modulus);
  return sum >= modulus ? sum - modulus : sum;
}

// A round of many numbers at a time, in vectors; numbers beyond the limit are left as they are.
PART_OF_KERNEL void compute(
    ptrdiff_t *restrict images, size_t first, size_t count, const ckernels_network *network) {
  enum { BLOCK = 64 };
  const uint64_t a = network->a, b = network->b;
  uint64_t left[BLOCK], right[BLOCK];
  uint64_t l = first % a, r = first / a;
  for (size_t start = 0; start < count; start += BLOCK) {
    const size_t n = count - start < BLOCK ? count - start : BLOCK;
    for (size_t i = 0; i < n; i++) {
      left[i] = l;
      right[i] = r;
      if (++l == a) l = 0, r++;
    }
    for (size_t round = 0; round < network->rounds; round += 2) {
      const uint64_t *keys = network->keys + round;
      for (size_t i = 0; i < n; i++) left[i] = add_hash(left[i], right[i], keys[0], a);
      for (size_t i = 0; i < n; i++) right[i] = add_hash(right[i], left[i], keys[1], b);
    }
    for (size_t i = 0; i < n; i++) images[start + i] = (ptrdiff_t)(right[i] * a + left[i]);
  }
}

// What each round adds, for all that a half can be. A half is not reduced modulo its side after an addition: its tables
// go on with the same numbers, for as many sides as it has been added to, and one more.
enum { ENTRIES = 512 };
typedef struct {
  uint32_t rounds[10][ENTRIES];
  // What the halves are in the image.
  uint32_t left[ENTRIES], right[ENTRIES];
} tables;

PART_OF_KERNEL void repeat(uint32_t *table, size_t side, size_t times) {
  for (size_t i = 1; i < times; i++) memcpy(table + i * side, table, side * sizeof *table);
}

PART_OF_KERNEL void fill(tables *tables, const ckernels_network *network) {
  const uint32_t a = network->a, b = network->b;
  const size_t additions = network->rounds / 2;
  for (size_t i = 0; i < additions; i++) {
    uint32_t *of_right = tables->rounds[2 * i], *of_left = tables->rounds[2 * i + 1];
    for (uint32_t half = 0; half < b; half++) of_right[half] = (uint32_t)scaled_hash(half, network->keys[2 * i], a);
    for (uint32_t half = 0; half < a; half++) of_left[half] = (uint32_t)scaled_hash(half, network->keys[2 * i + 1], b);
    repeat(of_right, b, i + 1);
    repeat(of_left, a, i + 2);
  }
  for (uint32_t half = 0; half < a; half++) tables->left[half] = half;
  for (uint32_t half = 0; half < b; half++) tables->right[half] = half * a;
  repeat(tables->left, a, additions + 1);
  repeat(tables->right, b, additions + 1);
}

PART_OF_KERNEL size_t image(const tables *tables, size_t left, size_t right, size_t rounds) {
  for (size_t round = 0; round < rounds; round += 2) {
    left += tables->rounds[round][right];
    right += tables->rounds[round + 1][left];
  }
  return tables->left[left] + tables->right[right];
}

PART_OF_KERNEL void look_up(
    ptrdiff_t *restrict images, size_t first, size_t count, const ckernels_network *network, size_t rounds) {
  tables tables;
  fill(&tables, network);
  const size_t a = network->a;
  size_t l = first % a, r = first / a;
  for (size_t i = 0; i < count; l = 0, r++) {
    const size_t end = count - i < a - l ? count : i + (a - l);
    // One number after the other: a vector of entries from all over a table takes longer.
#pragma clang loop vectorize(disable)
    for (; i < end; i++, l++) {
      size_t found = image(&tables, l, r, rounds);
      while (found >= network->limit) found = image(&tables, found % a, found / a, rounds);
      images[i] = (ptrdiff_t)found;
    }
  }
}

EVERY_WIDTH void ckernels_permute(
    ptrdiff_t *restrict images, size_t first, size_t count, const ckernels_network *network) {
  const size_t a = network->a, rounds = network->rounds;
  // Tables are made for many numbers at a time.
  if (count >= 8 * a && (rounds / 2 + 1) * a <= ENTRIES) {
    if (rounds == 6) return look_up(images, first, count, network, 6);
    return look_up(images, first, count, network, rounds);
  }
  compute(images, first, count, network);
  for (size_t i = 0; i < count; i++) {
    while ((uint64_t)images[i] >= network->limit) compute(images + i, (size_t)images[i], 1, network);
  }
}
