/*
 * Purpose: a large message and a computation, one after the other, and at the same time as far as this MPI can.
 * Run:     mpicc -O2 -o overlap overlap.c -lm && mpirun -n 2 ./overlap
 * Times:   mpirun -n 2 ./overlap 8 takes a message of 8 MiB, and prints them in seconds
 * Source:  Newton's method is the computation; why it may take calls of MPI to get on: MPI 3.1, section 3.7.4, progress
 */
#include "check.h"

#include <math.h>
#include <string.h>

enum { PIECES = 64 }; // of the computation

static int rank, size, bytes, loops = 1000;
static char *out, *in;

// [piece]
// One piece of the computation: Newton's method for the square root of a square, far longer than it needs
static double piece(int root) {
    double x = 1.0, square = (double)root * root;
    for (int i = 0; i < loops; i++)
        x = 0.5 * (x + square / x);
    return x;
}
// [/piece]

// [variants]
static double communication(void) {
    MPI_Sendrecv(out, bytes, MPI_BYTE, (rank + 1) % size, 0, in, bytes, MPI_BYTE,
                 (rank + size - 1) % size, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return 0.0;
}

static double computation(void) {
    double sum = 0.0;
    for (int i = 1; i <= PIECES; i++)
        sum += piece(i);
    return sum;
}

static double blocking(void) {
    communication();
    return computation();
}

static void begin(MPI_Request requests[2]) {
    MPI_Irecv(in, bytes, MPI_BYTE, (rank + size - 1) % size, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(out, bytes, MPI_BYTE, (rank + 1) % size, 0, MPI_COMM_WORLD, &requests[1]);
}

static double nonblocking(void) {
    MPI_Request requests[2];
    begin(requests);
    double sum = computation();
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    return sum;
}

static double tested(void) { // the same, and MPI gets a chance to go on between two pieces
    MPI_Request requests[2];
    begin(requests);
    double sum = 0.0;
    for (int i = 1; i <= PIECES; i++) {
        int done;
        sum += piece(i);
        MPI_Testall(2, requests, &done, MPI_STATUSES_IGNORE);
    }
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    return sum;
}
// [/variants]

// The least seconds of some runs, each that of the slowest rank
static double measure(double (*variant)(void), int runs) {
    double least = INFINITY;
    for (int run = 1; run <= runs; run++) {
        memset(out, rank + run, (size_t)bytes);
        memset(in, 0, (size_t)bytes);
        MPI_Barrier(MPI_COMM_WORLD);
        double time = MPI_Wtime(), sum = variant();
        time = MPI_Wtime() - time;
        MPI_Allreduce(MPI_IN_PLACE, &time, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        least = fmin(least, time);

        memset(out, (rank + size - 1) % size + run, (size_t)bytes); // what must have come
        check(variant == computation || memcmp(in, out, (size_t)bytes) == 0, "the message");
        double must = PIECES * (PIECES + 1) / 2.0;
        check(variant == communication || fabs(sum - must) < 1e-6, "the sum");
    }
    return least;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    double mebibytes = argc > 1 ? atof(argv[1]) : 0.25;
    if (!(mebibytes > 0.0 && mebibytes <= 1024.0))
        refuse("overlap: give the size of the message in MiB, at most 1024");
    bytes = (int)(mebibytes * 1024 * 1024);
    out = room((size_t)bytes);
    in = room((size_t)bytes);

    // [balance]
    int runs = argc > 1 ? 9 : 1;
    double message = measure(communication, runs), some = measure(computation, runs);
    loops = (int)fmin(fmax(loops * message / some, 100.0), 1e8); // about as long as the message
    double compute = measure(computation, runs);
    // [/balance]
    double one_by_one = measure(blocking, runs);
    double beside = measure(nonblocking, runs), with_tests = measure(tested, runs);
    if (rank == 0 && argc > 1) {
        printf("# bytes communication computation blocking nonblocking tested\n");
        printf("%d %.6f %.6f %.6f %.6f %.6f\n", bytes, message, compute, one_by_one, beside,
               with_tests);
    }
    free(out);
    free(in);
    return verdict(argc > 1 ? "# overlap" : "overlap");
}
