// Which CPUs a thread may run on: two Linux calls that Swift's Glibc module does not have.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Sets a bit for every CPU that the calling thread may run on; false where the system does not tell.
int caffinity_get(uint64_t *words, size_t count);

/// Lets a thread run on these CPUs alone; 0 is the calling one. False where the system refuses.
int caffinity_set(pid_t thread, const uint64_t *words, size_t count);
