/*
 * Purpose: all ranks write one file: a matrix in the order of C, row after row, of which each rank has a block of columns.
 *          Before it stands a header of 24 bytes: three 8-byte integers, a magic number, the rows and the columns.
 * Run:     mpicc -O2 -o field field.c && mpirun -n 4 ./field field.bin 5 12 && od -A d -t f8 -j 24 -w96 field.bin
 * Source:  MPI 4.0, sections 5.1.3 (subarray datatype) and 14.3 (file views)
 */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADER = 24 }; // bytes
static const int64_t MAGIC = 1995;

// What stands in the matrix; rows and columns count from 0.
static double element(int row, int column) {
    return 1000.0 * row + column;
}

// Write this rank's columns, `mine` of them from column `first` on: block holds them, row after row.
static void write_block(MPI_File file, const double *block, int rows, int columns, int first,
                        int mine) {
    int sizes[2] = {rows, columns}, subsizes[2] = {rows, mine}, starts[2] = {first, 0};
    MPI_Datatype part;
    MPI_Type_create_subarray(2, sizes, subsizes, starts, MPI_ORDER_C, MPI_DOUBLE, &part);
    MPI_Type_commit(&part);
    MPI_File_set_view(file, HEADER, MPI_DOUBLE, part, "native", MPI_INFO_NULL);
    MPI_File_write_all(file, block, rows * mine, MPI_DOUBLE, MPI_STATUS_IGNORE);
    MPI_Type_free(&part);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const char *name = argc > 1 ? argv[1] : "field.bin";
    int rows = argc > 2 ? atoi(argv[2]) : 5;
    int columns = argc > 3 ? atoi(argv[3]) : 12;
    if (rows < 1 || columns < size) {
        fprintf(stderr, "field: needs a row, and a column for each rank\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    int first = columns * rank / size, mine = columns * (rank + 1) / size - first;
    double *block = malloc((size_t)rows * (size_t)mine * sizeof *block);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < mine; j++)
            block[i * mine + j] = element(i, first + j);

    MPI_File file;
    MPI_File_open(MPI_COMM_WORLD, name, MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &file);
    MPI_File_set_size(file, 0); // there may be an older file, and a longer one
    if (rank == 0) {
        int64_t header[3] = {MAGIC, rows, columns};
        MPI_File_write_at(file, 0, header, 3, MPI_INT64_T, MPI_STATUS_IGNORE);
    }
    write_block(file, block, rows, columns, first, mine);
    MPI_File_close(&file);
    free(block);
    if (rank == 0)
        printf("field: %d rows, %d columns\n", rows, columns);
    MPI_Finalize();
    return 0;
}
