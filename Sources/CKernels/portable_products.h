// Matrix products: tiles of C stay in registers while their chains run.
//
// A vector holds neighbouring columns of C: for each inner number k two vectors of B's row k are loaded, and each of
// some rows' a[i, k] is spread over a vector and multiplied with both. B's columns are packed, or turned where they lie
// in rows, into panels of two vectors' width; or C's columns are computed as the rows of Cᵀ = Bᵀ·Aᵀ, where that
// turns fewer numbers.
#pragma once

enum {
  PANEL = 2 * LANES,
  // Where a chain can go on from C, products take so many inner numbers at a time: a tile's part of A stays in cache.
  // Of an A that lies in columns it has a cache line for each.
  INNER_BLOCK = LANES == 16 ? 512 : 256,
  INNER_BLOCK_OF_COLUMNS = 256,
};

// C's rows from `c` on, so many columns of one panel.
typedef struct {
  const float *a, *b;
  float *c;
  size_t a_row, a_column, b_row, c_row, columns;
  size_t pieces;
  const size_t *bounds;
  // Shape (levels, HEIGHT, PANEL): partial sums of the tree of pieces.
  float *stack;
  bool continues;
} tile;

PART floats load_part(const float *from, size_t count) {
  float lanes[LANES] = {0};
  for (size_t i = 0; i < count; i++) lanes[i] = from[i];
  return *(const floats *)lanes;
}

// By halves of a vector, quarters, …: copies of a known size.
PART void store_part(float *to, floats v, size_t count) {
  if (count == LANES) {
    *(floats *)to = v;
    return;
  }
  float lanes[LANES];
  *(floats *)lanes = v;
  size_t done = 0;
  UNROLLED for (size_t size = LANES / 2; size > 0; size /= 2) {
    if (count & size) memcpy(to + done, lanes + done, 4 * size), done += size;
  }
}

#define EACH_VECTOR                            \
  UNROLLED for (size_t i = 0; i < height; i++) \
  UNROLLED for (size_t j = 0; j < vectors; j++)

// A tile of known height and one or two vectors.
PART void compute(const tile *t, const size_t height, const size_t vectors) {
  const floats zero = {0};
  const size_t last = (vectors - 1) * LANES;
  floats c[HEIGHT][2];
  size_t stacked = 0;
  for (size_t piece = 0; piece < t->pieces; piece++) {
    EACH_VECTOR c[i][j] = zero;
    if (t->continues) {
      UNROLLED for (size_t i = 0; i < height; i++) {
        const float *row = t->c + i * t->c_row;
        if (vectors == 2) c[i][0] = *(const floats *)row;
        c[i][vectors - 1] = t->columns == last + LANES ? *(const floats *)(row + last)
                                                       : load_part(row + last, t->columns - last);
        // The next panel's: this is where a tile would wait.
        UNROLLED for (size_t j = 0; j < vectors; j++) __builtin_prefetch(row + PANEL + j * LANES, 1);
      }
    }
    const size_t start = t->bounds[piece] - t->bounds[0], end = t->bounds[piece + 1] - t->bounds[0];
    const size_t a_row = t->a_row, a_column = t->a_column, b_row = t->b_row;
    const float *a = t->a + start * a_column, *b = t->b + start * b_row;
    for (size_t k = start; k < end; k++, a += a_column, b += b_row) {
      floats y[2];
      UNROLLED for (size_t j = 0; j < vectors; j++) y[j] = *(const floats *)(b + j * LANES);
      UNROLLED for (size_t i = 0; i < height; i++) {
        const floats x = a[i * a_row] - zero;
        UNROLLED for (size_t j = 0; j < vectors; j++) c[i][j] = __builtin_elementwise_fma(x, y[j], c[i][j]);
      }
    }
    // As PairwiseSum.swift: the trailing ones of a piece's number are the sums that it completes.
    const bool is_last = piece + 1 == t->pieces;
    for (size_t rest = piece; stacked > 0 && (is_last || rest & 1); rest >>= 1) {
      const float *sum = t->stack + --stacked * HEIGHT * PANEL;
      EACH_VECTOR c[i][j] = *(const floats *)(sum + i * PANEL + j * LANES) + c[i][j];
    }
    if (is_last) break;
    float *sum = t->stack + stacked++ * HEIGHT * PANEL;
    EACH_VECTOR *(floats *)(sum + i * PANEL + j * LANES) = c[i][j];
  }
  UNROLLED for (size_t i = 0; i < height; i++) {
    float *row = t->c + i * t->c_row;
    if (vectors == 2) *(floats *)row = c[i][0];
    store_part(row + last, c[i][vectors - 1], t->columns - last);
  }
}

#define TILE(height)                                                       \
  static void compute_one_##height(const tile *t) { compute(t, height, 1); } \
  static void compute_two_##height(const tile *t) { compute(t, height, 2); }
EACH_HEIGHT(TILE)
#undef TILE
#define TILE(height) {compute_one_##height, compute_two_##height},
static void (*const compute_tile[HEIGHT][2])(const tile *) = {EACH_HEIGHT(TILE)};
#undef TILE

// A panel's part of B, so many inner numbers: to[k, j] = b[k, j], shape (inner, PANEL); whole vectors, the rest is 0.
PART void pack(float *to, const float *b, ckernels_matrix m, size_t inner, size_t columns) {
  const size_t padded = columns > LANES ? PANEL : LANES;
  for (size_t k = 0; columns < padded && k < inner; k++) {
    for (size_t j = columns; j < padded; j++) to[k * PANEL + j] = 0;
  }
  if (m.column != 1) {
    transpose(to, PANEL, b, m.column, columns, inner);
  } else if (columns == PANEL) {
    for (size_t k = 0; k < inner; k++) {
      UNROLLED for (size_t j = 0; j < PANEL; j += LANES) {
        *(floats *)(to + k * PANEL + j) = *(const floats *)(b + k * m.row + j);
      }
    }
  } else {
    for (size_t k = 0; k < inner; k++) {
      for (size_t j = 0; j < columns; j++) to[k * PANEL + j] = b[k * m.row + j];
    }
  }
}

// Columns of A that lie in rows, so many inner numbers: to[k, i] = a[i, k], shape (inner, MAXIMUM_HEIGHT).
PART void pack_rows(float *to, const float *a, size_t a_column, size_t inner, size_t height, bool reads_beyond) {
  enum { VECTORS = (HEIGHT + LANES - 1) / LANES };
  for (size_t k = 0; k < inner; k++, to += MAXIMUM_HEIGHT, a += a_column) {
    if (reads_beyond) {
      UNROLLED for (size_t v = 0; v < VECTORS; v++) *(floats *)(to + v * LANES) = *(const floats *)(a + v * LANES);
    } else {
      for (size_t i = 0; i < height; i++) to[i] = a[i];
    }
  }
}

// Rows so far apart fall into few sets of a cache: they are packed where they are read more than once. A tile of 12
// rows or more uses what it fetches of A.
enum { FAR = 1024 };

// - turned: whether C's rows lie `c_row` floats apart in columns: c[i, j] is C[j * c_row + i].
PART void multiply_turned(const ckernels_product *p, float *workspace, bool turned) {
  const size_t block = p->a.row == 1 ? INNER_BLOCK_OF_COLUMNS : INNER_BLOCK;
  const size_t inner = p->pieces == 1 && !turned && p->inner > block ? block : p->inner;
  const size_t panels = inner * PANEL > 0 && PACKED / (inner * PANEL) > 0 ? PACKED / (inner * PANEL) : 1;
  const size_t tiles = (p->rows + HEIGHT - 1) / HEIGHT;
  // Shapes (levels, HEIGHT, PANEL), (HEIGHT, PANEL), (inner, MAXIMUM_HEIGHT) and (panels, inner, PANEL)
  float *stack = workspace, *result = stack + LEVELS * HEIGHT * PANEL;
  float *packed_a = result + HEIGHT * PANEL, *packed_b = packed_a + inner * MAXIMUM_HEIGHT;
  const bool packs_b = p->b.column != 1 || (p->b.row >= FAR && tiles > 4);
  const bool packs_a =
      HEIGHT < 12 && p->a.row == 1 && p->a.column >= FAR && p->columns >= 8 * PANEL && inner >= 64;
  tile t = {.pieces = p->pieces, .stack = stack};
  for (size_t first = 0; first < p->columns; first += panels * PANEL) {
    const size_t end = p->columns - first < panels * PANEL ? p->columns : first + panels * PANEL;
    size_t k = 0;
    do {
      const size_t part[2] = {0, p->inner - k < inner ? p->inner - k : inner};
      const float *b = p->b.start + k * p->b.row;
      t.bounds = p->pieces == 1 ? part : p->bounds;
      t.continues = p->continues || k > 0;
      for (size_t j = first; j < end; j += PANEL) {
        const size_t columns = end - j < PANEL ? end - j : PANEL;
        if (packs_b || columns % LANES) {
          pack(packed_b + (j - first) * inner, b + j * p->b.column, p->b, part[1], columns);
        }
      }
      for (size_t number = 0, i = 0; number < tiles; number++) {
        const size_t height = p->rows / tiles + (number < p->rows % tiles);
        t.a = p->a.start + i * p->a.row + k * p->a.column, t.a_row = p->a.row, t.a_column = p->a.column;
        if (packs_a) {
          pack_rows(packed_a, t.a, p->a.column, part[1], height, i + MAXIMUM_HEIGHT <= p->rows);
          t.a = packed_a, t.a_row = 1, t.a_column = MAXIMUM_HEIGHT;
        }
        for (size_t j = first; j < end; j += PANEL) {
          const size_t columns = end - j < PANEL ? end - j : PANEL;
          const bool packed = packs_b || columns % LANES;
          t.b = packed ? packed_b + (j - first) * inner : b + j, t.b_row = packed ? PANEL : p->b.row;
          if (turned) {
            t.c = result, t.c_row = PANEL, t.columns = columns > LANES ? PANEL : LANES;
          } else {
            t.c = p->c + i * p->columns + j, t.c_row = p->columns, t.columns = columns;
          }
          compute_tile[height - 1][columns > LANES](&t);
          if (turned) transpose(p->c + j * p->rows + i, p->rows, result, PANEL, height, columns);
        }
        i += height;
      }
      k += inner;
    } while (k < p->inner);
  }
}

// About how long a product takes whose B is turned: its vectors' operations for an inner number, and turning B.
PART size_t cost(size_t rows, size_t columns) {
  const size_t vectors = (columns + LANES - 1) / LANES;
  return rows * vectors * (vectors == 1 ? 5 : 4) + 2 * columns;
}

static void multiply(const ckernels_product *p, float *workspace) {
  if (p->rows == 0 || p->columns == 0) return;
  const bool can_turn = p->b.column != 1 && p->a.column == 1 && p->pieces == 1 && !p->continues;
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
    };
    return multiply_turned(&turned, workspace, true);
  }
  multiply_turned(p, workspace, false);
}
