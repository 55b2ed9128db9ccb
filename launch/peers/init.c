// What MPI itself takes before a rank can do anything: says so after MPI_Init, on the first rank.
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
  int rank;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) puts("ready");
  fflush(stdout);
  MPI_Finalize();
}
