/*
 * Purpose: a message from a rank that is late, received before the work and beside it: what a nonblocking call can hide.
 * Run:     mpicc -O2 -o late late.c -lm && mpirun -n 2 ./late
 * Source:  MPI 3.1, section 3.7
 */
#include "check.h"

#include <math.h>

enum { COUNT = 20 };

static int rank;
static double numbers[COUNT];

// Newton's method for the square root of a square, far longer than it needs: some time
static void work(void) {
    double x = 1.0, square = 1764.0;
    for (int i = 0; i < 100000; i++)
        x = 0.5 * (x + square / x);
    check(fabs(x - 42.0) < 1e-9, "the work");
}

// [late]
static void late(void) { // rank 0: its numbers come out of its work
    work();
    for (int i = 0; i < COUNT; i++)
        numbers[i] = i;
    MPI_Send(numbers, COUNT, MPI_DOUBLE, 1, 0, MPI_COMM_WORLD);
}
// [/late]

// [ways]
static void before_the_work(void) { // rank 1
    MPI_Recv(numbers, COUNT, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    work();
}

static void beside_the_work(void) { // rank 1
    MPI_Request request;
    MPI_Irecv(numbers, COUNT, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD, &request); // returns at once
    work();                                // which neither reads nor writes the numbers
    MPI_Wait(&request, MPI_STATUS_IGNORE); // now they are there
}
// [/ways]

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    if (size_of(MPI_COMM_WORLD) < 2)
        refuse("late: needs 2 ranks or more");

    void (*const ways[])(void) = {before_the_work, beside_the_work};
    for (int way = 0; way < 2; way++) {
        for (int i = 0; i < COUNT; i++)
            numbers[i] = -1.0;
        MPI_Barrier(MPI_COMM_WORLD);
        if (rank == 0)
            late();
        else if (rank == 1)
            ways[way]();
        for (int i = 0; i < COUNT; i++)
            check(numbers[i] == (rank < 2 ? i : -1), "the numbers");
    }
    return verdict("late");
}
