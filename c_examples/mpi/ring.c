/*
 * Purpose: pass messages round a ring of ranks in three ways, none of which can deadlock. ring.cpp, ring.f90 and
 *          ring.py do the same and print the same.
 * Run:     mpicc -o ring ring.c && mpirun -n 4 ./ring
 * Source:  the order of sends and receives: MPI 3.1, section 3.5, examples 3.8 to 3.10
 */
#include "check.h"

// [token]
// One token goes round: rank 0 sends first, all others receive first. Each adds its number, counted from 1.
static int pass_token(int rank, int size) {
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    int token = 1;
    if (rank == 0) {
        MPI_Send(&token, 1, MPI_INT, right, 0, MPI_COMM_WORLD);
        MPI_Recv(&token, 1, MPI_INT, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(&token, 1, MPI_INT, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        token += rank + 1;
        MPI_Send(&token, 1, MPI_INT, right, 0, MPI_COMM_WORLD);
    }
    return token;
}
// [/token]

// [ordered]
// All send at a time. If all sent first, each Send might wait for a Recv that nobody comes to. Odd ranks receive
// first: one of two neighbours is ready, and the rest follows, on an odd number of ranks too.
static int pass_ordered(int value, int rank, int size) {
    int right = (rank + 1) % size, left = (rank + size - 1) % size, got;
    if (rank % 2 == 0) {
        MPI_Send(&value, 1, MPI_INT, right, 1, MPI_COMM_WORLD);
        MPI_Recv(&got, 1, MPI_INT, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(&got, 1, MPI_INT, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(&value, 1, MPI_INT, right, 1, MPI_COMM_WORLD);
    }
    return got;
}
// [/ordered]

// [sendrecv]
// MPI finds the order.
static int pass_sendrecv(int value, int rank, int size) {
    int right = (rank + 1) % size, left = (rank + size - 1) % size, got;
    MPI_Sendrecv(&value, 1, MPI_INT, right, 2, &got, 1, MPI_INT, left, 2, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    return got;
}
// [/sendrecv]

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank = my_rank(MPI_COMM_WORLD), size = size_of(MPI_COMM_WORLD);
    if (size < 2)
        refuse("ring: needs 2 ranks or more");

    int must = size * (size + 1) / 2;
    int token = pass_token(rank, size);
    // [sum]
    int mine = rank + 1, ordered = mine, combined = mine; // sums of what came by
    for (int step = 1, a = mine, b = mine; step < size; step++) {
        a = pass_ordered(a, rank, size);
        b = pass_sendrecv(b, rank, size);
        ordered += a;
        combined += b;
    }
    // [/sum]
    check(token == (rank == 0 ? must : (rank + 1) * (rank + 2) / 2), "the token");
    check(ordered == must, "the sum by Send and Recv");
    check(combined == must, "the sum by Sendrecv");
    if (rank == 0)
        printf("token %d, by Send and Recv %d, by Sendrecv %d\n", token, ordered, combined);
    return verdict("ring");
}
