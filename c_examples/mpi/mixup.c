/*
 * Purpose: a solver and a library that both send to the right neighbour with the same tag. Given the solver's own
 *          communicator, the library takes the solver's message (wrong on purpose: ./mixup world). Given a duplicate,
 *          each gets its own.
 * Run:     mpicc -o mixup mixup.c && mpirun -n 3 ./mixup
 *          mpirun -n 3 ./mixup world || echo $?
 * Source:  MPI 3.1, section 6.9, on libraries and contexts
 */
#include "check.h"

#include <string.h>

enum { TAG = 7 };

static int rank, size, left, right;

// [library]
static int library(MPI_Comm comm) { // its own numbers are 100, 101, ...
    int mine = 100 + rank, got;
    MPI_Request request;
    MPI_Isend(&mine, 1, MPI_INT, right, TAG, comm, &request);
    MPI_Recv(&got, 1, MPI_INT, left, TAG, comm, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    return got;
}
// [/library]

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;

    MPI_Comm for_library = MPI_COMM_WORLD; // wrong
    if (argc < 2 || strcmp(argv[1], "world") != 0)
        MPI_Comm_dup(MPI_COMM_WORLD, &for_library);
    // [solver]
    int mine = rank, got;
    MPI_Request request;
    MPI_Isend(&mine, 1, MPI_INT, right, TAG, MPI_COMM_WORLD, &request); // the solver's number
    int from_library = library(for_library);
    MPI_Recv(&got, 1, MPI_INT, left, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    // [/solver]
    check(got == left, "the solver's number");
    check(from_library == 100 + left, "the library's number");
    say("rank %d: the solver got %d, the library %d", rank, got, from_library);
    if (for_library != MPI_COMM_WORLD)
        MPI_Comm_free(&for_library);
    return verdict("mixup");
}
