// libarchive, which is loaded when a file needs it: linked, it and what it needs (libxml2, ICU and more) would cost every
// rank two milliseconds at its start and 40 MB of addresses, for the few files that are compressed otherwise than by gzip.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct carchive carchive;

enum { CARCHIVE_IS_ONE_FILE = -1 };

// Whether there is a libarchive on this machine.
int carchive_is_there(void);

// Begins to decompress bytes, which must outlive the stream.
// entry_size: of the file of a zip archive that is wanted, or CARCHIVE_IS_ONE_FILE for a file that is compressed.
// NULL where there is no memory; else to be closed, whatever has happened.
carchive *carchive_open(const void *bytes, size_t count, int64_t entry_size);

// Bytes that were written to `target`; 0 at the end; -1 when something is wrong, which carchive_error says.
ptrdiff_t carchive_read(carchive *stream, void *target, size_t count);

// What is wrong; NULL where nothing is, or nobody says.
const char *carchive_error(const carchive *stream);

void carchive_close(carchive *stream);
