/*
 * Purpose: frost warnings. Each rank has the thermometers of its own region, two of them. For each hour, all that
 *          show less than the limit are put together: how many, the lowest and the highest of them.
 * Run:     mpicc -O2 -o frost frost.c && mpirun -n 4 ./frost 8 -10 1
 * Source:  MPI standard, chapter Collective Communication: correctness
 */
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { OWN = 2 }; // thermometers of a rank

// What a thermometer shows, made up, in degrees: -20 to 20
static int degrees(int hour, int thermometer, int seed) {
    return (hour * hour * 7 + thermometer * 13 + hour * thermometer * 5 + seed * 3) % 41 - 20;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int hours = argc > 1 ? atoi(argv[1]) : 8;
    int limit = argc > 2 ? atoi(argv[2]) : -10;
    int seed = argc > 3 ? atoi(argv[3]) : 1;

    for (int hour = 0; hour < hours; hour++) {
        int warnings = 0, lowest = INT_MAX, highest = INT_MIN;
        for (int i = 0; i < OWN; i++) {
            int shown = degrees(hour, rank * OWN + i, seed);
            if (shown < limit) {
                warnings++;
                lowest = shown < lowest ? shown : lowest;
                highest = shown > highest ? shown : highest;
            }
        }
        if (warnings == 0 && rank != 0)
            continue;
        MPI_Allreduce(MPI_IN_PLACE, &warnings, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
        MPI_Allreduce(MPI_IN_PLACE, &highest, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
        if (rank == 0 && warnings == 0)
            printf("hour %d: no warning\n", hour);
        if (rank == 0 && warnings > 0)
            printf("hour %d: warnings = %d, %d to %d degrees\n", hour, warnings, lowest, highest);
    }
    MPI_Finalize();
    return 0;
}
