/* MPI_Allreduce alone: the in-place sum of floats over all ranks.

     mpicc -O2 allreduce.c -o allreduce
     mpirun -np P ./allreduce FLOATS…

   For each size one JSON line with the median seconds of an operation: the slowest rank of each block counts. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCKS = 9 };

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Seconds of the slowest rank. */
static double block(float *buffer, int floats, int operations) {
  MPI_Barrier(MPI_COMM_WORLD);
  double time = MPI_Wtime();
  for (int i = 0; i < operations; i++)
    MPI_Allreduce(MPI_IN_PLACE, buffer, floats, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  time = MPI_Wtime() - time;
  MPI_Allreduce(MPI_IN_PLACE, &time, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return time / operations;
}

int main(int count, char **words) {
  int rank, ranks;
  MPI_Init(&count, &words);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  for (int word = 1; word < count; word++) {
    int floats = atoi(words[word]);
    float *buffer = malloc(sizeof(float) * (size_t)floats);
    for (int i = 0; i < floats; i++) buffer[i] = (float)rank;
    block(buffer, floats, 1);
    if (buffer[floats - 1] != (float)(ranks * (ranks - 1) / 2)) MPI_Abort(MPI_COMM_WORLD, 70);
    for (int i = 0; i < floats; i++) buffer[i] = 0; /* zeros stay zeros, however often they are added */
    int operations = 1;
    while (block(buffer, floats, operations) * operations < 0.02) operations *= 2;
    double samples[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) samples[i] = block(buffer, floats, operations);
    qsort(samples, BLOCKS, sizeof *samples, ascending);
    if (rank == 0)
      printf("{\"ranks\": %d, \"floats\": %d, \"seconds\": %.9g}\n", ranks, floats, samples[BLOCKS / 2]);
    free(buffer);
  }
  MPI_Finalize();
  return 0;
}
