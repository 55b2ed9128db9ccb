// PNG and JPEG from memory. The libraries report errors by longjmp, which must not pass through Swift: here they end
// in C, as a message.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct {
  size_t width, height;
  // 1: grey, 3: red, green, blue.
  int channels;
} cimages_shape;

enum { CIMAGES_MESSAGE = 200 };

// 0, and what the image is; else -1 and what is wrong with it, of CIMAGES_MESSAGE bytes at most.
int cimages_png_shape(const uint8_t *bytes, size_t count, cimages_shape *shape, char *message);
int cimages_jpeg_shape(const uint8_t *bytes, size_t count, cimages_shape *shape, char *message);

// Writes (height, width, channels) of the image's own shape, which must be `shape`; 0, or -1 as above.
// 16 bits become 8, palettes become colours, what is transparent is laid over white.
int cimages_png_pixels(const uint8_t *bytes, size_t count, const cimages_shape *shape, uint8_t *pixels, char *message);
// CMYK becomes red, green, blue. An EXIF orientation is not looked at.
int cimages_jpeg_pixels(const uint8_t *bytes, size_t count, const cimages_shape *shape, uint8_t *pixels, char *message);
