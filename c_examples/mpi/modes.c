/*
 * Purpose: ways to send and to receive: Send, Ssend and Bsend, messages of unknown length, an exchange in place, and
 *          messages from whoever comes first.
 * Run:     mpicc -o modes modes.c && mpirun -n 4 ./modes
 * Source:  MPI 3.1, chapter 3
 */
#include "check.h"

static int rank, size, left, right;
static const MPI_Comm world = MPI_COMM_WORLD;

static int by_value(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

// [modes]
enum { STANDARD, SYNCHRONOUS, BUFFERED }; // tags

// Rank 0 sends to each other rank in three ways, and they receive in another order
static void three_modes(void) {
    int bytes, numbers[3] = {10, 20, 30};
    if (rank == 0) {
        MPI_Pack_size(1, MPI_INT, world, &bytes);
        bytes = (bytes + MPI_BSEND_OVERHEAD) * size;
        void *buffer = room((size_t)bytes);
        MPI_Buffer_attach(buffer, bytes);
        for (int to = 1; to < size; to++) {
            MPI_Bsend(&numbers[2], 1, MPI_INT, to, BUFFERED, world); // copied: returns at once
            MPI_Ssend(&numbers[1], 1, MPI_INT, to, SYNCHRONOUS,
                      world); // returns when it is being received
            MPI_Send(&numbers[0], 1, MPI_INT, to, STANDARD, world); // either: not to be relied on
        }
        MPI_Buffer_detach(&buffer, &bytes); // waits until all has left it
        free(buffer);
    } else {
        int got[3];
        MPI_Recv(&got[1], 1, MPI_INT, 0, SYNCHRONOUS, world, MPI_STATUS_IGNORE);
        MPI_Recv(&got[2], 1, MPI_INT, 0, BUFFERED, world, MPI_STATUS_IGNORE); // sent before
        MPI_Recv(&got[0], 1, MPI_INT, 0, STANDARD, world, MPI_STATUS_IGNORE);
        for (int i = 0; i < 3; i++)
            check(got[i] == numbers[i], "a message of one of three modes");
    }
}
// [/modes]

// [probe]
// Rank r sends r + 1 numbers. The receiver asks how many there are before it makes room for them.
static void unknown_length(void) {
    int mine = rank + 1, count, *out = room((size_t)mine * sizeof *out);
    for (int i = 0; i < mine; i++)
        out[i] = 100 * rank + i;
    MPI_Request request;
    MPI_Isend(out, mine, MPI_INT, right, 3, world, &request);

    MPI_Status status;
    MPI_Probe(left, 3, world, &status);
    MPI_Get_count(&status, MPI_INT, &count);
    int *in = room((size_t)count * sizeof *in);
    MPI_Recv(in, count, MPI_INT, left, 3, world, MPI_STATUS_IGNORE);
    // [/probe]
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    check(count == left + 1, "how many numbers there are");
    for (int i = 0; i < count; i++)
        check(in[i] == 100 * left + i, "a number of them");
    free(out);
    free(in);
}

// [replace]
static void in_place(void) { // one buffer: what comes takes the place of what goes
    int value = rank;
    MPI_Sendrecv_replace(&value, 1, MPI_INT, right, 4, left, 4, world, MPI_STATUS_IGNORE);
    check(value == left, "Sendrecv_replace");
}
// [/replace]

// [any]
// Each other rank sends two messages to rank 0, which takes them as they come and asks who sent them
static void from_anywhere(void) {
    int count = 2 * (size - 1);
    if (rank != 0) {
        for (int k = 0; k < 2; k++) {
            int value = 10 * rank + k;
            MPI_Send(&value, 1, MPI_INT, 0, 5 + k, world);
        }
        return;
    }
    int *got = room((size_t)count * sizeof *got);
    for (int i = 0; i < count; i++) {
        MPI_Status status;
        MPI_Recv(&got[i], 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, world, &status);
        check(got[i] == 10 * status.MPI_SOURCE + status.MPI_TAG - 5, "who sent it, and its tag");
    }
    qsort(got, (size_t)count, sizeof *got, by_value); // they came in any order
    // [/any]
    printf("from anywhere, sorted:");
    for (int i = 0; i < count; i++) {
        check(got[i] == 10 * (i / 2 + 1) + i % 2, "a message is missing");
        printf(" %d", got[i]);
    }
    printf("\n");
    free(got);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(world);
    size = size_of(world);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;
    three_modes();
    unknown_length();
    in_place();
    from_anywhere();
    return verdict("modes");
}
