/*
 * Purpose: Allreduce as the library does it, as a ring and by recursive doubling: all equal; and their times by size.
 * Run:     mpicc -o allreduce allreduce.c && mpirun -n 4 ./allreduce
 *          mpirun -n 4 ./allreduce ring 8 65536        or library, or doubling: the times by bytes
 * Source:  both ways: Thakur, Rabenseifner and Gropp, Optimization of Collective Communication Operations in MPICH,
 *          International Journal of High Performance Computing Applications 19 (2005), section 4
 */
#include "check.h"

#include <string.h>

static int rank, size;
static const MPI_Comm world = MPI_COMM_WORLD;
typedef void (*way)(double *x, double *spare, int n); // x: this rank's numbers, then the sums

static void by_library(double *x, double *spare, int n) {
    (void)spare;
    MPI_Allreduce(MPI_IN_PLACE, x, n, MPI_DOUBLE, MPI_SUM, world);
}

// [ring]
static int begin(int piece, int n) { // n numbers in as many pieces as there are ranks
    return (int)((long)n * piece / size);
}

static void by_ring(double *x, double *spare, int n) {
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    for (int step = 0; step < 2 * (size - 1); step++) {
        int go = (rank - step + 2 * size) % size, come = (go + size - 1) % size;
        int from = begin(come, n), count = begin(come + 1, n) - from;
        int adding = step < size - 1; // then each rank has one piece summed up, and passes it on
        MPI_Sendrecv(x + begin(go, n), begin(go + 1, n) - begin(go, n), MPI_DOUBLE, right, 0,
                     adding ? spare : x + from, count, MPI_DOUBLE, left, 0, world,
                     MPI_STATUS_IGNORE);
        for (int i = 0; adding && i < count; i++)
            x[from + i] += spare[i];
    }
}
// [/ring]

// [doubling]
static void add_partner(double *x, double *spare, int n, int partner) {
    MPI_Sendrecv(x, n, MPI_DOUBLE, partner, 1, spare, n, MPI_DOUBLE, partner, 1, world,
                 MPI_STATUS_IGNORE);
    for (int i = 0; i < n; i++)
        x[i] += spare[i];
}

static void by_doubling(double *x, double *spare, int n) {
    int half = 1; // the largest power of two that is not above size
    while (2 * half <= size)
        half *= 2;
    if (rank >= half) { // one too many: lend your numbers, and get the sums
        MPI_Send(x, n, MPI_DOUBLE, rank - half, 2, world);
        MPI_Recv(x, n, MPI_DOUBLE, rank - half, 2, world, MPI_STATUS_IGNORE);
        return;
    }
    if (rank + half < size) {
        MPI_Recv(spare, n, MPI_DOUBLE, rank + half, 2, world, MPI_STATUS_IGNORE);
        for (int i = 0; i < n; i++)
            x[i] += spare[i];
    }
    for (int distance = 1; distance < half; distance *= 2)
        add_partner(x, spare, n, rank ^ distance);
    if (rank + half < size)
        MPI_Send(x, n, MPI_DOUBLE, rank + half, 2, world);
}
// [/doubling]

static const struct {
    const char *name;
    way sum;
} ways[] = {{"library", by_library}, {"ring", by_ring}, {"doubling", by_doubling}};

// One sum of n numbers: whole ones, so that it is exact in whatever order. Returns the seconds of the slowest rank.
static double once(way sum, int n) {
    double *x = room((size_t)n * sizeof *x), *spare = room((size_t)n * sizeof *spare);
    for (int i = 0; i < n; i++)
        x[i] = (double)(i % 1000) + 1000.0 * (rank + 1);
    MPI_Barrier(world);
    double time = MPI_Wtime();
    sum(x, spare, n);
    time = MPI_Wtime() - time;

    int good = 1;
    for (int i = 0; i < n; i++)
        good = good && x[i] == (double)(i % 1000) * size + 500.0 * size * (size + 1);
    check(good, "a sum");
    MPI_Allreduce(MPI_IN_PLACE, &time, 1, MPI_DOUBLE, MPI_MAX, world);
    free(x);
    free(spare);
    return time;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(world);
    size = size_of(world);
    if (argc == 1) {
        for (int w = 0; w < 3; w++)
            for (int n = 0; n < 2000; n = 3 * n + 1) // fewer than ranks, and not a multiple of them
                once(ways[w].sum, n);
        return verdict("allreduce");
    }

    way sum = NULL;
    for (int w = 0; w < 3; w++)
        if (strcmp(argv[1], ways[w].name) == 0)
            sum = ways[w].sum;
    for (int i = 2; i < argc; i++)
        if (atoi(argv[i]) < 8 || atoi(argv[i]) % 8 != 0)
            sum = NULL;
    if (sum == NULL)
        refuse("allreduce: give library, ring or doubling, and bytes, multiples of 8");
    if (rank == 0)
        printf("# bytes minimum_us median_us MB/s\n");
    for (int i = 2; i < argc; i++) {
        enum { ROUNDS = 21 };
        double seconds[ROUNDS];
        once(sum, atoi(argv[i]) / 8); // to warm up
        for (int round = 0; round < ROUNDS; round++)
            seconds[round] = once(sum, atoi(argv[i]) / 8);
        qsort(seconds, ROUNDS, sizeof *seconds, by_size);
        if (rank == 0)
            printf("%d %.3f %.3f %.1f\n", atoi(argv[i]), seconds[0] * 1e6,
                   seconds[ROUNDS / 2] * 1e6, atoi(argv[i]) / seconds[0] / 1e6);
    }
    return verdict("# allreduce");
}
