/*
 * Purpose: compares the members of an ensemble with one another. Each rank holds one member, n values. The
 *          members go round in a ring of ranks, one place in each step, until each is home again; on its way
 *          it is compared with the member of every rank that it comes to.
 * Run:     mpicc -O2 -o ring ring.c -lm && mpirun -n 4 ./ring 100
 * Source:  MPI standard, chapter Point-to-Point Communication: communication modes, and send-receive
 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

// A made-up forecast: value i of a member
static double forecast(int member, int i) {
    return (i * (member + 2) + member) % 17;
}

// How far one member is from another: root of the mean of the squares of the differences
static double distance(int n, const double *a, const double *b) {
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum / n);
}

// Hands the visitor on to the rank on the right; then it holds the one from the left.
static void pass_on(int n, double *visitor, int left, int right) {
    MPI_Sendrecv_replace(visitor, n, MPI_DOUBLE, right, 0, right, 0, MPI_COMM_WORLD,
                         MPI_STATUS_IGNORE);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int n = argc > 1 ? atoi(argv[1]) : 100;
    int left = (rank + size - 1) % size, right = (rank + 1) % size;

    double *own = malloc(n * sizeof(double)), *visitor = malloc(n * sizeof(double));
    for (int i = 0; i < n; i++)
        own[i] = visitor[i] = forecast(rank, i);

    double *apart = calloc(size, sizeof(double)); // this rank's member and each other
    int whose = rank;                             // the visitor's home
    for (int step = 1; step <= size; step++) {
        pass_on(n, visitor, left, right);
        whose = (whose + size - 1) % size;
        apart[whose] = distance(n, own, visitor);
    }

    double *all = malloc((size_t)size * size * sizeof(double));
    MPI_Gather(apart, size, MPI_DOUBLE, all, size, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    if (rank == 0)
        for (int a = 0; a < size; a++) {
            printf("member %d:", a);
            for (int b = 0; b < size; b++)
                printf(" %.8f", all[a * size + b]);
            printf("\n");
        }
    free(all);
    free(apart);
    free(visitor);
    free(own);
    MPI_Finalize();
    return 0;
}
