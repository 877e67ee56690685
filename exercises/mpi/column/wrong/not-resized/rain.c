/*
 * Purpose: rain that has fallen so far, at many stations. A table has a row for each hour and a column for each
 *          station. Rank 0 deals out the columns, each rank adds up its own from hour to hour, and rank 0
 *          puts them together again.
 * Run:     mpicc -O2 -o rain rain.c && mpirun -n 4 ./rain 3 8
 * Source:  MPI standard, chapter Datatypes: MPI_Type_vector, MPI_Type_create_resized
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

// A made-up measurement: the rain at a station in one hour
static int rain(int hour, int station) {
    return (hour * hour * 5 + station * 11 + hour * station * 3) % 10;
}

// Deals out the columns of rank 0's table, the first `mine` to rank 0, the next to rank 1, and so on.
// In `part`, one column of `hours` values follows the other.
static void deal(int hours, int stations, int *table, int *part, int mine) {
    MPI_Datatype one, column;
    MPI_Type_vector(hours, 1, stations, MPI_INT, &one);
    MPI_Type_dup(one, &column);
    MPI_Type_commit(&column);
    MPI_Scatter(table, mine, column, part, mine * hours, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Type_free(&column);
    MPI_Type_free(&one);
}

// Puts the columns of all ranks back into the table of rank 0.
static void collect(int hours, int stations, int *table, int *part, int mine) {
    MPI_Datatype one, column;
    MPI_Type_vector(hours, 1, stations, MPI_INT, &one);
    MPI_Type_dup(one, &column);
    MPI_Type_commit(&column);
    MPI_Gather(part, mine * hours, MPI_INT, table, mine, column, 0, MPI_COMM_WORLD);
    MPI_Type_free(&column);
    MPI_Type_free(&one);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int hours = argc > 1 ? atoi(argv[1]) : 3;
    int stations = argc > 2 ? atoi(argv[2]) : 8; // a multiple of the number of ranks
    int mine = stations / size;

    int *table = malloc(hours * stations * sizeof(int)); // only rank 0 fills and prints its own
    if (rank == 0)
        for (int hour = 0; hour < hours; hour++)
            for (int station = 0; station < stations; station++)
                table[hour * stations + station] = rain(hour, station);

    int *part = malloc(mine * hours * sizeof(int));
    deal(hours, stations, table, part, mine);
    for (int c = 0; c < mine; c++)
        for (int hour = 1; hour < hours; hour++)
            part[c * hours + hour] += part[c * hours + hour - 1];
    collect(hours, stations, table, part, mine);

    if (rank == 0)
        for (int i = 0; i < hours * stations; i++)
            printf("%3d%c", table[i], (i + 1) % stations ? ' ' : '\n');
    free(part);
    free(table);
    MPI_Finalize();
    return 0;
}
