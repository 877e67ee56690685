/*
 * Purpose: how fast the memory is that messages within a node go through: copies, and the triad of STREAM, by size.
 * Run:     mpicc -O2 -o memory memory.c && mpirun -n 2 ./memory
 * Times:   mpirun -n 1 ./memory 65536 1048576 268435456         bytes; with more ranks: each, while all are at it
 * Source:  the triad: McCalpin, Memory Bandwidth and Machine Balance in Current High Performance Computers, IEEE TCCA
 *          Newsletter, December 1995
 */
#include "check.h"

#include <string.h>

enum { TRIALS = 7 };

// [triad]
static void triad(double *a, const double *b, const double *c, double factor, size_t n) {
    for (size_t i = 0; i < n; i++)
        a[i] = b[i] + factor * c[i];
}
// [/triad]

// The shortest time of some trials, each long enough for the clock, on the slowest rank. bytes: of one array.
static double best(int copies, double *a, double *b, double *c, size_t bytes) {
    size_t n = bytes / sizeof *a, repeats = 1 + (1 << 23) / bytes;
    double seconds = 0;
    for (int trial = -1; trial < TRIALS; trial++) { // the first one warms up, and does not count
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        for (size_t i = 0; i < repeats; i++) {
            b[i % n] = (double)(trial + 2); // nothing may be left out as done before
            if (copies)
                memcpy(a, b, bytes);
            else
                triad(a, b, c, 0.5, n);
        }
        double time = (MPI_Wtime() - start) / (double)repeats;
        MPI_Allreduce(MPI_IN_PLACE, &time, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        if (trial == 0 || (trial > 0 && time < seconds))
            seconds = time;
    }
    for (size_t i = 0; i < n; i++)
        check(a[i] == (copies ? b[i] : b[i] + 0.5 * c[i]), copies ? "a copy" : "a triad");
    return seconds;
}

static void measure(size_t bytes, int tell) {
    size_t n = bytes / sizeof(double);
    double *a = room(bytes), *b = room(bytes), *c = room(bytes);
    for (size_t i = 0; i < n; i++) { // also brings the pages in
        a[i] = -1.0;
        b[i] = (double)(i % 1000);
        c[i] = (double)(i % 77);
    }
    double copy = best(1, a, b, c, bytes), sum = best(0, a, b, c, bytes);
    if (tell && my_rank(MPI_COMM_WORLD) == 0) // as STREAM counts: bytes read and written
        printf("%zu %.1f %.1f %.1f\n", bytes, (double)bytes / copy / 1e6,
               2.0 * (double)bytes / copy / 1e6, 3.0 * (double)bytes / sum / 1e6);
    free(a);
    free(b);
    free(c);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    if (argc == 1) {
        measure(64, 0);
        measure(1 << 20, 0);
        return verdict("memory");
    }
    for (int i = 1; i < argc; i++)
        if (atoi(argv[i]) < 8 || atoi(argv[i]) % 8 != 0)
            refuse("memory: give sizes in bytes, multiples of 8");
    if (my_rank(MPI_COMM_WORLD) == 0)
        printf("# bytes copied_MB/s copy_MB/s triad_MB/s\n");
    for (int i = 1; i < argc; i++)
        measure((size_t)atoi(argv[i]), 1);
    return verdict("# memory");
}
