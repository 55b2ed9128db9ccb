// libarchive: decompresses what is neither gzip nor deflate. It and the libraries behind it are loaded when the first such
// file is read: that takes longer than all the rest of a program's start.
#pragma once
#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>

/// A reader of one compressed file, or of a zip archive's members; NULL where the library is missing, or memory.
struct archive *carchive_new(bool is_zip);

/// libarchive's functions of the same names.
int carchive_open_memory(struct archive *reader, const void *bytes, size_t count);
int carchive_next_header(struct archive *reader, struct archive_entry **entry);
la_int64_t carchive_entry_size(struct archive_entry *entry);
la_ssize_t carchive_read_data(struct archive *reader, void *buffer, size_t count);
const char *carchive_error_string(struct archive *reader);
void carchive_free(struct archive *reader);
