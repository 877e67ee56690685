/*
 * Purpose: softens a picture. In each step, a pixel becomes the mean of itself (4 times) and its 4 neighbours;
 *          beyond the edge, the pixels of the edge are repeated. Each rank has a block of rows.
 * Run:     mpicc -O2 -o soften soften.c && mpirun -n 4 ./soften 12 20 3
 * Source:  halo exchange: Gropp, Lusk and Skjellum, Using MPI, 3rd edition, chapter 4 (the Poisson problem)
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The rows of one rank are rows 1 to `rows` of its block, and rows first + 1 to first + rows of the picture.
// Rows 0 and rows + 1 of the block are the halo: copies of the neighbours' nearest rows.
typedef struct {
    int rows, columns, first;
    int above, below; // the neighbours' ranks, or MPI_PROC_NULL
} block;

// A made-up picture: the grey, from 0 to 255, at row i and column j
static int pixel(int i, int j) {
    return (i * i * 31 + j * 17 + i * j * 7) % 256;
}

static int *row(block b, int *grey, int i) {
    return grey + i * b.columns;
}

// Fills the halo of a block, from the neighbours, or at the edge of the picture from the nearest row.
static void exchange(block b, int *grey) {
    if (b.above == MPI_PROC_NULL)
        memcpy(row(b, grey, 0), row(b, grey, 1), b.columns * sizeof(int));
    if (b.below == MPI_PROC_NULL)
        memcpy(row(b, grey, b.rows + 1), row(b, grey, b.rows), b.columns * sizeof(int));
    MPI_Sendrecv(row(b, grey, 0), b.columns, MPI_INT, b.above, 0, row(b, grey, b.rows + 1),
                 b.columns, MPI_INT, b.below, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Sendrecv(row(b, grey, b.rows + 1), b.columns, MPI_INT, b.below, 0, row(b, grey, 0),
                 b.columns, MPI_INT, b.above, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void soften(block b, int *grey, int *next) {
    for (int i = 1; i <= b.rows; i++) {
        int *above = row(b, grey, i - 1), *here = row(b, grey, i), *below = row(b, grey, i + 1);
        for (int j = 0; j < b.columns; j++) {
            int left = here[j > 0 ? j - 1 : j], right = here[j < b.columns - 1 ? j + 1 : j];
            row(b, next, i)[j] = (4 * here[j] + above[j] + below[j] + left + right) / 8;
        }
    }
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int rows = argc > 1 ? atoi(argv[1]) : 12; // at least one for each rank
    int columns = argc > 2 ? atoi(argv[2]) : 20;
    int steps = argc > 3 ? atoi(argv[3]) : 3;

    block b = {.columns = columns, .first = rows * rank / size};
    b.rows = rows * (rank + 1) / size - b.first;
    b.above = rank > 0 ? rank - 1 : MPI_PROC_NULL;
    b.below = rank < size - 1 ? rank + 1 : MPI_PROC_NULL;
    int *grey = calloc((b.rows + 2) * columns, sizeof(int));
    int *next = calloc((b.rows + 2) * columns, sizeof(int));
    for (int i = 1; i <= b.rows; i++)
        for (int j = 0; j < columns; j++)
            row(b, grey, i)[j] = pixel(b.first + i - 1, j);

    for (int k = 0; k < steps; k++) {
        exchange(b, grey);
        soften(b, grey, next);
        int *old = grey;
        grey = next;
        next = old;
    }

    // Rank 0 prints its rows, then those of each other rank.
    for (int r = 0; r < size; r++) {
        int first = rows * r / size, count = (rows * (r + 1) / size - first) * columns;
        if (rank == r && r > 0)
            MPI_Send(row(b, grey, 1), count, MPI_INT, 0, 1, MPI_COMM_WORLD);
        if (rank == 0) {
            int *part = r > 0 ? malloc(count * sizeof(int)) : row(b, grey, 1);
            if (r > 0)
                MPI_Recv(part, count, MPI_INT, r, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            for (int i = 0; i < count; i++)
                printf("%d%c", part[i], (i + 1) % columns ? ' ' : '\n');
            if (r > 0)
                free(part);
        }
    }
    free(grey);
    free(next);
    MPI_Finalize();
    return 0;
}
