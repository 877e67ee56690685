/*
 * Purpose: checks files for damage. Rank 0 has the list of n files, deals it out, each rank computes the checksums
 *          of its files, and rank 0 prints all of them, in the order of the list.
 * Run:     mpicc -O2 -o verify verify.c && mpirun -n 4 ./verify 10
 * Source:  MPI standard, chapter Collective Communication: MPI_Scatterv, MPI_Gatherv
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

// A made-up checksum of a file
static int checksum(int file) {
    return (file * file * 37 + 11) % 1009;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int n = argc > 1 ? atoi(argv[1]) : 10;

    // The lists of rank 0: files, their checksums, and which rank has computed them
    int *files = calloc(n, sizeof(int)), *sums = calloc(n, sizeof(int));
    int *by = calloc(n, sizeof(int));
    for (int i = 0; i < n; i++) {
        files[i] = rank == 0 ? 100 + 3 * i : -1;
        sums[i] = by[i] = -1; // not checked yet
    }

    // All know the list, and each rank takes every size-th file; nobody else has more than -1 to say of it.
    MPI_Bcast(files, n, MPI_INT, 0, MPI_COMM_WORLD);
    for (int i = rank; i < n; i += size) {
        sums[i] = checksum(files[i]);
        by[i] = rank;
    }
    MPI_Allreduce(MPI_IN_PLACE, sums, n, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, by, n, MPI_INT, MPI_MAX, MPI_COMM_WORLD);

    if (rank == 0)
        for (int i = 0; i < n; i++)
            printf("file %d: checksum %d, by rank %d\n", files[i], sums[i], by[i]);
    free(files);
    free(sums);
    free(by);
    MPI_Finalize();
    return 0;
}
