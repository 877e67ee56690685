/*
 * Purpose: heat in a rod, a block of cells for each rank; the neighbours' nearest cells come while we compute.
 * Run:     mpicc -O2 -o rod rod.c compute.c && mpirun -n 4 ./rod 20 3
 * Source:  MPI 4.0, section 3.7 (nonblocking communication)
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "compute.h"

// Cells 1 to mine of a block are this rank's. Cells 0 and mine + 1 are the halo: copies of the neighbours' nearest
// cells, or the cold end of the rod.
static void start_exchange(double *u, int mine, int left, int right, MPI_Request all[4]) {
    MPI_Irecv(&u[0], 1, MPI_DOUBLE, left, 0, MPI_COMM_WORLD, &all[0]);
    MPI_Irecv(&u[mine + 1], 1, MPI_DOUBLE, right, 1, MPI_COMM_WORLD, &all[1]);
    MPI_Isend(&u[mine], 1, MPI_DOUBLE, right, 0, MPI_COMM_WORLD, &all[2]);
    MPI_Isend(&u[1], 1, MPI_DOUBLE, left, 1, MPI_COMM_WORLD, &all[3]);
}

static void step(double *u, double *next, int mine, int left, int right) {
    MPI_Request all[4];
    start_exchange(u, mine, left, right, all);
    compute(u, next, 2, mine - 1); // needs no halo
    compute(u, next, 1, 1);
    compute(u, next, mine, mine);
    MPI_Waitall(4, all, MPI_STATUSES_IGNORE);
}

// Rank 0 prints the rod, a line for each cell.
static void print(const double *u, int mine, int n, int rank, int size) {
    int *counts = malloc((size_t)size * sizeof *counts),
        *places = malloc((size_t)size * sizeof *places);
    double *rod = malloc((size_t)n * sizeof *rod);
    for (int r = 0; r < size; r++) {
        places[r] = n * r / size;
        counts[r] = n * (r + 1) / size - places[r];
    }
    MPI_Gatherv(&u[1], mine, MPI_DOUBLE, rod, counts, places, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    for (int i = 0; i < n && rank == 0; i++)
        printf("cell %d: %.12f\n", i, rod[i]);
    free(rod);
    free(places);
    free(counts);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int n = argc > 1 ? atoi(argv[1]) : 20;
    int steps = argc > 2 ? atoi(argv[2]) : 3;
    if (n < size) {
        fprintf(stderr, "rod: needs a cell for each rank\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    int before = n * rank / size, mine = n * (rank + 1) / size - before;
    int left = rank > 0 ? rank - 1 : MPI_PROC_NULL;
    int right = rank < size - 1 ? rank + 1 : MPI_PROC_NULL;
    double *u = calloc((size_t)mine + 2, sizeof *u), *next = calloc((size_t)mine + 2, sizeof *next);
    for (int i = 1; i <= mine; i++)
        u[i] = initial(before + i - 1);

    for (int k = 0; k < steps; k++) {
        step(u, next, mine, left, right);
        double *old = u;
        u = next;
        next = old;
    }
    print(u, mine, n, rank, size);
    free(next);
    free(u);
    MPI_Finalize();
    return 0;
}
