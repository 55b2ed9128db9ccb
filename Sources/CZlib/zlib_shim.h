// zlib, with its two initialisers as functions: they are macros, which Swift cannot import.
#pragma once
#include <zlib.h>

/// windowBits 47 reads gzip and zlib streams, -15 raw deflate (the contents of a zip archive).
static inline int zlib_inflate_init(z_stream *stream, int windowBits) {
  return inflateInit2(stream, windowBits);
}
