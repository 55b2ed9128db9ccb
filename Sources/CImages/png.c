// PNG by libpng.
#include "cimages.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *bytes;
  size_t count, position;
  char *message;
  jmp_buf jump;
  png_structp png;
  png_infop info;
  // Of the whole image where it has an alpha channel, and of its rows.
  uint8_t *blended;
  png_bytep *rows;
} reader;

static void on_error(png_structp png, png_const_charp text) {
  reader *r = png_get_error_ptr(png);
  snprintf(r->message, CIMAGES_MESSAGE, "%s", text);
  longjmp(r->jump, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void read_bytes(png_structp png, png_bytep target, size_t wanted) {
  reader *r = png_get_io_ptr(png);
  if (wanted > r->count - r->position) png_error(png, "it ends too early");
  memcpy(target, r->bytes + r->position, wanted);
  r->position += wanted;
}

static void clean_up(reader *r) {
  free(r->blended);
  free(r->rows);
  png_destroy_read_struct(&r->png, &r->info, NULL);
}

// Reads up to the pixels, and says how they are to be given.
static void read_header(reader *r, cimages_shape *shape) {
  png_set_read_fn(r->png, r, read_bytes);
  png_read_info(r->png, r->info);
  const int type = png_get_color_type(r->png, r->info);
  shape->width = png_get_image_width(r->png, r->info);
  shape->height = png_get_image_height(r->png, r->info);
  shape->channels = type == PNG_COLOR_TYPE_GRAY || type == PNG_COLOR_TYPE_GRAY_ALPHA ? 1 : 3;
}

static int begin(reader *r, const uint8_t *bytes, size_t count, char *message) {
  memset(r, 0, sizeof *r);
  r->bytes = bytes;
  r->count = count;
  r->message = message;
  r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
  r->info = r->png ? png_create_info_struct(r->png) : NULL;
  if (r->info) return 0;
  snprintf(message, CIMAGES_MESSAGE, "libpng cannot start");
  clean_up(r);
  return -1;
}

int cimages_png_shape(const uint8_t *bytes, size_t count, cimages_shape *shape, char *message) {
  reader r;
  if (begin(&r, bytes, count, message)) return -1;
  if (setjmp(r.jump)) {
    clean_up(&r);
    return -1;
  }
  read_header(&r, shape);
  clean_up(&r);
  return 0;
}

int cimages_png_pixels(const uint8_t *bytes, size_t count, const cimages_shape *shape, uint8_t *pixels, char *message) {
  reader r;
  if (begin(&r, bytes, count, message)) return -1;
  if (setjmp(r.jump)) {
    clean_up(&r);
    return -1;
  }
  cimages_shape own;
  read_header(&r, &own);
  if (own.width != shape->width || own.height != shape->height || own.channels != shape->channels)
    png_error(r.png, "it has changed");
  png_set_scale_16(r.png);
  png_set_palette_to_rgb(r.png);
  png_set_expand_gray_1_2_4_to_8(r.png);
  if (png_get_valid(r.png, r.info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(r.png);
  png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);

  const int channels = png_get_channels(r.png, r.info);
  const int has_alpha = channels == shape->channels + 1;
  const size_t row_bytes = shape->width * (size_t)channels;
  if ((!has_alpha && channels != shape->channels) || png_get_rowbytes(r.png, r.info) != row_bytes)
    png_error(r.png, "its colours are of an unknown kind");
  if (has_alpha) r.blended = malloc(shape->height * row_bytes);
  r.rows = malloc(shape->height * sizeof *r.rows);
  if (!r.rows || (has_alpha && !r.blended)) png_error(r.png, "there is no memory for it");
  for (size_t row = 0; row < shape->height; row++)
    r.rows[row] = (has_alpha ? r.blended : pixels) + row * row_bytes;
  png_read_image(r.png, r.rows);
  png_read_end(r.png, NULL);

  if (has_alpha)
    for (size_t i = 0; i < shape->width * shape->height; i++) {
      const uint8_t *from = r.blended + i * (size_t)channels;
      const unsigned alpha = from[shape->channels];
      for (int c = 0; c < shape->channels; c++)
        pixels[i * (size_t)shape->channels + (size_t)c] =
            (uint8_t)((from[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  clean_up(&r);
  return 0;
}
