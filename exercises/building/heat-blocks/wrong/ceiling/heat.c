/*
 * Purpose: heat that spreads on a square plate of n x n points, in blocks of rows, one for each rank. The
 *          solution is known, so the program checks itself.
 * Run:     mpicc -O2 -o heat heat.c -lm && mpirun -n 4 ./heat 100 200
 * Source:  the explicit method in two dimensions (FTCS): Morton and Mayers, Numerical Solution of Partial
 *          Differential Equations, 2nd edition, section 3.1
 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846;
static const double RATIO = 0.2; // time step / width^2

// The rows of one rank are rows 1 to `rows` of its block, and rows first + 1 to first + rows of the plate.
// Rows 0 and rows + 1 of the block are the halo: copies of the neighbours' nearest rows, or the cold edge.
typedef struct {
    int n, rows, first;
    int above, below; // the neighbours' ranks, or MPI_PROC_NULL
} block;

static block share(int n, int rank, int size) {
    block b = {.n = n};
    int most = (n + size - 1) / size;
    b.first = rank * most < n ? rank * most : n;
    b.rows = b.first + most < n ? most : n - b.first;
    b.above = rank > 0 ? rank - 1 : MPI_PROC_NULL;
    b.below = rank < size - 1 ? rank + 1 : MPI_PROC_NULL;
    return b;
}

static double *row(block b, double *u, int i) {
    return u + (size_t)i * ((size_t)b.n + 2);
}

// At the time 0, at row i of the block and column j
static double start(block b, int i, int j) {
    double width = 1.0 / (b.n + 1);
    return sin(PI * (b.first + i) * width) * sin(PI * j * width);
}

static void exchange(block b, double *u) {
    int count = b.n + 2;
    MPI_Sendrecv(row(b, u, 1), count, MPI_DOUBLE, b.above, 0, row(b, u, b.rows + 1), count,
                 MPI_DOUBLE, b.below, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Sendrecv(row(b, u, b.rows), count, MPI_DOUBLE, b.below, 1, row(b, u, 0), count, MPI_DOUBLE,
                 b.above, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void step(block b, double *u, double *next) {
    for (int i = 1; i <= b.rows; i++) {
        double *above = row(b, u, i - 1), *here = row(b, u, i), *below = row(b, u, i + 1);
        for (int j = 1; j <= b.n; j++) {
            double around = above[j] + below[j] + here[j - 1] + here[j + 1];
            row(b, next, i)[j] = here[j] + RATIO * (around - 4.0 * here[j]);
        }
    }
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int n = argc > 1 ? atoi(argv[1]) : 100;
    int steps = argc > 2 ? atoi(argv[2]) : 200;
    if (n < size) {
        if (rank == 0)
            fprintf(stderr, "heat: n must be at least the number of ranks\n");
        MPI_Finalize();
        return 2;
    }

    block b = share(n, rank, size);
    double *u = calloc(((size_t)b.rows + 2) * ((size_t)n + 2), sizeof(double));
    double *next = calloc(((size_t)b.rows + 2) * ((size_t)n + 2), sizeof(double));
    for (int i = 1; i <= b.rows; i++)
        for (int j = 1; j <= n; j++)
            row(b, u, i)[j] = start(b, i, j);

    for (int k = 0; k < steps; k++) {
        exchange(b, u);
        step(b, u, next);
        double *old = u;
        u = next;
        next = old;
    }

    // What the method makes of a sine, step by step, is the same sine, smaller by this factor each time.
    double half = sin(PI / (2.0 * (n + 1)));
    double decay = pow(1.0 - 8.0 * RATIO * half * half, steps);
    double sum = 0.0, error = 0.0;
    for (int i = 1; i <= b.rows; i++)
        for (int j = 1; j <= n; j++) {
            sum += row(b, u, i)[j] / ((n + 1.0) * (n + 1.0));
            error = fmax(error, fabs(row(b, u, i)[j] - decay * start(b, i, j)));
        }
    int least = b.rows, most = b.rows;
    MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &error, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    int right = error < 1e-10;
    if (rank == 0) {
        printf("heat: n = %d, ranks = %d, rows of a rank = %d to %d\n", n, size, least, most);
        printf("heat: sum = %.12f, error = %.1e: %s\n", sum, error, right ? "right" : "WRONG");
    }
    free(u);
    free(next);
    MPI_Finalize();
    return right ? 0 : 1;
}
