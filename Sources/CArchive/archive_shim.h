// libarchive: decompresses what is neither gzip nor deflate.
#pragma once
#include <archive.h>
#include <archive_entry.h>
