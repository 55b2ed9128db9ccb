// A float's bits as a number, and back.
#pragma once
#include <stdint.h>
#include <string.h>

#include "every_width.h"

PART_OF_KERNEL uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

PART_OF_KERNEL float of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
