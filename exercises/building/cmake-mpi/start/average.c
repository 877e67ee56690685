/*
 * Purpose: libaverage, see average.h.
 * Source:  MPI 4.0, section 6.9 (global reductions)
 */
#include "average.h"

double average(MPI_Comm comm, double mine) {
    int size;
    double sum = 0.0;
    MPI_Comm_size(comm, &size);
    MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, comm);
    return sum / size;
}
