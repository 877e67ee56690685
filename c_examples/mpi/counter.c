/*
 * Purpose: all ranks add to a counter in the memory of rank 0, in four ways. The first one reads, adds and writes back
 *          with nothing in between that keeps others out: it loses additions, on purpose, and tells how many.
 * Run:     mpicc -o counter counter.c && mpirun -n 4 ./counter
 *          mpirun -n 2 ./counter 20000             so many additions by each rank
 * Source:  MPI 3.1, sections 11.3 and 11.5
 */
#include "check.h"

enum { LINE = 64 }; // onesided.c says why

static MPI_Win win;

// [racy]
static void get_and_put(void) { // each call is right, and together they are not
    long value;
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win);
    MPI_Get(&value, 1, MPI_LONG, 0, 0, 1, MPI_LONG, win);
    MPI_Win_flush(0, win);
    value++; // another rank may have read the same value by now
    MPI_Put(&value, 1, MPI_LONG, 0, 0, 1, MPI_LONG, win);
    MPI_Win_unlock(0, win);
}
// [/racy]

// [alone]
static void with_exclusive_lock(void) { // one rank after the other
    long value;
    MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, win);
    MPI_Get(&value, 1, MPI_LONG, 0, 0, 1, MPI_LONG, win);
    MPI_Win_flush(0, win);
    value++;
    MPI_Put(&value, 1, MPI_LONG, 0, 0, 1, MPI_LONG, win);
    MPI_Win_unlock(0, win);
}
// [/alone]

// [atomic]
static void accumulate(void) { // reading, adding and writing are one step
    const long one = 1;
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win);
    MPI_Accumulate(&one, 1, MPI_LONG, 0, 0, 1, MPI_LONG, MPI_SUM, win);
    MPI_Win_unlock(0, win);
}

static void fetch_and_op(void) { // and the value before is known as well
    const long one = 1;
    long before;
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win);
    MPI_Fetch_and_op(&one, &before, MPI_LONG, 0, 0, MPI_SUM, win);
    MPI_Win_unlock(0, win);
}
// [/atomic]

static const struct {
    const char *name;
    void (*add)(void);
    int loses;
} ways[] = {{"Get and Put, shared lock", get_and_put, 1},
            {"Get and Put, exclusive lock", with_exclusive_lock, 0},
            {"Accumulate", accumulate, 0},
            {"Fetch_and_op", fetch_and_op, 0}};

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank = my_rank(MPI_COMM_WORLD), size = size_of(MPI_COMM_WORLD);
    long each = argc > 1 ? atol(argv[1]) : 20, *memory;
    if (each < 1)
        refuse("counter: give the additions of each rank, 1 or more");
    MPI_Win_allocate(LINE, sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &win);
    for (int way = 0; way < 4; way++) {
        long all = 0;
        if (rank == 0) {
            MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, win);
            *memory = 0;
            MPI_Win_unlock(0, win);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        for (long i = 0; i < each; i++)
            ways[way].add();
        MPI_Barrier(MPI_COMM_WORLD);
        if (rank == 0) {
            MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win);
            all = *memory;
            MPI_Win_unlock(0, win);
            printf("%s: %ld of %ld\n", ways[way].name, all, each * size);
            check(ways[way].loses ? all >= 1 && all <= each * size : all == each * size,
                  ways[way].name);
        }
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Win_free(&win);
    return verdict("counter");
}
