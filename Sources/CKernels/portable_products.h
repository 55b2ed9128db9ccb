// Matrix products: tiles of C stay in registers while their chains run.
//
// A vector holds neighbouring columns of C: for each inner number k two vectors of B's row k are loaded, and each of
// some rows' a[i, k] is spread over a vector and multiplied with both. B's columns are packed, or turned where they lie
// in rows, into panels of two vectors' width; or C's columns are computed as the rows of Cᵀ = Bᵀ·Aᵀ, where that
// turns fewer numbers.
#pragma once
#include "portable_packing.h"

enum {
  // Where a chain can go on from C, products take so many inner numbers at a time: a tile's part of A stays in cache.
  // Of an A that lies in columns it has a cache line for each.
  INNER_BLOCK = LANES == 16 ? 1024 : 256,
  INNER_BLOCK_OF_COLUMNS = 256,
};

// C's rows from `c` on, so many columns of one panel.
typedef struct {
  const float *a, *b;
  float *c;
  size_t a_row, a_column, b_row, c_row;
  size_t pieces;
  const size_t *bounds;
  // Shape (levels, HEIGHT, PANEL): partial sums of the tree of pieces.
  float *stack;
  bool continues;
  // What follows the chains, where it does (`ckernels_product`); of a C that is turned the bias is its rows'.
  const float *bias, *kept;
  bool rectifies, is_turned;
} tile;

typedef int integers __attribute__((vector_size(4 * LANES), aligned(4)));

PART floats zero_where(floats x, integers mask) { return (floats)((integers)x & ~mask); }

// c + bias, then max(0, ·) or nothing.
PART floats with_bias(floats c, floats bias, bool rectifies) {
  const floats zero = {0}, sum = c + bias;
  return rectifies ? zero_where(sum, sum < zero) : sum;
}

// Of A, that an address reaches from one pointer.
enum { ROWS_OF_POINTER = 3 };

#define EACH_VECTOR                            \
  UNROLLED for (size_t i = 0; i < height; i++) \
  UNROLLED for (size_t j = 0; j < vectors; j++)

// The last inner numbers that chains take row by row, where there are registers for it: a sum that is stored as soon as it
// is there costs some processors nothing, one that waits in its register a multiplication's time or two.
// For sums of more than `TAIL_LEVELS` levels it would be too much code.
enum { TAIL = LANES == 16 ? 2 : 0, TAIL_LEVELS = 3 };

// The last inner numbers of a tile's chains; the sums that they complete are added, so many levels; all is stored.
PART void end_chains(
    floats c[HEIGHT][2], float *to, size_t to_row, const float *sums, const size_t levels, const float *const *a,
    size_t a_row, size_t a_column, const float *b, size_t b_row, const size_t height, const size_t vectors,
    const bool packed) {
  const floats zero = {0};
  floats y[TAIL + 1][2];
  UNROLLED for (size_t k = 0; k < TAIL; k++) {
    UNROLLED for (size_t j = 0; j < vectors; j++) y[k][j] = *(const floats *)(b + k * b_row + j * LANES);
  }
  UNROLLED for (size_t i = 0; i < height; i++) {
    const float *x = packed ? a[0] + i : a[i / ROWS_OF_POINTER] + i % ROWS_OF_POINTER * a_row;
    UNROLLED for (size_t j = 0; j < vectors; j++) {
      UNROLLED for (size_t k = 0; k < TAIL; k++) {
        c[i][j] = __builtin_elementwise_fma(x[k * a_column] - zero, y[k][j], c[i][j]);
      }
      UNROLLED for (size_t level = levels; level-- > 0;) {
        c[i][j] = *(const floats *)(sums + (level * HEIGHT + i) * PANEL + j * LANES) + c[i][j];
      }
      *(floats *)(to + i * to_row + j * LANES) = c[i][j];
    }
    // Not all rows' numbers first, and then all stores.
    __asm__ volatile("" : : : "memory");
  }
}

#define END_CHAINS(levels)                                                                         \
  case levels:                                                                                     \
    end_chains(c, to, to_row, sum, levels, a, a_row, a_column, b, b_row, height, vectors, packed); \
    break;

// A tile of known height and one or two vectors. `packed`: whether A's rows lie side by side.
PART void compute(const tile *t, const size_t height, const size_t vectors, const bool packed) {
  const floats zero = {0};
  const size_t pointers = packed ? 1 : (height + ROWS_OF_POINTER - 1) / ROWS_OF_POINTER;
  const size_t a_row = packed ? 1 : t->a_row, a_column = t->a_column, b_row = t->b_row, c_row = t->c_row;
  const size_t pieces = t->pieces, *const bounds = t->bounds;
  float *const corner = t->c, *const stack = t->stack;
  floats c[HEIGHT][2];
  size_t stacked = 0;
  // The next panel's part of C: its tile would wait for it.
  EACH_VECTOR __builtin_prefetch(corner + i * c_row + j * LANES + PANEL, 1);
  for (size_t piece = 0; piece < pieces; piece++) {
    const bool is_last = piece + 1 == pieces, follows = is_last && (t->bias || t->kept);
    // As PairwiseSum.swift: the trailing ones of a piece's number are the sums that it completes.
    const size_t completes = is_last ? stacked : (size_t)__builtin_ctzll(~piece);
    const size_t length = bounds[piece + 1] - bounds[piece];
    const size_t tail = completes <= TAIL_LEVELS && length >= TAIL && !follows ? TAIL : 0;
    EACH_VECTOR c[i][j] = zero;
    if (t->continues) {
      EACH_VECTOR c[i][j] = *(const floats *)(corner + i * c_row + j * LANES);
    }
    const size_t start = bounds[piece] - bounds[0];
    const float *b = t->b + start * b_row, *a[HEIGHT];
    UNROLLED for (size_t p = 0; p < pointers; p++) a[p] = t->a + start * a_column + p * ROWS_OF_POINTER * a_row;
    for (size_t left = length - tail; left > 0; left--) {
      floats y[2];
      UNROLLED for (size_t j = 0; j < vectors; j++) y[j] = *(const floats *)(b + j * LANES);
      b += b_row;
      UNROLLED for (size_t i = 0; i < height; i++) {
        const floats x = (packed ? a[0][i] : a[i / ROWS_OF_POINTER][i % ROWS_OF_POINTER * a_row]) - zero;
        UNROLLED for (size_t j = 0; j < vectors; j++) c[i][j] = __builtin_elementwise_fma(x, y[j], c[i][j]);
      }
      UNROLLED for (size_t p = 0; p < pointers; p++) {
        a[p] += a_column;
        // Pointers of their own: else each address would be found from the one before it.
        __asm__("" : "+r"(a[p]));
      }
    }
    stacked -= completes;
    float *const sum = stack + stacked * HEIGHT * PANEL, *const to = is_last ? corner : sum;
    const size_t to_row = is_last ? c_row : PANEL;
    if (tail > 0) {
      switch (completes) {
        END_CHAINS(0)
        END_CHAINS(1)
        END_CHAINS(2)
        END_CHAINS(3)
      }
    } else {
      for (size_t level = completes; level-- > 0;) {
        EACH_VECTOR c[i][j] = *(const floats *)(sum + (level * HEIGHT + i) * PANEL + j * LANES) + c[i][j];
      }
      if (follows) break;
      EACH_VECTOR *(floats *)(to + i * to_row + j * LANES) = c[i][j];
    }
    stacked++;
  }
  if (!t->bias && !t->kept) return;
  if (t->bias && t->is_turned) {
    EACH_VECTOR c[i][j] = with_bias(c[i][j], t->bias[i] - zero, t->rectifies);
  } else if (t->bias) {
    EACH_VECTOR c[i][j] = with_bias(c[i][j], *(const floats *)(t->bias + j * LANES), t->rectifies);
  } else {
    EACH_VECTOR c[i][j] = zero_where(c[i][j], ~(*(const floats *)(t->kept + i * c_row + j * LANES) > zero));
  }
  EACH_VECTOR *(floats *)(corner + i * c_row + j * LANES) = c[i][j];
}

#define TILE(height)                                                                      \
  static void compute_one_##height(const tile *t) { compute(t, height, 1, false); }        \
  static void compute_two_##height(const tile *t) { compute(t, height, 2, false); }        \
  static void compute_packed_one_##height(const tile *t) { compute(t, height, 1, true); }  \
  static void compute_packed_two_##height(const tile *t) { compute(t, height, 2, true); }
EACH_HEIGHT(TILE)
#undef TILE
#undef END_CHAINS
#define TILE(height) \
  {{compute_one_##height, compute_two_##height}, {compute_packed_one_##height, compute_packed_two_##height}},
static void (*const compute_tile[HEIGHT][2][2])(const tile *) = {EACH_HEIGHT(TILE)};
#undef TILE

// What follows the chains of some columns of a row of C, which are no whole vectors.
PART void finish(float *c, const ckernels_product *p, size_t row, size_t first, size_t columns) {
  for (size_t j = 0; j < columns; j++) {
    if (p->bias) {
      const float sum = c[j] + p->bias[first + j];
      c[j] = p->rectifies && sum < 0 ? 0 : sum;
    } else if (p->kept && !(p->kept[row * p->columns + first + j] > 0)) {
      c[j] = 0;
    }
  }
}

// Rows so far apart fall into few sets of a cache, and rows that lie a multiple of it apart into one: they are packed where
// they are read more than once.
enum { FAR = 1024 };

// Whether packing A costs less than it gains: of columns a line is read for one inner number, of rows for a vector of them.
PART bool packs(const ckernels_product *p) {
  if (p->inner < 64) return false;
  if (p->a.row == 1) return p->a.column >= FAR && p->columns >= 8 * PANEL;
  return p->a.row % FAR == 0 && p->columns >= 2 * PANEL;
}

// - turned: whether C's rows lie `c_row` floats apart in columns: c[i, j] is C[j * c_row + i].
PART void multiply_turned(const ckernels_product *p, float *workspace, bool turned) {
  const division d = divided(p->rows);
  const bool packs_b = p->b.column != 1 || (p->b.row >= FAR && d.tiles > 4);
  const bool packs_a = packs(p);
  const size_t block = p->a.row == 1 && !packs_a ? INNER_BLOCK_OF_COLUMNS : INNER_BLOCK;
  const size_t inner = p->pieces == 1 && !turned && p->inner > block ? block : p->inner;
  const size_t panels = inner * PANEL > 0 && PACKED / (inner * PANEL) > 0 ? PACKED / (inner * PANEL) : 1;
  // As few parts of A as have room, of about as many tiles each: B is packed again for every one of them.
  const size_t most = packs_a ? PACKED_A / (p->inner * PACKED_HEIGHT) + 1 : d.tiles, parts = (d.tiles + most - 1) / most;
  const size_t tiles_at_once = (d.tiles + parts - 1) / parts;
  // Shapes (levels, HEIGHT, PANEL), (MAXIMUM_HEIGHT, PANEL), (panels, inner, PANEL) and (tiles, inner, PACKED_HEIGHT)
  float *stack = workspace, *result = stack + LEVELS * HEIGHT * PANEL;
  float *packed_b = result + MAXIMUM_HEIGHT * PANEL, *packed_a = packed_b + PACKED_FLOATS(inner);
  tile t = {.pieces = p->pieces, .stack = stack, .rectifies = p->rectifies, .is_turned = turned};
  for (size_t first_tile = 0; first_tile < d.tiles; first_tile += tiles_at_once) {
    const size_t end_tile = d.tiles - first_tile < tiles_at_once ? d.tiles : first_tile + tiles_at_once;
    if (packs_a) pack_tiles(packed_a, p, d, first_tile, end_tile);
    for (size_t first = 0; first < p->columns; first += panels * PANEL) {
      const size_t end = p->columns - first < panels * PANEL ? p->columns : first + panels * PANEL;
      size_t k = 0;
      do {
        const size_t part[2] = {0, p->inner - k < inner ? p->inner - k : inner};
        const float *b = p->b.start + k * p->b.row;
        t.bounds = p->pieces == 1 ? part : p->bounds;
        t.continues = p->continues || k > 0;
        // Or what has no whole vectors alone.
        const size_t from = packs_b ? first : end - (end - first) % PANEL;
        if (packs_b || end % LANES) {
          pack(packed_b + (from - first) * inner, inner * PANEL, b + from * p->b.column, p->b, part[1], end - from);
        }
        for (size_t number = first_tile; number < end_tile; number++) {
          const size_t i = first_row(d, number), height = d.height + (number < d.higher);
          t.a = p->a.start + i * p->a.row + k * p->a.column, t.a_row = p->a.row, t.a_column = p->a.column;
          if (packs_a) {
            t.a = packed_a + ((number - first_tile) * p->inner + k) * PACKED_HEIGHT;
            t.a_row = 1, t.a_column = PACKED_HEIGHT;
          }
          for (size_t j = first; j < end; j += PANEL) {
            const size_t columns = end - j < PANEL ? end - j : PANEL;
            const bool packed = packs_b || columns % LANES;
            t.b = packed ? packed_b + (j - first) * inner : b + j, t.b_row = packed ? PANEL : p->b.row;
            float *c = p->c + i * p->columns + j;
            // Whole vectors alone lie where they belong.
            const bool is_apart = turned || columns % LANES;
            t.c = is_apart ? result : c, t.c_row = is_apart ? PANEL : p->columns;
            const bool is_last = k + inner >= p->inner, follows = is_last && (turned || !is_apart);
            t.bias = follows && p->bias ? p->bias + (turned ? i : j) : NULL;
            t.kept = follows && p->kept ? p->kept + i * p->columns + j : NULL;
            if (is_apart && t.continues) {
              for (size_t row = 0; row < height; row++) copy(result + row * PANEL, c + row * p->columns, columns);
            }
            compute_tile[height - 1][t.a_row == 1][columns > LANES](&t);
            if (turned) {
              // What is behind a tile, the next one overwrites.
              const size_t rows = i + PACKED_HEIGHT <= p->rows ? PACKED_HEIGHT : height;
              transpose(p->c + j * p->rows + i, p->rows, result, PANEL, rows, columns);
            } else if (is_apart) {
              for (size_t row = 0; row < height; row++) {
                if (is_last) finish(result + row * PANEL, p, i + row, j, columns);
                copy(c + row * p->columns, result + row * PANEL, columns);
              }
            }
          }
        }
        k += inner;
      } while (k < p->inner);
    }
  }
}

// About how long a product takes whose B is turned: its vectors' operations for an inner number, and turning B.
PART size_t cost(size_t rows, size_t columns) {
  const size_t vectors = (columns + LANES - 1) / LANES;
  return rows * vectors * (vectors == 1 ? 5 : 4) + 2 * columns;
}

static void multiply(const ckernels_product *p, float *workspace) {
  if (p->rows == 0 || p->columns == 0) return;
  const bool can_turn = p->b.column != 1 && p->a.column == 1 && p->pieces == 1 && !p->continues && !p->kept;
  const size_t turning_c = 2 * p->rows * p->columns / (p->inner + 1);
  if (can_turn && cost(p->columns, p->rows) * 65 / 64 + turning_c < cost(p->rows, p->columns)) {
    const ckernels_product turned = {
        .rows = p->columns,
        .columns = p->rows,
        .inner = p->inner,
        .a = {p->b.start, p->b.column, p->b.row},
        .b = {p->a.start, p->a.column, p->a.row},
        .c = p->c,
        .pieces = 1,
        .bias = p->bias,
        .rectifies = p->rectifies,
    };
    return multiply_turned(&turned, workspace, true);
  }
  multiply_turned(p, workspace, false);
}
