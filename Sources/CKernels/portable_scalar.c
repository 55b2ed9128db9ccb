// One number at a time, by C's fmaf: for processors whose vectors do not multiply and add at once.
#include "portable_sets.h"

#define SET scalar
#define LANES 1
#define HEIGHT 6
#define EACH_HEIGHT UP_TO_6
#include "portable_kernels.h"
