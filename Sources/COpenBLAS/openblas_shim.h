// OpenBLAS's C interface: the CBLAS routines and the calls that tell and set threads and kernels.
#pragma once
#include <cblas.h>
