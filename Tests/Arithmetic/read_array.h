// The numbers of a .npy file of version 1, for the programs that compute again what docs/arithmetic.md says.
#include <stdio.h>
#include <stdlib.h>

// Of two files at most.
static unsigned char *read_array(const char *path, long *bytes) {
  static unsigned char all[2][1 << 20];
  static int count;
  FILE *file = fopen(path, "rb");
  if (!file || count == 2) exit(66);
  const long size = (long)fread(all[count], 1, 1 << 20, file), start = 10 + all[count][8] + 256 * all[count][9];
  *bytes = size - start;
  return all[count++] + start;
}
