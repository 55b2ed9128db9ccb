// Open MPI's C interface, with its handle macros as functions: they are casts, which Swift cannot import.
#pragma once
#include <mpi.h>

static inline MPI_Comm cmpi_comm_world(void) { return MPI_COMM_WORLD; }
