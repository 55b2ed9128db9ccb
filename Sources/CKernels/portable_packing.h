// What products read more than once, in the order in which their tiles read it.
#pragma once

enum { PANEL = 2 * LANES };

// Fewer numbers than a panel has columns: by vectors, halves of one, quarters, …: copies of a known size.
PART void copy(float *to, const float *from, size_t count) {
  for (; count >= LANES; count -= LANES, to += LANES, from += LANES) *(floats *)to = *(const floats *)from;
  UNROLLED for (size_t size = LANES / 2; size > 0; size /= 2) {
    if (count & size) memcpy(to, from, 4 * size), to += size, from += size;
  }
}

// What is packed lies in lines next to one another in one direction before, in another one behind: so many in each.
enum { AT_ONCE = 8 };

// Where a panel has no whole vectors.
PART void zero_columns(float *panel, size_t inner, size_t columns) {
  const size_t padded = columns > LANES ? PANEL : LANES;
  for (size_t k = 0; columns < padded && k < inner; k++) {
    for (size_t j = columns; j < padded; j++) panel[k * PANEL + j] = 0;
  }
}

// Some panels of B, so many inner numbers: to[panel, k, j] = b[k, j], shape (panels, inner, PANEL) with `stride` floats
// from one panel to the next; whole vectors, the rest is 0.
static __attribute__((noinline)) void pack(
    float *to, size_t stride, const float *b, ckernels_matrix m, size_t inner, size_t columns) {
  if (m.column != 1) {
    for (size_t j = 0; j < columns; j += PANEL, to += stride) {
      const size_t count = columns - j < PANEL ? columns - j : PANEL;
      zero_columns(to, inner, count);
      transpose(to, PANEL, b + j * m.column, m.column, count, inner);
    }
    return;
  }
  const size_t whole = columns / PANEL * PANEL;
  for (size_t first = 0; first < inner; first += AT_ONCE) {
    const size_t end = inner - first < AT_ONCE ? inner : first + AT_ONCE;
    for (size_t j = 0; j < whole; j += PANEL) {
      float *panel = to + j / PANEL * stride;
      for (size_t k = first; k < end; k++) {
        const float *from = b + k * m.row + j;
        __builtin_prefetch(from + 2 * PANEL);
        UNROLLED for (size_t v = 0; v < PANEL; v += LANES) {
          *(floats *)(panel + k * PANEL + v) = *(const floats *)(from + v);
        }
      }
    }
  }
  if (whole == columns) return;
  float *rest = to + whole / PANEL * stride;
  zero_columns(rest, inner, columns - whole);
  for (size_t k = 0; k < inner; k++) copy(rest + k * PANEL, b + k * m.row + whole, columns - whole);
}

// Floats from one inner number to the next where A's rows are packed.
enum { PACKED_HEIGHT = (HEIGHT + LANES - 1) / LANES * LANES };

// C's rows are divided evenly into tiles, the higher ones first.
typedef struct {
  size_t tiles, height, higher;
} division;

PART division divided(size_t rows) {
  const size_t tiles = (rows + HEIGHT - 1) / HEIGHT;
  return (division){tiles, rows / tiles, rows % tiles};
}

PART size_t first_row(division d, size_t tile) { return tile * d.height + (tile < d.higher ? tile : d.higher); }

// Some tiles' rows of an A: to[tile, k, i] = a[i, k], shape (tiles, inner, PACKED_HEIGHT). What is behind a tile's rows is
// of no use.
static __attribute__((noinline)) void pack_tiles(
    float *to, const ckernels_product *p, division d, size_t first, size_t end) {
  if (p->a.column == 1) {
    for (size_t tile = first; tile < end; tile++) {
      const size_t row = first_row(d, tile), next = first_row(d, tile + 1);
      const size_t rows = row + PACKED_HEIGHT <= p->rows ? PACKED_HEIGHT : next - row;
      transpose(
          to + (tile - first) * p->inner * PACKED_HEIGHT, PACKED_HEIGHT, p->a.start + row * p->a.row, p->a.row, rows,
          p->inner);
    }
    return;
  }
  for (size_t start = 0; start < p->inner; start += AT_ONCE) {
    const size_t count = p->inner - start < AT_ONCE ? p->inner - start : AT_ONCE;
    for (size_t tile = first; tile < end; tile++) {
      const size_t row = first_row(d, tile), height = first_row(d, tile + 1) - row;
      const float *from = p->a.start + start * p->a.column + row;
      float *packed = to + ((tile - first) * p->inner + start) * PACKED_HEIGHT;
      const bool is_wide = row + PACKED_HEIGHT <= p->rows;
      for (size_t k = 0; k < count; k++, from += p->a.column, packed += PACKED_HEIGHT) {
        if (is_wide) {
          __builtin_prefetch(from + 2 * PACKED_HEIGHT);
          UNROLLED for (size_t i = 0; i < PACKED_HEIGHT; i += LANES) *(floats *)(packed + i) = *(const floats *)(from + i);
        } else {
          for (size_t i = 0; i < height; i++) packed[i] = from[i];
        }
      }
    }
  }
}
