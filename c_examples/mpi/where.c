/*
 * Purpose: say, for each rank, which cores of its node it may run on, and how much of a core it gets while all compute.
 * Run:     mpicc -o where where.c && mpirun -n 4 ./where
 *          mpirun -n 2 --bind-to core ./where
 * Shares:  mpirun -n 2 ./where 0.5      computes for half a second, and tells the part of a core
 * Source:  none; sched_getaffinity(2), clock_gettime(2)
 */
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <time.h>

static double of_the_processor(void) { // seconds that this process has computed
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// [share]
// All ranks compute for so many seconds by the clock; returns the part of a core that this one got
static double share(double seconds) {
    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime(), used = of_the_processor();
    while (MPI_Wtime() - start < seconds)
        ;
    return (of_the_processor() - used) / (MPI_Wtime() - start);
}
// [/share]

// [cores]
// The cores that the kernel lets this rank run on, as "0" or "0,1,5"; returns how many
static int cores(char *text, size_t room_for) {
    cpu_set_t may;
    CPU_ZERO(&may);
    sched_getaffinity(0, sizeof may, &may);
    size_t at = 0;
    for (int core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &may) && at + 6 < room_for)
            at += (size_t)snprintf(text + at, room_for - at, "%s%d", at ? "," : "", core);
    return CPU_COUNT(&may);
}
// [/cores]

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    double seconds = argc > 1 ? atof(argv[1]) : 0.0;
    if (seconds < 0.0 || seconds > 60.0)
        refuse("where: give seconds to compute, at most 60");

    // [node]
    MPI_Comm node; // the ranks that share memory with this one
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    // [/node]
    char list[80] = "";
    int count = cores(list, sizeof list), here = sched_getcpu();
    check(count >= 1, "no core at all");
    check(here >= 0, "on no core");
    double part = seconds > 0.0 ? share(seconds) : 0.0;
    check(part >= 0.0 && part < 1.01, "more than one core");
    if (seconds > 0.0)
        say("rank %d: %d of %d on its node, core%s %s, got %.2f of one", my_rank(MPI_COMM_WORLD),
            my_rank(node), size_of(node), count > 1 ? "s" : "", list, part);
    else
        say("rank %d: %d of %d on its node, core%s %s", my_rank(MPI_COMM_WORLD), my_rank(node),
            size_of(node), count > 1 ? "s" : "", list);
    MPI_Comm_free(&node);
    return verdict("where");
}
