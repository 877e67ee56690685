/*
 * Purpose: the first MPI program: every rank says who it is
 * Run:     mpicc -o hello hello.c && mpirun -n 4 ./hello
 * Source:  MPI 4.1, section 7.4 (MPI_Comm_rank, MPI_Comm_size)
 */
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    // [hello]
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    printf("rank %d of %d\n", rank, size);
    // [/hello]
    MPI_Finalize();
    return 0;
}
