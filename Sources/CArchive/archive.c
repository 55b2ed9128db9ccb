// The functions of libarchive 3 that are used, by their names. Its types are opaque, and its binary interface is one.
#include "carchive.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

enum { ARCHIVE_EOF = 1, ARCHIVE_OK = 0, ARCHIVE_WARN = -20 };

static void *(*read_new)(void);
static int (*read_free)(void *);
static int (*open_memory)(void *, const void *, size_t);
static int (*next_header)(void *, void **);
static ptrdiff_t (*read_data)(void *, void *, size_t);
static const char *(*error_string)(void *);
static int64_t (*entry_size_of)(void *);
static int (*zip)(void *);

// One by one: "all" would also start other programs where a library is missing.
static const char *const filter_names[] = {
    "archive_read_support_filter_bzip2", "archive_read_support_filter_xz",   "archive_read_support_filter_lzma",
    "archive_read_support_filter_zstd",  "archive_read_support_filter_lz4",  "archive_read_support_filter_lzip",
    "archive_read_support_filter_compress", "archive_read_support_format_raw", "archive_read_support_format_empty",
};
enum { FILTERS = sizeof filter_names / sizeof *filter_names };
static int (*filters[FILTERS])(void *);

static int is_there;

static void load(void) {
  static const char *const names[] = {
      "libarchive.so.13", "libarchive.so", "libarchive.13.dylib", "libarchive.dylib",
  };
  void *library = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++)
    library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  int found = 1;
#define FIND(function, name) found &= (*(void **)&(function) = dlsym(library, name)) != NULL
  FIND(read_new, "archive_read_new");
  FIND(read_free, "archive_read_free");
  FIND(open_memory, "archive_read_open_memory");
  FIND(next_header, "archive_read_next_header");
  FIND(read_data, "archive_read_data");
  FIND(error_string, "archive_error_string");
  FIND(entry_size_of, "archive_entry_size");
  FIND(zip, "archive_read_support_format_zip_seekable");
  for (int i = 0; i < FILTERS; i++) FIND(filters[i], filter_names[i]);
  is_there = found;
}

int carchive_is_there(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return is_there;
}

struct carchive {
  void *archive;
  int is_at_end, is_broken;
};

carchive *carchive_open(const void *bytes, size_t count, int64_t entry_size) {
  carchive *stream = carchive_is_there() ? calloc(1, sizeof *stream) : NULL;
  if (!stream) return NULL;
  if (!(stream->archive = read_new())) {
    free(stream);
    return NULL;
  }
  if (entry_size == CARCHIVE_IS_ONE_FILE)
    for (int i = 0; i < FILTERS; i++) filters[i](stream->archive);
  else
    zip(stream->archive);
  stream->is_broken = open_memory(stream->archive, bytes, count) != ARCHIVE_OK;
  while (!stream->is_broken && !stream->is_at_end) {
    void *entry = NULL;
    const int code = next_header(stream->archive, &entry);
    stream->is_at_end = code == ARCHIVE_EOF;
    stream->is_broken = code < ARCHIVE_WARN;
    if (entry_size == CARCHIVE_IS_ONE_FILE || (entry && entry_size_of(entry) == entry_size)) break;
  }
  return stream;
}

ptrdiff_t carchive_read(carchive *stream, void *target, size_t count) {
  if (stream->is_broken) return -1;
  if (stream->is_at_end) return 0;
  const ptrdiff_t got = read_data(stream->archive, target, count);
  if (got < 0) stream->is_broken = 1;
  if (got == 0) stream->is_at_end = 1;
  return got < 0 ? -1 : got;
}

const char *carchive_error(const carchive *stream) { return error_string(stream->archive); }

void carchive_close(carchive *stream) {
  read_free(stream->archive);
  free(stream);
}
