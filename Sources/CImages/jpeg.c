// JPEG by libjpeg-turbo. Its arithmetic is that of integers, the same with every width of vectors.
#include "cimages.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

typedef struct {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  char *message;
  jmp_buf jump;
  // A row of CMYK.
  uint8_t *row;
} reader;

static void on_error(j_common_ptr common) {
  reader *r = common->client_data;
  char text[JMSG_LENGTH_MAX];
  common->err->format_message(common, text);
  snprintf(r->message, CIMAGES_MESSAGE, "%s", text);
  longjmp(r->jump, 1);
}

// What the library would go on after, with pixels of its own invention, is an error here.
static void on_message(j_common_ptr common, int level) {
  if (level >= 0) return;
  switch (common->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
      return;
    default:
      on_error(common);
  }
}

// A small file can ask for any number of passes over a large image.
static void on_progress(j_common_ptr common) {
  reader *r = common->client_data;
  if (common->is_decompressor && ((j_decompress_ptr)common)->input_scan_number > 200) {
    snprintf(r->message, CIMAGES_MESSAGE, "it has more than 200 scans");
    longjmp(r->jump, 1);
  }
}

static void clean_up(reader *r) {
  free(r->row);
  jpeg_destroy_decompress(&r->jpeg);
}

static void begin(reader *r, char *message) {
  memset(r, 0, sizeof *r);
  r->message = message;
  r->jpeg.err = jpeg_std_error(&r->errors);
  r->errors.error_exit = on_error;
  r->errors.emit_message = on_message;
  r->progress.progress_monitor = on_progress;
  r->jpeg.client_data = r;
}

static void read_header(reader *r, const uint8_t *bytes, size_t count, cimages_shape *shape) {
  jpeg_create_decompress(&r->jpeg);
  r->jpeg.client_data = r;
  r->jpeg.progress = &r->progress;
  jpeg_mem_src(&r->jpeg, (unsigned char *)bytes, (unsigned long)count);
  jpeg_read_header(&r->jpeg, TRUE);
  shape->width = r->jpeg.image_width;
  shape->height = r->jpeg.image_height;
  shape->channels = r->jpeg.num_components == 1 ? 1 : 3;
}

int cimages_jpeg_shape(const uint8_t *bytes, size_t count, cimages_shape *shape, char *message) {
  reader r;
  begin(&r, message);
  if (setjmp(r.jump)) {
    clean_up(&r);
    return -1;
  }
  read_header(&r, bytes, count, shape);
  clean_up(&r);
  return 0;
}

// Product of two fractions of 255, to the nearest.
static uint8_t product(unsigned a, unsigned b) { return (uint8_t)((a * b + 127) / 255); }

int cimages_jpeg_pixels(const uint8_t *bytes, size_t count, const cimages_shape *shape, uint8_t *pixels, char *message) {
  reader r;
  begin(&r, message);
  if (setjmp(r.jump)) {
    clean_up(&r);
    return -1;
  }
  cimages_shape own;
  read_header(&r, bytes, count, &own);
  if (own.width != shape->width || own.height != shape->height || own.channels != shape->channels) {
    snprintf(message, CIMAGES_MESSAGE, "it has changed");
    longjmp(r.jump, 1);
  }
  const int is_cmyk = r.jpeg.num_components == 4;
  r.jpeg.out_color_space = shape->channels == 1 ? JCS_GRAYSCALE : is_cmyk ? JCS_CMYK : JCS_RGB;
  r.jpeg.dct_method = JDCT_ISLOW;
  r.jpeg.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&r.jpeg);
  if (r.jpeg.output_components != (is_cmyk ? 4 : shape->channels) || r.jpeg.output_width != shape->width) {
    snprintf(message, CIMAGES_MESSAGE, "its colours are of an unknown kind");
    longjmp(r.jump, 1);
  }
  if (is_cmyk && !(r.row = malloc(4 * shape->width))) {
    snprintf(message, CIMAGES_MESSAGE, "there is no memory for it");
    longjmp(r.jump, 1);
  }
  const size_t row_bytes = shape->width * (size_t)shape->channels;
  while (r.jpeg.output_scanline < r.jpeg.output_height) {
    uint8_t *target = pixels + r.jpeg.output_scanline * row_bytes;
    JSAMPROW row = is_cmyk ? r.row : target;
    jpeg_read_scanlines(&r.jpeg, &row, 1);
    if (!is_cmyk) continue;
    // Adobe's programs write the inverse.
    const unsigned flip = r.jpeg.saw_Adobe_marker ? 0 : 255;
    for (size_t x = 0; x < shape->width; x++) {
      const unsigned black = r.row[4 * x + 3] ^ flip;
      for (size_t c = 0; c < 3; c++) target[3 * x + c] = product(r.row[4 * x + c] ^ flip, black);
    }
  }
  jpeg_finish_decompress(&r.jpeg);
  clean_up(&r);
  return 0;
}
