/*
 * Purpose: the mean of many round trips one after the other, with nothing between them, as most benchmarks measure; of
 *          several such series the best. pingpong.c looks at each message instead.
 * Run:     mpicc -O2 -o steady steady.c && mpirun -n 2 ./steady
 * Times:   mpirun -n 2 ./steady 8 65536 1048576        half of a round trip, by size in bytes
 * Source:  none
 */
#include "check.h"

#include <string.h>

enum { SERIES = 7 };

// [series]
// Returns half of the mean round trip. After it, rank 0 has in what it sent last, if nothing went astray.
static double series(int rank, char *out, char *in, int bytes, int trips) {
    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime();
    for (int trip = 0; trip < trips; trip++)
        if (rank == 0) {
            MPI_Send(out, bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
            MPI_Recv(in, bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        } else {
            MPI_Recv(in, bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Send(in, bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
        }
    return (MPI_Wtime() - start) / trips / 2.0;
}
// [/series]

static void measure(int rank, int bytes, int trips, int tell) {
    char *out = room((size_t)bytes), *in = room((size_t)bytes);
    double best = 0;
    for (int turn = -1; turn < SERIES; turn++) { // the first one warms up, and does not count
        memset(in, 0, (size_t)bytes);
        for (int i = 0; i < bytes; i++)
            out[i] = (char)(1 + (i + turn + 1) % 113);
        double time = series(rank, out, in, bytes, trips);
        check(memcmp(in, out, (size_t)bytes) == 0, "what came is not what was sent");
        if (turn == 0 || (turn > 0 && time < best))
            best = time;
    }
    if (rank == 0 && tell)
        printf("%d %.3f %.1f\n", bytes, best * 1e6, bytes / best / 1e6);
    free(out);
    free(in);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank = my_rank(MPI_COMM_WORLD);
    if (size_of(MPI_COMM_WORLD) != 2)
        refuse("steady: needs 2 ranks: others would take time from these two");
    if (argc == 1) {
        measure(rank, 1, 3, 0);
        measure(rank, 65537, 3, 0);
        return verdict("steady");
    }
    for (int i = 1; i < argc; i++)
        if (atoi(argv[i]) < 1)
            refuse("steady: give sizes in bytes, 1 or more");
    if (rank == 0)
        printf("# bytes best_mean_us MB/s\n");
    for (int i = 1; i < argc; i++) // fewer of what takes long
        measure(rank, atoi(argv[i]), 10 + (1 << 24) / (atoi(argv[i]) + (1 << 15)), 1);
    return verdict("# steady");
}
