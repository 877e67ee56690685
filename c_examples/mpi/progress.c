/*
 * Purpose: whether a message gets through while one of its two ranks computes and makes no call of MPI.
 * Run:     mpicc -O2 -o progress progress.c -lm && mpirun -n 2 ./progress
 * Sender:  mpirun -n 2 ./progress sender      here it is the sender who computes
 * Source:  progress: MPI 3.1, section 3.7.4
 */
#include "check.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

static const double patience = 1.0; // seconds

static int rank;
static struct shared { // in memory that both ranks see, so it takes no message to look
    atomic_int started, through;
} * shared;

// [compute]
// Compute until the other rank's call has returned, or patience is at an end. Returns whether it has.
static int compute(MPI_Request *request, int tests) {
    double x = 1.0, until = MPI_Wtime() + patience; // looking at the clock moves no message
    while (!shared->through && MPI_Wtime() < until) {
        for (int i = 0; i < 1000; i++)
            x = 0.5 * (x + 1764.0 / x);
        int done;
        if (tests)
            MPI_Test(request, &done, MPI_STATUS_IGNORE);
    }
    check(fabs(x - 42.0) < 1e-9 || shared->through, "the computation");
    return shared->through;
}
// [/compute]

// [message]
// A message from rank 0 to rank 1. One of them is busy: it starts its part, and computes. The other one does its part
// then, with a call that returns when that is done. Returns, on the one that is busy, whether it got through meanwhile.
static int message(char *buffer, int bytes, int busy, int tests) {
    int got_through = 0;
    if (rank == busy) {
        MPI_Request request;
        if (rank == 0)
            MPI_Isend(buffer, bytes, MPI_CHAR, 1, 0, MPI_COMM_WORLD, &request);
        else
            MPI_Irecv(buffer, bytes, MPI_CHAR, 0, 0, MPI_COMM_WORLD, &request);
        shared->started = 1;
        got_through = compute(&request, tests);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    } else if (rank == 1 - busy) {
        while (!shared->started)
            continue;
        if (rank == 0)
            MPI_Send(buffer, bytes, MPI_CHAR, 1, 0, MPI_COMM_WORLD);
        else
            MPI_Recv(buffer, bytes, MPI_CHAR, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        shared->through = 1;
    }
    return got_through;
}
// [/message]

static void try(int bytes, int busy, int tests) {
    char *buffer = room((size_t)bytes);
    memset(buffer, rank == 0 ? 'm' : '-', (size_t)bytes);
    if (rank == 0)
        shared->started = shared->through = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    int got_through = message(buffer, bytes, busy, tests);
    for (int i = 0; i < bytes; i++)
        check(buffer[i] == (rank < 2 ? 'm' : '-'), "the message");
    MPI_Bcast(&got_through, 1, MPI_INT, busy, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%7d bytes, the %s computes%s: %s\n", bytes, busy ? "receiver" : "sender",
               tests ? " and tests" : "", got_through ? "gets through" : "waits");
    free(buffer);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    MPI_Comm node;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    if (size_of(MPI_COMM_WORLD) < 2 || size_of(node) < size_of(MPI_COMM_WORLD))
        refuse("progress: needs 2 ranks or more, all on one node");
    MPI_Win window;
    MPI_Aint bytes = rank == 0 ? (MPI_Aint)sizeof *shared : 0;
    int unit;
    MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, node, &shared, &window);
    MPI_Win_shared_query(window, 0, &bytes, &unit, &shared);

    int busy = argc > 1 && strcmp(argv[1], "sender") == 0 ? 0 : 1;
    for (int tests = 0; tests < 2; tests++) {
        try(1024, busy, tests);
        try(1024 * 1024, busy, tests);
    }
    MPI_Win_free(&window);
    MPI_Comm_free(&node);
    return verdict("progress");
}
