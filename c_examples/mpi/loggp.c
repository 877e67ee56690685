/*
 * Purpose: what the parameters of the LogGP model are fitted to, by size: a round trip, the gap between messages that
 *          are sent one after the other, and the time for which the sender's core is busy with one.
 * Run:     mpicc -O2 -o loggp loggp.c && mpirun -n 2 ./loggp
 * Times:   mpirun -n 2 ./loggp 1 1024 4000         the times by bytes
 * Source:  Hoefler, Lichei and Rehm, Low-Overhead LogGP Parameter Assessment for Modern Interconnection Networks,
 *          IPDPS 2007, section 2
 */
#include "check.h"

#include <string.h>

enum { MESSAGES = 16, TRIALS = 200 };

// [busy]
static void
compute(double seconds) { // nothing that anybody needs, and no call of MPI but for the clock
    double end = MPI_Wtime() + seconds;
    while (MPI_Wtime() < end)
        ;
}
// [/busy]

// [train]
// Rank 0 sends a train of n messages, with a pause after each but the last; rank 1 answers when it has them all
static double train(int rank, int n, double pause, char *out, char *in, int bytes) {
    double start = MPI_Wtime();
    if (rank == 0) {
        for (int i = 0; i < n; i++) {
            MPI_Send(out, bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
            if (i < n - 1 && pause > 0)
                compute(pause);
        }
        MPI_Recv(in, bytes, MPI_BYTE, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        for (int i = 0; i < n; i++)
            MPI_Recv(in, bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(in, bytes, MPI_BYTE, 0, 1, MPI_COMM_WORLD);
    }
    return MPI_Wtime() - start;
}
// [/train]

static double best(int rank, int trials, int n, double pause, int bytes) {
    char *out = room((size_t)bytes), *in = room((size_t)bytes);
    double seconds = 0;
    for (int trial = -1; trial < trials; trial++) { // the first one warms up, and does not count
        memset(in, 0, (size_t)bytes);
        for (int i = 0; i < bytes; i++)
            out[i] = (char)(1 + (i + trial + 1) % 113);
        double time = train(rank, n, pause, out, in, bytes);
        check(memcmp(in, out, (size_t)bytes) == 0, "what came is not what was sent");
        if (trial == 0 || (trial > 0 && time < seconds))
            seconds = time;
    }
    free(out);
    free(in);
    return seconds;
}

static void measure(int rank, int trials, int bytes, int tell) {
    double once = best(rank, trials, 1, 0, bytes);
    double gap = (best(rank, trials, MESSAGES, 0, bytes) - once) / (MESSAGES - 1);
    double pause = 4 * once; // longer than all that goes on meanwhile
    double busy = (best(rank, trials, MESSAGES, pause, bytes) - once) / (MESSAGES - 1) - pause;
    if (rank == 0 && tell)
        printf("%d %.4f %.4f %.4f\n", bytes, once * 1e6, gap * 1e6, busy * 1e6);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank = my_rank(MPI_COMM_WORLD);
    if (size_of(MPI_COMM_WORLD) != 2)
        refuse("loggp: needs 2 ranks: others would take time from these two");
    if (argc == 1) {
        measure(rank, 2, 1, 0);
        measure(rank, 2, 3000, 0);
        return verdict("loggp");
    }
    for (int i = 1; i < argc; i++)
        if (atoi(argv[i]) < 1)
            refuse("loggp: give sizes in bytes, 1 or more");
    if (rank == 0)
        printf("# bytes round_trip_us gap_us overhead_us\n");
    for (int i = 1; i < argc; i++)
        measure(rank, TRIALS, atoi(argv[i]), 1);
    return verdict("# loggp");
}
