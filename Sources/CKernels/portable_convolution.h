// Convolutions and what follows them, on groups of LANES examples: a vector holds the same number of every example, so
// that nothing at the edge of a picture is a special case and no example's bits depend on another.
//
// Tiles of some channels and some neighbouring columns stay in registers while their chains run, as tiles of a product.
#pragma once

// Rows of a tile are channels; its columns are neighbouring positions, or, of the gradient of the weights, taps. TILE is
// what is made of each size.
#define EACH_CHANNEL(X) X(1) X(2) X(3) X(4) X(5) X(6)
#if LANES == 8
#define TILES(channels) TILE(channels, 1) TILE(channels, 2)
#else
#define TILES(channels) TILE(channels, 1) TILE(channels, 2) TILE(channels, 3) TILE(channels, 4)
#endif
#define ROW_OF_TILES(channels) {TILES(channels)},
enum {
  CHANNELS_OF_TILE = CKERNELS_CHANNELS_AT_ONCE,
  COLUMNS_OF_TILE = LANES == 8 ? 2 : 4,
};

#define EACH_OF_TILE                             \
  UNROLLED for (size_t i = 0; i < channels; i++) \
  UNROLLED for (size_t j = 0; j < columns; j++)

PART floats at(const float *from, size_t number) { return *(const floats *)(from + number * LANES); }
PART void put(float *to, size_t number, floats v) { *(floats *)(to + number * LANES) = v; }
PART floats all(float x) { return x - (floats){0}; }

typedef int32_t integers __attribute__((vector_size(4 * LANES), aligned(4)));
// Where a comparison was true (-1), or was not (0).
PART floats either(integers was, floats yes, floats no) {
  return (floats)(((integers)yes & was) | ((integers)no & ~was));
}

// MARK: Forward, and the gradient at the input

typedef struct {
  const float *x, *w, *bias;
  float *y;
  const ckernels_tap *first, *end;
  size_t x_column, y_channel, y_column, w_channel;
  bool rectifies;
} convolution_tile;

PART void convolve_tile(const convolution_tile *t, const size_t channels, const size_t columns) {
  floats c[CHANNELS_OF_TILE][COLUMNS_OF_TILE];
  EACH_OF_TILE c[i][j] = (floats){0};
  const size_t x_column = t->x_column, w_channel = t->w_channel;
  for (const ckernels_tap *tap = t->first; tap < t->end; tap++) {
    const float *w = t->w + tap->weight, *x = t->x + tap->x * LANES;
    floats v[COLUMNS_OF_TILE];
    UNROLLED for (size_t j = 0; j < columns; j++) v[j] = at(x, j * x_column);
    UNROLLED for (size_t i = 0; i < channels; i++) {
      const floats weight = all(w[i * w_channel]);
      UNROLLED for (size_t j = 0; j < columns; j++) c[i][j] = __builtin_elementwise_fma(weight, v[j], c[i][j]);
    }
  }
  if (t->bias) {
    EACH_OF_TILE c[i][j] += all(t->bias[i]);
  }
  if (t->rectifies) {
    // A NaN stays one.
    EACH_OF_TILE c[i][j] = either(c[i][j] < 0, (floats){0}, c[i][j]);
  }
  EACH_OF_TILE put(t->y, i * t->y_channel + j * t->y_column, c[i][j]);
}

#define TILE(channels, columns) \
  static void convolve_##channels##_##columns(const convolution_tile *t) { convolve_tile(t, channels, columns); }
EACH_CHANNEL(TILES)
#undef TILE
#define TILE(channels, columns) convolve_##channels##_##columns,
static void (*const convolve_tiles[CHANNELS_OF_TILE][COLUMNS_OF_TILE])(const convolution_tile *) = {
    EACH_CHANNEL(ROW_OF_TILES)};
#undef TILE

static void convolve(const ckernels_convolution *p) {
  const size_t tiles = (p->channels + CHANNELS_OF_TILE - 1) / CHANNELS_OF_TILE;
  const size_t parts = (p->columns + COLUMNS_OF_TILE - 1) / COLUMNS_OF_TILE;
  for (size_t tile = 0, channel = 0; tile < tiles; tile++) {
    const size_t channels = p->channels / tiles + (tile < p->channels % tiles);
    for (size_t row = 0; row < p->rows; row++) {
      convolution_tile t = {
          .w = p->w + channel * p->w_channel,
          .bias = p->bias ? p->bias + channel : NULL,
          .x_column = p->x_column,
          .y_channel = p->y_channel,
          .y_column = p->y_column,
          .w_channel = p->w_channel,
          .rectifies = p->rectifies,
      };
      for (size_t part = 0, column = 0; part < parts; part++) {
        const size_t columns = p->columns / parts + (part < p->columns % parts);
        const size_t *row_taps = p->row_taps + 2 * (part * p->rows + row);
        t.first = p->taps + row_taps[0];
        t.end = p->taps + row_taps[1];
        t.x = p->x + (row * p->x_row + column * p->x_column) * LANES;
        t.y = p->y + (channel * p->y_channel + row * p->y_row + column * p->y_column) * LANES;
        convolve_tiles[channels - 1][columns - 1](&t);
        column += columns;
      }
    }
    channel += channels;
  }
}

// MARK: The gradient of the weights

// Some channels and some taps of one row of the kernel: each a chain over the positions of every example.
PART void weight_tile(
    const ckernels_weight_gradient *p, const ckernels_tap *taps, size_t first_row, size_t end_row, const size_t channels,
    const size_t columns) {
  floats c[CHANNELS_OF_TILE][COLUMNS_OF_TILE];
  EACH_OF_TILE c[i][j] = (floats){0};
  const float *x[COLUMNS_OF_TILE];
  const size_t dy_channel = p->dy_channel;
  for (size_t row = first_row; row < end_row; row++) {
    const float *dy = p->dy + row * p->dy_row * LANES;
    UNROLLED for (size_t j = 0; j < columns; j++) x[j] = p->x + (taps[j].x + (ptrdiff_t)(row * p->x_row)) * LANES;
    for (size_t column = 0, number = 0; column < p->columns; column++, number += p->x_column) {
      floats v[COLUMNS_OF_TILE];
      UNROLLED for (size_t j = 0; j < columns; j++) v[j] = at(x[j], number);
      UNROLLED for (size_t i = 0; i < channels; i++) {
        const floats d = at(dy, column + i * dy_channel);
        UNROLLED for (size_t j = 0; j < columns; j++) c[i][j] = __builtin_elementwise_fma(d, v[j], c[i][j]);
      }
    }
  }
  EACH_OF_TILE put(p->dw, i * p->dw_channel + (size_t)taps[j].weight, c[i][j]);
}

#define TILE(channels, columns)                                                                \
  static void weights_##channels##_##columns(                                                  \
      const ckernels_weight_gradient *p, const ckernels_tap *taps, size_t first, size_t end) { \
    weight_tile(p, taps, first, end, channels, columns);                                       \
  }
EACH_CHANNEL(TILES)
#undef TILE
#define TILE(channels, columns) weights_##channels##_##columns,
static void (*const weight_tiles[CHANNELS_OF_TILE][COLUMNS_OF_TILE])(
    const ckernels_weight_gradient *, const ckernels_tap *, size_t, size_t) = {EACH_CHANNEL(ROW_OF_TILES)};
#undef TILE

// The gradient of the bias: from the first position to the last.
PART void sum_positions(const ckernels_weight_gradient *p, const size_t channels) {
  floats sums[CHANNELS_OF_TILE];
  UNROLLED for (size_t i = 0; i < channels; i++) sums[i] = (floats){0};
  for (size_t row = 0; row < p->rows; row++) {
    const float *dy = p->dy + row * p->dy_row * LANES;
    for (size_t column = 0; column < p->columns; column++) {
      UNROLLED for (size_t i = 0; i < channels; i++) sums[i] += at(dy, column + i * p->dy_channel);
    }
  }
  UNROLLED for (size_t i = 0; i < channels; i++) put(p->db, i, sums[i]);
}

#define SUMS(channels) \
  static void sums_##channels(const ckernels_weight_gradient *p) { sum_positions(p, channels); }
EACH_CHANNEL(SUMS)
#undef SUMS
#define SUMS(channels) sums_##channels,
static void (*const bias_sums[CHANNELS_OF_TILE])(const ckernels_weight_gradient *) = {EACH_CHANNEL(SUMS)};
#undef SUMS

static void convolution_weights(const ckernels_weight_gradient *p) {
  const ckernels_tap *taps = p->taps;
  for (size_t k = 0; k < p->kernel_rows; k++) {
    const size_t tiles = (p->taps_of_row + COLUMNS_OF_TILE - 1) / COLUMNS_OF_TILE;
    for (size_t tile = 0; tile < tiles; tile++) {
      const size_t count = p->taps_of_row / tiles + (tile < p->taps_of_row % tiles);
      weight_tiles[p->channels - 1][count - 1](p, taps, p->kernel_row_rows[2 * k], p->kernel_row_rows[2 * k + 1]);
      taps += count;
    }
  }
  if (p->db) bias_sums[p->channels - 1](p);
}

// Numbers of LANES examples at a time are turned into rows, which are added from the first example to the last.
static void add_examples(float *sums, const float *of_examples, size_t count, size_t first, size_t end) {
  enum { BLOCK = 64 };
  float rows[LANES * BLOCK];
  for (size_t start = 0; start < count; start += BLOCK, of_examples += BLOCK * LANES, sums += BLOCK) {
    const size_t length = count - start < BLOCK ? count - start : BLOCK;
    transpose(rows, BLOCK, of_examples, LANES, length, LANES);
    for (size_t example = first; example < end; example++) {
      const float *row = rows + example * BLOCK;
      for (size_t i = 0; i < length; i++) sums[i] += row[i];
    }
  }
}

// MARK: Examples that lie one after the other

static void gather_examples(const ckernels_picture *p, float *to, const float *rows, size_t row, size_t count) {
  for (size_t channel = 0; channel < p->channels; channel++) {
    for (size_t y = 0; y < p->height; y++, rows += p->width) {
      transpose(to + (channel * p->channel + y * p->row) * LANES, LANES, rows, row, count, p->width);
    }
  }
}

static void scatter_examples(const ckernels_picture *p, const float *from, float *rows, size_t row, size_t count) {
  for (size_t channel = 0; channel < p->channels; channel++) {
    for (size_t y = 0; y < p->height; y++, rows += p->width) {
      transpose(rows, row, from + (channel * p->channel + y * p->row) * LANES, LANES, p->width, count);
    }
  }
}

// MARK: Pooling

#define EACH_WINDOW(y)                                                         \
  for (size_t channel = 0; channel < (y).channels; channel++)                  \
  for (size_t row = 0; row < (y).height; row++)                                \
  for (size_t column = 0; column < (y).width; column++)
// The first number of a window, and of what it leaves.
#define WINDOW_OF(x) (channel * (x).channel + row * p->row_step * (x).row + column * p->column_step)
#define NUMBER_OF(y) (channel * (y).channel + row * (y).row + column)
#define EACH_OF_WINDOW                                                         \
  for (size_t i = 0; i < height; i++)                                          \
  for (size_t j = 0; j < width; j++)

PART void mean_pool_of(const ckernels_pooling *p, float *y, const float *x, size_t height, size_t width) {
  const floats scale = all(p->scale);
  EACH_WINDOW(p->y) {
    const size_t first = WINDOW_OF(p->x);
    floats sum = {0};
    EACH_OF_WINDOW sum += at(x, first + i * p->x.row + j);
    put(y, NUMBER_OF(p->y), sum * scale);
  }
}

PART void largest_pool_of(const ckernels_pooling *p, float *y, const float *x, size_t height, size_t width) {
  EACH_WINDOW(p->y) {
    const size_t first = WINDOW_OF(p->x);
    floats largest = at(x, first);
    EACH_OF_WINDOW {
      const floats v = at(x, first + i * p->x.row + j);
      // A NaN is not at most anything, and stays.
      largest = either((v <= largest) | (largest != largest), largest, v);
    }
    put(y, NUMBER_OF(p->y), largest);
  }
}

static void clear_picture(const ckernels_picture *p, float *x) {
  for (size_t channel = 0; channel < p->channels; channel++) {
    for (size_t row = 0; row < p->height; row++) {
      memset(x + (channel * p->channel + row * p->row) * LANES, 0, 4 * p->width * LANES);
    }
  }
}

// Whether every number is in one window.
PART bool fills_picture(const ckernels_pooling *p) {
  return p->row_step == p->height && p->column_step == p->width && p->y.height * p->height == p->x.height &&
         p->y.width * p->width == p->x.width;
}

PART void mean_pool_gradient_of(
    const ckernels_pooling_gradient *gradient, float *dx, const float *dy, size_t height, size_t width) {
  const ckernels_pooling *p = &gradient->pooling;
  const floats zero = {0}, scale = all(p->scale);
  const bool fills = fills_picture(p);
  if (!fills) clear_picture(&gradient->dx, dx);
  EACH_WINDOW(p->y) {
    const floats d = at(dy, NUMBER_OF(gradient->dy)) * scale;
    const size_t first = WINDOW_OF(gradient->dx);
    EACH_OF_WINDOW {
      const size_t number = first + i * gradient->dx.row + j;
      put(dx, number, (fills ? zero : at(dx, number)) + d);
    }
  }
}

PART void largest_pool_gradient_of(
    const ckernels_pooling_gradient *gradient, float *dx, const float *dy, const float *x, const float *y, size_t height,
    size_t width) {
  const ckernels_pooling *p = &gradient->pooling;
  const floats zero = {0};
  const bool fills = fills_picture(p);
  if (!fills) clear_picture(&gradient->dx, dx);
  EACH_WINDOW(p->y) {
    floats left = at(dy, NUMBER_OF(gradient->dy));
    const floats largest = at(y, NUMBER_OF(p->y));
    const size_t first = WINDOW_OF(p->x), first_of_dx = WINDOW_OF(gradient->dx);
    EACH_OF_WINDOW {
      const size_t number = first_of_dx + i * gradient->dx.row + j;
      const integers is_largest = at(x, first + i * p->x.row + j) == largest;
      put(dx, number, (fills ? zero : at(dx, number)) + either(is_largest, left, zero));
      left = either(is_largest, zero, left);
    }
  }
}

// The usual window has loops of known length.
#define BY_WINDOW(function, pooling, ...)                                      \
  if ((pooling)->height == 2 && (pooling)->width == 2) {                       \
    function(__VA_ARGS__, 2, 2);                                               \
  } else {                                                                     \
    function(__VA_ARGS__, (pooling)->height, (pooling)->width);                \
  }

static void mean_pool(const ckernels_pooling *p, float *y, const float *x) { BY_WINDOW(mean_pool_of, p, p, y, x) }

static void largest_pool(const ckernels_pooling *p, float *y, const float *x) { BY_WINDOW(largest_pool_of, p, p, y, x) }

static void mean_pool_gradient(const ckernels_pooling_gradient *p, float *dx, const float *dy) {
  BY_WINDOW(mean_pool_gradient_of, &p->pooling, p, dx, dy)
}

static void largest_pool_gradient(
    const ckernels_pooling_gradient *p, float *dx, const float *dy, const float *x, const float *y) {
  BY_WINDOW(largest_pool_gradient_of, &p->pooling, p, dx, dy, x, y)
}

// MARK: Activations of every number of a picture

static void activate(float *y, const float *x, ckernels_activation f, size_t count) {
  if (f == CKERNELS_RELU) EACH y[i] = x[i] < 0 ? 0 : x[i];
  if (f == CKERNELS_LOGISTIC) each_logistic(y, x, count);
  if (f == CKERNELS_TANH) each_hyperbolic_tangent(y, x, count);
}

// dy becomes dx.
static void multiply_by_derivative(float *dy, const float *y, ckernels_activation f, size_t count) {
  if (f == CKERNELS_RELU) EACH dy[i] = y[i] > 0 ? dy[i] : 0;
  if (f == CKERNELS_LOGISTIC) EACH dy[i] *= y[i] * (1 - y[i]);
  if (f == CKERNELS_TANH) EACH dy[i] *= 1 - y[i] * y[i];
}

#define OF_ROW(picture) ((channel * (picture)->channel + row * (picture)->row) * LANES)

static void activate_picture(
    const ckernels_picture *of_x, const float *x, const ckernels_picture *of_y, float *y, ckernels_activation f) {
  for (size_t channel = 0; channel < of_x->channels; channel++) {
    for (size_t row = 0; row < of_x->height; row++) {
      activate(y + OF_ROW(of_y), x + OF_ROW(of_x), f, of_x->width * LANES);
    }
  }
}

static void activation_gradient(
    const ckernels_picture *of_dy, float *dy, const ckernels_picture *of_y, const float *y, ckernels_activation f) {
  for (size_t channel = 0; channel < of_y->channels; channel++) {
    for (size_t row = 0; row < of_y->height; row++) {
      multiply_by_derivative(dy + OF_ROW(of_dy), y + OF_ROW(of_y), f, of_y->width * LANES);
    }
  }
}

static void copy_picture(const ckernels_picture *of_x, const float *x, const ckernels_picture *of_y, float *y) {
  for (size_t channel = 0; channel < of_x->channels; channel++) {
    for (size_t row = 0; row < of_x->height; row++) {
      memcpy(y + OF_ROW(of_y), x + OF_ROW(of_x), 4 * of_x->width * LANES);
    }
  }
}
