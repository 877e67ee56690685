/*
 * Purpose: show the average of the numbers of the ranks, and which MPI computed it.
 * Run:     cmake -B build && cmake --build build && mpirun -n 4 build/show
 */
#include "average.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size, length;
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Get_library_version(version, &length);
    double mean = average(MPI_COMM_WORLD, rank);
    if (rank == 0) {
        printf("ranks = %d, average = %.2f, with %s\n", size, mean,
               strstr(version, "Open MPI") ? "Open MPI" : "MPICH");
    }
    MPI_Finalize();
    return 0;
}
