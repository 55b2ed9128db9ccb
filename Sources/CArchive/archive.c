#include "CArchive.h"

#include <dlfcn.h>
#include <pthread.h>

typedef int support(struct archive *);

static struct {
  struct archive *(*read_new)(void);
  int (*open_memory)(struct archive *, const void *, size_t);
  int (*next_header)(struct archive *, struct archive_entry **);
  la_int64_t (*entry_size)(struct archive_entry *);
  la_ssize_t (*read_data)(struct archive *, void *, size_t);
  const char *(*error_string)(struct archive *);
  int (*read_free)(struct archive *);
  void *library;
} functions;

static void load(void) {
  void *library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libarchive.so", RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  *(void **)&functions.read_new = dlsym(library, "archive_read_new");
  *(void **)&functions.open_memory = dlsym(library, "archive_read_open_memory");
  *(void **)&functions.next_header = dlsym(library, "archive_read_next_header");
  *(void **)&functions.entry_size = dlsym(library, "archive_entry_size");
  *(void **)&functions.read_data = dlsym(library, "archive_read_data");
  *(void **)&functions.error_string = dlsym(library, "archive_error_string");
  *(void **)&functions.read_free = dlsym(library, "archive_read_free");
  if (functions.read_new && functions.open_memory && functions.next_header && functions.entry_size &&
      functions.read_data && functions.error_string && functions.read_free) {
    functions.library = library;
  }
}

static void have(struct archive *reader, const char *what) {
  support *found;
  *(void **)&found = dlsym(functions.library, what);
  if (found) found(reader);
}

struct archive *carchive_new(bool is_zip) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  struct archive *reader = functions.library ? functions.read_new() : NULL;
  if (!reader) return NULL;
  if (is_zip) {
    have(reader, "archive_read_support_format_zip_seekable");
    return reader;
  }
  // One by one: "all" would also start other programs where a library is missing.
  have(reader, "archive_read_support_filter_bzip2");
  have(reader, "archive_read_support_filter_xz");
  have(reader, "archive_read_support_filter_lzma");
  have(reader, "archive_read_support_filter_zstd");
  have(reader, "archive_read_support_filter_lz4");
  have(reader, "archive_read_support_filter_lzip");
  have(reader, "archive_read_support_filter_compress");
  have(reader, "archive_read_support_format_raw");
  have(reader, "archive_read_support_format_empty");
  return reader;
}

int carchive_open_memory(struct archive *reader, const void *bytes, size_t count) {
  return functions.open_memory(reader, bytes, count);
}

int carchive_next_header(struct archive *reader, struct archive_entry **entry) {
  return functions.next_header(reader, entry);
}

la_int64_t carchive_entry_size(struct archive_entry *entry) { return functions.entry_size(entry); }

la_ssize_t carchive_read_data(struct archive *reader, void *buffer, size_t count) {
  return functions.read_data(reader, buffer, count);
}

const char *carchive_error_string(struct archive *reader) { return functions.error_string(reader); }

void carchive_free(struct archive *reader) { functions.read_free(reader); }
