/*
 * Purpose: pi on any number of ranks, printed once, with the number of ranks that shared the work.
 * Run:     bash run.sh 4 1000000
 * Source:  the midpoint rule for the area below 4 / (1 + x^2) between 0 and 1, which is pi
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);

    long strips = argc > 1 ? atol(argv[1]) : 1000000;
    double mine = 0.0, pi = 0.0;
    for (long i = rank; i < strips; i += size) { // each rank takes its share of the strips
        double x = ((double)i + 0.5) / (double)strips;
        mine += 4.0 / (1.0 + x * x);
    }
    MPI_Reduce(&mine, &pi, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        printf("ranks = %d, pi = %.10f\n", size, pi / (double)strips);
    }
    MPI_Finalize();
    return 0;
}
