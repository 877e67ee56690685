/*
 * Purpose: snow that drifts over a field. Each rank has one cell of a grid, rank 0 in the north-west, row by row.
 *          In each step, a cell depends on all cells from the western edge up to itself, and on all from the
 *          southern edge up to itself.
 * Run:     mpicc -O2 -o drift drift.c && mpirun -n 6 ./drift 2 3 5
 * Source:  MPI standard, chapter Groups, Contexts, Communicators: MPI_Comm_split
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

// Adds up the snow of this rank's row, from the west up to this cell, and of its column, from the south up to it.
static void add_up(int snow, int row, int column, int *from_west, int *from_south) {
    MPI_Comm in_row, in_column;
    MPI_Comm_split(MPI_COMM_WORLD, row, column, &in_row);
    MPI_Comm_split(MPI_COMM_WORLD, column, row, &in_column);
    MPI_Scan(&snow, from_west, 1, MPI_INT, MPI_SUM, in_row);
    MPI_Scan(&snow, from_south, 1, MPI_INT, MPI_SUM, in_column);
    MPI_Comm_free(&in_row);
    MPI_Comm_free(&in_column);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int rows = argc > 1 ? atoi(argv[1]) : 2;
    int columns = argc > 2 ? atoi(argv[2]) : 3;
    int steps = argc > 3 ? atoi(argv[3]) : 5;
    if (rows * columns != size) {
        if (rank == 0)
            fprintf(stderr, "drift: rows times columns must be the number of ranks\n");
        MPI_Finalize();
        return 2;
    }

    int row = rank / columns, column = rank % columns;
    int snow = 10 + rank * rank;
    for (int k = 0; k < steps; k++) {
        int from_west, from_south;
        add_up(snow, row, column, &from_west, &from_south);
        snow = (snow + 2 * from_west + 3 * from_south) % 1000;
    }

    int *all = malloc(size * sizeof(int));
    MPI_Gather(&snow, 1, MPI_INT, all, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (rank == 0)
        for (int i = 0; i < size; i++)
            printf("%3d%c", all[i], (i + 1) % columns ? ' ' : '\n');
    free(all);
    MPI_Finalize();
    return 0;
}
