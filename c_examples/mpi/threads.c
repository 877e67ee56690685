/*
 * Purpose: threads within ranks: the level that is asked for and the one that is given, and two ways to use them.
 * Run:     mpicc -pthread -o threads threads.c && mpirun -n 4 ./threads
 *          mpirun -n 4 ./threads funneled     or single, serialized, multiple
 * Source:  MPI 3.1, section 12.4
 */
#include "check.h"

#include <pthread.h>
#include <string.h>

enum { THREADS = 2, ROUNDS = 5, NUMBERS = 1000 };

static int rank, size;

// [levels]
// Their values grow: single < funneled < serialized < multiple
static const struct {
    const char *name;
    int value;
} levels[] = {{"single", MPI_THREAD_SINGLE},
              {"funneled", MPI_THREAD_FUNNELED},
              {"serialized", MPI_THREAD_SERIALIZED},
              {"multiple", MPI_THREAD_MULTIPLE}};

static int level_of(const char *name) { // -1: there is no such level
    for (int i = 0; i < 4; i++)
        if (strcmp(name, levels[i].name) == 0)
            return levels[i].value;
    return -1;
}
// [/levels]

static const char *name_of(int value) {
    for (int i = 0; i < 4; i++)
        if (levels[i].value == value)
            return levels[i].name;
    return "unknown";
}

struct work {
    int number;    // of the thread
    MPI_Comm comm; // for this thread alone
    double result;
};

static void run_threads(void *(*function)(void *), struct work work[THREADS]) {
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++)
        if (pthread_create(&threads[t], NULL, function, &work[t]) != 0)
            MPI_Abort(MPI_COMM_WORLD, 2);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
}

// [funneled]
// The threads compute. Only the main one, which called MPI_Init_thread, calls MPI.
static void *add_up(void *data) {
    struct work *work = data;
    work->result = 0.0;
    for (int i = work->number; i < NUMBERS; i += THREADS)
        work->result += rank * NUMBERS + i;
    return NULL;
}

static void funneled(void) {
    struct work work[THREADS] = {{.number = 0}, {.number = 1}};
    run_threads(add_up, work);
    double mine = work[0].result + work[1].result, all, n = (double)NUMBERS * size;
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    check(all == n * (n - 1.0) / 2.0, "the sum of all threads");
}
// [/funneled]

// [multiple]
// Every thread calls MPI whenever it likes. Each has its own communicator, so that none receives the other's.
static void *pass_on(void *data) {
    struct work *work = data;
    int value = 100 * work->number + rank;
    for (int round = 0; round < ROUNDS; round++)
        MPI_Sendrecv_replace(&value, 1, MPI_INT, (rank + 1) % size, 0, (rank + size - 1) % size, 0,
                             work->comm, MPI_STATUS_IGNORE);
    work->result = value;
    return NULL;
}

static void multiple(void) {
    struct work work[THREADS];
    for (int t = 0; t < THREADS; t++) {
        work[t].number = t;
        MPI_Comm_dup(MPI_COMM_WORLD, &work[t].comm);
    }
    run_threads(pass_on, work);
    for (int t = 0; t < THREADS; t++) {
        int from = (rank - ROUNDS % size + size) % size;
        check(work[t].result == 100 * t + from, "what a thread received");
        MPI_Comm_free(&work[t].comm);
    }
}
// [/multiple]

int main(int argc, char **argv) {
    // [init]
    int asked = level_of(argc > 1 ? argv[1] : "multiple"), given;
    MPI_Init_thread(&argc, &argv, asked < 0 ? MPI_THREAD_SINGLE : asked, &given);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    if (asked < 0)
        refuse("threads: give single, funneled, serialized or multiple");
    if (rank == 0)
        printf("asked for %s, given %s\n", name_of(asked), name_of(given));
    if (given < asked) // not !=: more than was asked for is enough too
        refuse("threads: this MPI does not give that level");
    // [/init]

    int is_main, same;
    MPI_Is_thread_main(&is_main);
    MPI_Query_thread(&same);
    check(is_main && same == given, "what MPI says of this thread");
    if (given >= MPI_THREAD_FUNNELED)
        funneled();
    if (given >= MPI_THREAD_MULTIPLE)
        multiple();
    return verdict("threads");
}
