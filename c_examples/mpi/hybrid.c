/*
 * Purpose: ranks with OpenMP threads: on how many cores the threads of a rank may run, and of all ranks on the node.
 *          On request it computes for some time, and tells how many cores' work each rank did in it.
 * Run:     mpicc -fopenmp -o hybrid hybrid.c && OMP_NUM_THREADS=2 mpirun -n 2 ./hybrid
 *          OMP_NUM_THREADS=2 mpirun -n 1 ./hybrid
 * Work:    OMP_NUM_THREADS=2 mpirun -n 1 --bind-to core ./hybrid 0.5        computes for half a second
 * Source:  MPI 3.1, section 12.4; OpenMP 4.5; sched_getaffinity(2)
 */
#define _GNU_SOURCE
#include "check.h"

#include <omp.h>
#include <sched.h>
#include <time.h>

enum { NUMBERS = 1000 };

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// [sum]
// The threads add up this rank's part; the main one, which called MPI_Init_thread, adds up the ranks'
static double sum_of_all(int rank) {
    double mine = 0.0, all;
#pragma omp parallel for reduction(+ : mine)
    for (int i = 0; i < NUMBERS; i++)
        mine += (double)rank * NUMBERS + i;
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return all;
}
// [/sum]

// [cores]
// The cores on which the threads may run, each asked for its own
static int cores_of_threads(cpu_set_t *any) {
    CPU_ZERO(any);
#pragma omp parallel
    {
        cpu_set_t mine;
        CPU_ZERO(&mine);
        sched_getaffinity(0, sizeof mine, &mine); // of the thread that calls
#pragma omp critical
        CPU_OR(any, any, &mine);
    }
    return CPU_COUNT(any);
}
// [/cores]

static double cores_of_work(double seconds) {
    MPI_Barrier(MPI_COMM_WORLD);
    double start = seconds_of(CLOCK_MONOTONIC), used = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
#pragma omp parallel
    while (seconds_of(CLOCK_MONOTONIC) - start < seconds)
        ;
    return (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - used) / (seconds_of(CLOCK_MONOTONIC) - start);
}

int main(int argc, char **argv) {
    int given;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &given);
    int rank = my_rank(MPI_COMM_WORLD), size = size_of(MPI_COMM_WORLD);
    double seconds = argc > 1 ? atof(argv[1]) : 0.0, n = (double)NUMBERS * size;
    if (given < MPI_THREAD_FUNNELED)
        refuse("hybrid: this MPI allows no threads");
    if (seconds < 0.0 || seconds > 60.0)
        refuse("hybrid: give seconds to compute, at most 60");
    check(sum_of_all(rank) == n * (n - 1.0) / 2.0, "the sum of all threads");

    cpu_set_t mine, together;
    MPI_Comm node;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    int threads = omp_get_max_threads(), cores = cores_of_threads(&mine), all;
    MPI_Allreduce(&threads, &all, 1, MPI_INT, MPI_SUM, node);
    MPI_Allreduce(&mine, &together, sizeof mine, MPI_BYTE, MPI_BOR, node);
    say("rank %d: threads %d, cores %d", rank, threads, cores);
    if (seconds > 0.0) {
        double work = cores_of_work(seconds);
        check(work > 0.0 && work < cores + 0.1, "more work than cores");
        say("# rank %d did the work of %.2f cores", rank, work);
    }
    if (rank == 0)
        printf("node: threads %d, cores %d: %s\n", all, CPU_COUNT(&together),
               all > CPU_COUNT(&together) ? "crowded" : "a core for each");
    MPI_Comm_free(&node);
    return verdict("hybrid");
}
