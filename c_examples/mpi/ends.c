/*
 * Purpose: end in a way of your choice, as the last rank: well, with a code, by MPI_Abort, by a signal, or without a
 *          word to MPI. What becomes of the other ranks, which go on to a barrier, is the launcher's business.
 * Run:     mpicc -o ends ends.c && mpirun -n 2 ./ends
 *          for way in code abort signal quit; do mpirun -n 2 ./ends $way 2>/dev/null || echo $?; done
 * Source:  MPI 3.1, sections 8.7 and 8.8
 */
#include "check.h"

#include <signal.h>
#include <string.h>

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    const char *way = argc > 1 ? argv[1] : "well";
    int last = my_rank(MPI_COMM_WORLD) == size_of(MPI_COMM_WORLD) - 1;

    // [ways]
    if (last && strcmp(way, "abort") == 0)
        MPI_Abort(MPI_COMM_WORLD, 5);
    if (last && strcmp(way, "signal") == 0)
        raise(SIGSEGV);
    if (last && strcmp(way, "quit") == 0)
        exit(0);                 // without MPI_Finalize
    MPI_Barrier(MPI_COMM_WORLD); // the others come here, and wait
    if (my_rank(MPI_COMM_WORLD) == 0)
        printf("rank 0 is past the barrier\n");
    check(strcmp(way, "code") != 0 || !last, "the last rank is not content");
    // [/ways]
    return verdict("ends") ? 3 : 0; // a code of its own, to be known again
}
