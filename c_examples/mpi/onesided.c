/*
 * Purpose: one-sided communication: memory of other ranks written, read and added to in each of the three ways to
 *          synchronize, a counter that all draw from, and memory that the ranks of a node share.
 * Run:     mpicc -o onesided onesided.c && mpirun -n 4 ./onesided
 * Source:  MPI 3.1, chapter 11
 */
#include "check.h"

// Each window has a cache line of its own. MPICH 4.0 with UCX 1.13 needs it to begin at a multiple of 16 bytes, or
// what is put goes before it: mended in MPICH's pull request 6140.
enum { DRAWS = 3, LINE = 64 };

static int rank, size, left, right;

// [fence]
static void put_with_fence(void) {
    int *window; // the memory that others may write into
    MPI_Win win;
    MPI_Win_allocate(LINE, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window, &win);
    *window = -1;
    MPI_Win_fence(0, win); // all ranks: from here on, others may write into mine
    MPI_Put(&rank, 1, MPI_INT, right, 0, 1, MPI_INT, win);
    MPI_Win_fence(0, win); // all ranks: all that was put is there
    check(*window == left, "Put");
    MPI_Win_free(&win);
}
// [/fence]

// [pscw]
static void get_with_post_and_start(void) { // only ranks that have to do with each other wait
    int *window, got = -1;
    MPI_Win win;
    MPI_Group everyone, origin, target;
    MPI_Win_allocate(LINE, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window, &win);
    *window = 10 * rank;
    MPI_Comm_group(MPI_COMM_WORLD, &everyone);
    MPI_Group_incl(everyone, 1, &left, &origin);
    MPI_Group_incl(everyone, 1, &right, &target);

    MPI_Win_post(origin, 0, win);  // the left one may read mine,
    MPI_Win_start(target, 0, win); // I read the right one's, once it has posted
    MPI_Get(&got, 1, MPI_INT, right, 0, 1, MPI_INT, win);
    MPI_Win_complete(win); // what I read is here
    MPI_Win_wait(win);     // mine has been read
    // [/pscw]
    check(got == 10 * right, "Get");
    MPI_Group_free(&everyone);
    MPI_Group_free(&origin);
    MPI_Group_free(&target);
    MPI_Win_free(&win);
}

// [lock]
static void accumulate_with_lock(void) { // rank 0 takes no part, but for its memory
    int *window, one = 1, sum = -1;
    MPI_Win win;
    MPI_Win_allocate(LINE, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window, &win);
    *window = 0;
    MPI_Barrier(MPI_COMM_WORLD); // nobody adds to it before it is 0
    for (int i = 0; i < DRAWS; i++) {
        MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win); // shared: each Accumulate is atomic by itself
        MPI_Accumulate(&one, 1, MPI_INT, 0, 0, 1, MPI_INT, MPI_SUM, win);
        MPI_Win_unlock(0, win); // it has been added
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, win);
    MPI_Get(&sum, 1, MPI_INT, 0, 0, 1, MPI_INT, win);
    MPI_Win_unlock(0, win);
    check(sum == DRAWS * size, "Accumulate");
    MPI_Win_free(&win);
}
// [/lock]

// [counter]
static void
draw_from_a_counter(int tickets[DRAWS]) { // each number is drawn once, whoever is faster
    long *window, one = 1, ticket;
    MPI_Win win;
    MPI_Win_allocate(rank == 0 ? LINE : 0, sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &window,
                     &win);
    MPI_Win_lock_all(0, win);
    if (rank == 0) {
        *window = 0;
        MPI_Win_sync(win);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; i < DRAWS; i++) {
        MPI_Fetch_and_op(&one, &ticket, MPI_LONG, 0, 0, MPI_SUM, win);
        MPI_Win_flush(0, win); // before this, the ticket is not there
        tickets[i] = (int)ticket;
    }
    MPI_Win_unlock_all(win);
    MPI_Win_free(&win);
}
// [/counter]

static void check_tickets(const int tickets[DRAWS]) {
    int *all = room((size_t)size * DRAWS * sizeof *all);
    int *seen = calloc((size_t)size * DRAWS, sizeof *seen);
    MPI_Gather(tickets, DRAWS, MPI_INT, all, DRAWS, MPI_INT, 0, MPI_COMM_WORLD);
    for (int i = 0; rank == 0 && seen != NULL && i < size * DRAWS; i++)
        check(all[i] >= 0 && all[i] < size * DRAWS && seen[all[i]]++ == 0, "Fetch_and_op");
    free(all);
    free(seen);
}

// [shared]
static void share_memory(void) { // no calls to write or read: a pointer into another rank's memory
    MPI_Comm node;
    MPI_Win win;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    int here = my_rank(node), on_node = size_of(node), *mine, *next, unit;
    MPI_Aint bytes;
    MPI_Win_allocate_shared(2 * sizeof(int), sizeof(int), MPI_INFO_NULL, node, &mine, &win);
    MPI_Win_shared_query(win, (here + 1) % on_node, &bytes, &unit, &next);

    MPI_Win_lock_all(MPI_MODE_NOCHECK, win);
    mine[0] = here;
    next[1] = here;    // written into the neighbour's
    MPI_Win_sync(win); // what was written, by me before and by others after the barrier, is seen
    MPI_Barrier(node);
    MPI_Win_sync(win);
    check(next[0] == (here + 1) % on_node, "what the neighbour wrote");
    check(mine[1] == (here + on_node - 1) % on_node, "what was written into mine");
    MPI_Win_unlock_all(win);
    // [/shared]
    check(bytes == 2 * sizeof(int) && unit == sizeof(int), "Win_shared_query");
    MPI_Win_free(&win);
    MPI_Comm_free(&node);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;
    int tickets[DRAWS];
    put_with_fence();
    get_with_post_and_start();
    accumulate_with_lock();
    draw_from_a_counter(tickets);
    check_tickets(tickets);
    share_memory();
    return verdict("onesided");
}
