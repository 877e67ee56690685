#ifndef AVERAGE_H
#define AVERAGE_H

#include <mpi.h>

// The average of the values of all ranks of comm, on each of them.
double average(MPI_Comm comm, double mine);

#endif
