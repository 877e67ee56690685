/*
 * Wrong on purpose: rank 0 makes mistakes with epochs, one after the other. A right Put comes first.
 * Purpose: says which of the mistakes this MPI refuses, and whether the memory of the other rank was changed.
 * Run:     mpicc -o epochs epochs.c && mpirun -n 2 ./epochs
 * Source:  MPI 3.1, section 11.5
 */
#include "check.h"

#include <string.h>

enum { LINE = 64, NUMBERS = LINE / sizeof(int), BEFORE = -1, PUT = 7, UNTOUCHED = -5 };

static int target; // the rank in whose memory rank 0 writes
static MPI_Win win;

static int put(int at) {
    const int value = PUT;
    return MPI_Put(&value, 1, MPI_INT, target, at, 1, MPI_INT, win);
}

// [right]
static int right(void) {
    MPI_Win_lock(MPI_LOCK_SHARED, target, 0, win); // an epoch begins
    int code = put(0);
    MPI_Win_unlock(target, win); // and ends: the number is in the target's memory
    return code;
}
// [/right]

// [mistakes]
static int no_epoch(void) {
    return put(0);
}

static int epoch_is_over(void) {
    MPI_Win_lock(MPI_LOCK_SHARED, target, 0, win);
    MPI_Win_unlock(target, win);
    return put(0);
}

static int epoch_with_another(void) { // the lock is for rank 0's own memory
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win);
    int code = put(0);
    MPI_Win_unlock(0, win);
    return code;
}

static int behind_the_window(void) { // it has numbers 0 to NUMBERS - 1
    MPI_Win_lock(MPI_LOCK_SHARED, target, 0, win);
    int code = put(NUMBERS);
    MPI_Win_unlock(target, win);
    return code;
}

static int locked_twice(void) {
    MPI_Win_lock(MPI_LOCK_SHARED, target, 0, win);
    int code = MPI_Win_lock(MPI_LOCK_SHARED, target, 0, win);
    MPI_Win_unlock(target, win);
    return code;
}

static int unlocked_only(void) {
    return MPI_Win_unlock(target, win);
}

static const char *read_early(void) {
    int got = UNTOUCHED;
    MPI_Win_lock(MPI_LOCK_SHARED, target, 0, win);
    MPI_Get(&got, 1, MPI_INT, target, 0, 1, MPI_INT, win);
    int early = got; // wrong: the epoch has not ended
    MPI_Win_unlock(target, win);
    check(got == BEFORE, "Get, after the epoch");
    return early == UNTOUCHED ? "not there" : "there, by luck";
}
// [/mistakes]

static const struct {
    const char *name;
    int (*make)(void);
} cases[] = {{"right", right},
             {"no epoch", no_epoch},
             {"the epoch is over", epoch_is_over},
             {"an epoch with another rank", epoch_with_another},
             {"behind the window", behind_the_window},
             {"locked twice", locked_twice},
             {"unlocked, and not locked", unlocked_only}};

static const char *answer(int code) {
    int class;
    MPI_Error_class(code, &class);
    return class == MPI_SUCCESS         ? "accepted"
           : class == MPI_ERR_RMA_SYNC  ? "refused, MPI_ERR_RMA_SYNC"
           : class == MPI_ERR_RMA_RANGE ? "refused, MPI_ERR_RMA_RANGE"
                                        : "refused, another error";
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank = my_rank(MPI_COMM_WORLD), size = size_of(MPI_COMM_WORLD), *memory;
    target = 1 % size;
    for (int k = 0; k < (int)(sizeof cases / sizeof cases[0]); k++) {
        const char *said = "";
        int changed = 0;
        MPI_Win_allocate(LINE, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &win);
        MPI_Win_set_errhandler(win, MPI_ERRORS_RETURN); // without it, the first mistake is the end
        for (int i = 0; i < NUMBERS; i++)
            memory[i] = BEFORE;
        MPI_Barrier(MPI_COMM_WORLD);
        if (rank == 0)
            said = answer(cases[k].make());
        MPI_Barrier(MPI_COMM_WORLD);
        for (int i = 0; i < NUMBERS; i++)
            changed += memory[i] != BEFORE;
        MPI_Allreduce(MPI_IN_PLACE, &changed, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        if (rank == 0)
            printf("%s: %s; numbers changed: %d\n", cases[k].name, said, changed);
        if (rank == 0 && k == 0)
            check(strcmp(said, "accepted") == 0 && changed == 1, "the right Put");
        MPI_Win_free(&win);
    }
    MPI_Win_allocate(LINE, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &win);
    *memory = BEFORE;
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        printf("a number that is used before the epoch ends: %s\n", read_early());
    MPI_Win_free(&win);
    return verdict("epochs");
}
