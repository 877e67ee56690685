/*
 * Purpose: compute pi on all ranks of a communicator: each integrates every size-th strip, the sum is everyone's.
 *          Callable from C (main) and, as a shared library, from Python on the engines.
 * Run:     mpicc -O2 -o pi pi.c -lm && mpirun -n 4 ./pi 1000000
 *          mpicc -O2 -shared -fPIC -o libpi.so pi.c -lm
 * Source:  the midpoint rule for the integral of 4 / (1 + x^2) over [0, 1]; its error is below 1 / (6 n^2)
 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

// [integrate]
double integrate_pi(MPI_Comm comm, long strips) {
    int rank, size;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);

    double width = 1.0 / (double)strips;
    double mine = 0.0;
    for (long i = rank; i < strips; i += size) {
        double x = ((double)i + 0.5) * width;
        mine += 4.0 / (1.0 + x * x) * width;
    }

    double all;
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, comm);
    return all;
}
// [/integrate]

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    long strips = argc > 1 ? atol(argv[1]) : 1000000;
    if (strips < 1) {
        fprintf(stderr, "pi: the number of strips must be 1 or more, not '%s'\n", argv[1]);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }

    double pi = integrate_pi(MPI_COMM_WORLD, strips);
    double error = fabs(pi - acos(-1.0));
    double bound =
        1.0 / (6.0 * (double)strips * (double)strips) + 1e-12; // the rule's error, and rounding
    int wrong = error > bound;

    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        printf("pi = %.10f with %ld strips: %s\n", pi, strips,
               wrong ? "WRONG" : "within the bound");
    }
    MPI_Finalize();
    return wrong;
}
