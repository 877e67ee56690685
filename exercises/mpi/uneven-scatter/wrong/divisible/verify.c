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

    if (n % size != 0) {
        if (rank == 0)
            fprintf(stderr, "verify: n must be a multiple of the number of ranks\n");
        MPI_Finalize();
        return 2;
    }
    // The lists of rank 0: files, their checksums, and which rank has computed them
    int *files = calloc(n, sizeof(int)), *sums = calloc(n, sizeof(int));
    int *by = calloc(n, sizeof(int));
    for (int i = 0; i < n; i++) {
        files[i] = rank == 0 ? 100 + 3 * i : -1;
        sums[i] = by[i] = -1; // not checked yet
    }

    int mine = n / size; // files of each rank
    int *part = malloc(mine * sizeof(int)), *who = malloc(mine * sizeof(int));
    MPI_Scatter(files, mine, MPI_INT, part, mine, MPI_INT, 0, MPI_COMM_WORLD);

    for (int i = 0; i < mine; i++) {
        part[i] = checksum(part[i]);
        who[i] = rank;
    }

    MPI_Gather(part, mine, MPI_INT, sums, mine, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Gather(who, mine, MPI_INT, by, mine, MPI_INT, 0, MPI_COMM_WORLD);

    if (rank == 0)
        for (int i = 0; i < n; i++)
            printf("file %d: checksum %d, by rank %d\n", files[i], sums[i], by[i]);
    free(files);
    free(sums);
    free(by);
    free(part);
    free(who);
    MPI_Finalize();
    return 0;
}
