/*
 * Purpose: the norm and the mean of a residual, n values that are shared by the ranks. A solver stops when the
 *          norm is small enough, so every rank must have it.
 * Run:     mpicc -O2 -o norm norm.c -lm && mpirun -n 4 ./norm 100 1
 * Source:  MPI standard, chapter Collective Communication: global reduction
 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

// Value i of a made-up residual
static double residual(int i, int seed) {
    return ((i * 7 + seed * 13) % 23 - 5) * 0.25;
}

// An operation for MPI: the norm of two parts of a vector, from the norms of the parts
static void together(void *in, void *both, int *length, MPI_Datatype *type) {
    (void)type;
    for (int i = 0; i < *length; i++)
        ((double *)both)[i] = hypot(((double *)in)[i], ((double *)both)[i]);
}

// The root of the sum of all squares. This rank has `count` of the values; it may have none.
static double norm(const double *values, int count) {
    double sum = 0.0;
    for (int i = 0; i < count; i++)
        sum += values[i] * values[i];
    double part = sqrt(sum), all = 0.0;
    MPI_Op operation;
    MPI_Op_create(together, 1, &operation);
    MPI_Allreduce(&part, &all, 1, MPI_DOUBLE, operation, MPI_COMM_WORLD);
    MPI_Op_free(&operation);
    return all;
}

// The mean of all values
static double mean(const double *values, int count) {
    double total[2] = {0.0, count}; // of the values, and how many there are
    for (int i = 0; i < count; i++)
        total[0] += values[i];
    MPI_Allreduce(MPI_IN_PLACE, total, 2, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return total[0] / total[1];
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int n = argc > 1 ? atoi(argv[1]) : 100;
    int seed = argc > 2 ? atoi(argv[2]) : 1;

    // The grid is finer at one end: the higher its number, the more values has a rank.
    int first = n * rank * rank / (size * size);
    int count = n * (rank + 1) * (rank + 1) / (size * size) - first;
    double *values = malloc((count + 1) * sizeof(double));
    for (int i = 0; i < count; i++)
        values[i] = residual(first + i, seed);

    double found[2] = {norm(values, count), mean(values, count)};
    double *of_all = malloc(2 * size * sizeof(double));
    MPI_Gather(found, 2, MPI_DOUBLE, of_all, 2, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    if (rank == 0)
        for (int r = 0; r < size; r++)
            printf("rank %d: norm = %.9f, mean = %.9f\n", r, of_all[2 * r], of_all[2 * r + 1]);
    free(of_all);
    free(values);
    MPI_Finalize();
    return 0;
}
