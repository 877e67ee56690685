/*
 * Purpose: a function for the ranks of a notebook: the weighted total of the values of all ranks.
 * Run:     make, then %%px with on_ranks.py
 * Source:  MPI 4.0, section 6.9 (global reductions)
 */
#include <mpi.h>

// n values on this rank; the total, on every rank. All ranks of comm call it together.
double weighted_total(MPI_Comm comm, const double *values, long n, double weight) {
    double total = 0.0;
    for (long i = 0; i < n; i++) {
        total += weight * values[i];
    }
    MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPI_DOUBLE, MPI_SUM, comm);
    return total;
}
