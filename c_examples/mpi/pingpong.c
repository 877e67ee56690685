/*
 * Purpose: send messages back and forth between two ranks and tell, for each size, half the time of a round trip.
 * Run:     mpicc -o pingpong pingpong.c && mpirun -n 2 ./pingpong 8 1024 1048576
 *          mpirun -n 2 ./pingpong          checks the messages and prints no times
 * Source:  none; half of the round trip, as the clocks of two ranks need not agree
 */
#include "check.h"

#include <string.h>

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// [echo]
static void echo(char *buffer, int bytes) { // what rank 1 does
    MPI_Recv(buffer, bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Send(buffer, bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
}

static double ask(const char *out, char *in, int bytes) { // what rank 0 does
    double start = MPI_Wtime();
    MPI_Send(out, bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
    MPI_Recv(in, bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return (MPI_Wtime() - start) / 2.0;
}
// [/echo]

static void measure(int rank, int bytes, int rounds, int tell) {
    char *out = room((size_t)bytes), *in = room((size_t)bytes);
    double *seconds = room((size_t)rounds * sizeof *seconds);

    // [rounds]
    for (int round = -1; round < rounds; round++) { // the first one warms up, and does not count
        if (rank == 1) {
            echo(in, bytes);
            continue;
        }
        memset(in, 0, (size_t)bytes); // what came before must not pass for what comes now
        for (int i = 0; i < bytes; i++)
            out[i] = (char)(1 + (i + round + 1) % 113);
        double time = ask(out, in, bytes);
        check(memcmp(in, out, (size_t)bytes) == 0, "what came back is not what was sent");
        if (round >= 0)
            seconds[round] = time;
    }
    // [/rounds]
    if (rank == 0 && tell) {
        qsort(seconds, (size_t)rounds, sizeof *seconds, by_size);
        printf("%d %.3f %.3f %.1f\n", bytes, seconds[0] * 1e6, seconds[rounds / 2] * 1e6,
               bytes / seconds[0] / 1e6);
    }
    free(out);
    free(in);
    free(seconds);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank = my_rank(MPI_COMM_WORLD);
    if (size_of(MPI_COMM_WORLD) != 2)
        refuse("pingpong: needs 2 ranks: others would take time from these two");

    if (argc == 1) {
        for (int bytes = 0; bytes <= 1 << 16; bytes = bytes * 256 + 1)
            measure(rank, bytes, 3, 0);
        return verdict("pingpong");
    }
    for (int i = 1; i < argc; i++)
        if (atoi(argv[i]) < 1)
            refuse("pingpong: give sizes in bytes, 1 or more");
    if (rank == 0)
        printf("# bytes minimum_us median_us MB/s\n");
    for (int i = 1; i < argc; i++) // fewer rounds of what takes long
        measure(rank, atoi(argv[i]), 20 + (1 << 24) / (atoi(argv[i]) + (1 << 14)), 1);
    return verdict("# pingpong");
}
