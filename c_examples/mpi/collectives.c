/*
 * Purpose: every collective operation against what it must give, and two broadcasts made of Send and Recv.
 * Run:     mpicc -o collectives collectives.c && mpirun -n 4 ./collectives
 * Source:  the binomial tree: Thakur, Rabenseifner and Gropp, Optimization of Collective Communication Operations in
 *          MPICH, International Journal of High Performance Computing Applications 19 (2005), section 4
 */
#include "check.h"

static int rank, size;
static const MPI_Comm world = MPI_COMM_WORLD;

// [linear]
static int broadcast_linear(int *value) { // returns how many messages this rank sent
    if (rank != 0) {
        MPI_Recv(value, 1, MPI_INT, 0, 0, world, MPI_STATUS_IGNORE);
        return 0;
    }
    for (int to = 1; to < size; to++)
        MPI_Send(value, 1, MPI_INT, to, 0, world);
    return size - 1;
}
// [/linear]

// [binomial]
static int broadcast_binomial(int *value) {
    int sent = 0;
    for (int know = 1; know < size; know *= 2) { // the ranks below know have it, and each tells one
        if (rank < know && rank + know < size) {
            MPI_Send(value, 1, MPI_INT, rank + know, 0, world);
            sent++;
        } else if (rank >= know && rank < 2 * know) {
            MPI_Recv(value, 1, MPI_INT, rank - know, 0, world, MPI_STATUS_IGNORE);
        }
    }
    return sent;
}
// [/binomial]

static void try_broadcast(const char *name, int (*broadcast)(int *)) {
    int value = rank == 0 ? 42 : 0, sent = broadcast(&value), messages;
    check(value == 42, name);
    MPI_Reduce(&sent, &messages, 1, MPI_INT, MPI_SUM, 0, world);
    if (rank == 0)
        printf("broadcast, %s: %d messages, %d of them by rank 0\n", name, messages, sent);
}

// Rank r has r + 1 numbers in what follows, and they begin at 0, 1, 3, 6, ...
static int begin(int r) {
    return r * (r + 1) / 2;
}

static void one_to_all_and_back(int *all, int *mine, int *counts, int *begins) {
    // [scatter]
    for (int i = 0; i < 2 * size; i++)
        all[i] = rank == 0 ? 100 + i : -1;
    MPI_Scatter(all, 2, MPI_INT, mine, 2, MPI_INT, 0, world);
    check(mine[0] == 100 + 2 * rank && mine[1] == 101 + 2 * rank, "Scatter");
    // [/scatter]
    MPI_Gather(&rank, 1, MPI_INT, all, 1, MPI_INT, 0, world);
    for (int r = 0; rank == 0 && r < size; r++)
        check(all[r] == r, "Gather");
    MPI_Allgather(&rank, 1, MPI_INT, all, 1, MPI_INT, world);
    for (int r = 0; r < size; r++)
        check(all[r] == r, "Allgather");

    // [v]
    for (int r = 0; r < size; r++) {
        counts[r] = r + 1;
        begins[r] = begin(r);
    }
    for (int i = 0; i < begin(size); i++)
        all[i] = rank == 0 ? 10 * i : -1;
    MPI_Scatterv(all, counts, begins, MPI_INT, mine, rank + 1, MPI_INT, 0, world);
    // [/v]
    for (int i = 0; i <= rank; i++) {
        check(mine[i] == 10 * (begin(rank) + i), "Scatterv");
        mine[i] += 1;
    }
    MPI_Gatherv(mine, rank + 1, MPI_INT, all, counts, begins, MPI_INT, 0, world);
    for (int i = 0; rank == 0 && i < begin(size); i++)
        check(all[i] == 10 * i + 1, "Gatherv");
    MPI_Allgatherv(mine, rank + 1, MPI_INT, all, counts, begins, MPI_INT, world);
    for (int i = 0; i < begin(size); i++)
        check(all[i] == 10 * i + 1, "Allgatherv");
}

static void reductions(int *all) {
    int mine = rank + 1, sum = -1, before = -1; // Exscan leaves rank 0's as it is
    // [reduce]
    MPI_Reduce(&mine, &sum, 1, MPI_INT, MPI_SUM, 0, world);
    check(sum == (rank == 0 ? begin(size) : -1), "Reduce");
    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, world);
    check(sum == begin(size), "Allreduce");
    MPI_Scan(&mine, &sum, 1, MPI_INT, MPI_SUM, world); // of the ranks up to this one
    check(sum == begin(rank + 1), "Scan");
    MPI_Exscan(&mine, &before, 1, MPI_INT, MPI_SUM, world); // of the ranks before this one
    check(before == (rank == 0 ? -1 : begin(rank)), "Exscan");
    // [/reduce]
    for (int r = 0; r < size; r++)
        all[r] = mine * (r + 1);
    MPI_Reduce_scatter_block(all, &sum, 1, MPI_INT, MPI_SUM, world);
    check(sum == begin(size) * (rank + 1), "Reduce_scatter_block");
}

static void all_to_all(int *out, int *in, int *counts, int *begins) {
    // [alltoall]
    for (int r = 0; r < size; r++)
        out[r] = 100 * rank + r;
    MPI_Alltoall(out, 1, MPI_INT, in, 1, MPI_INT, world);
    for (int r = 0; r < size; r++)
        check(in[r] == 100 * r + rank, "Alltoall");
    // [/alltoall]
    int *in_counts = room((size_t)size * sizeof(int)),
        *in_begins = room((size_t)size * sizeof(int));
    for (int r = 0; r < size; r++) { // r + 1 numbers to rank r, so rank + 1 from each
        counts[r] = r + 1;
        begins[r] = begin(r);
        in_counts[r] = rank + 1;
        in_begins[r] = r * (rank + 1);
        for (int i = 0; i <= r; i++)
            out[begin(r) + i] = 1000 * rank + 10 * r + i;
    }
    MPI_Alltoallv(out, counts, begins, MPI_INT, in, in_counts, in_begins, MPI_INT, world);
    for (int r = 0; r < size; r++)
        for (int i = 0; i <= rank; i++)
            check(in[r * (rank + 1) + i] == 1000 * r + 10 * rank + i, "Alltoallv");
    free(in_counts);
    free(in_begins);
}

// Nobody is past a barrier before all have come to it
static void barrier(void) {
    double before = MPI_Wtime(), last;
    MPI_Barrier(world);
    double after = MPI_Wtime();
    MPI_Allreduce(&before, &last, 1, MPI_DOUBLE, MPI_MAX, world);
    int one_clock, *global; // ranks on different nodes cannot compare their clocks
    MPI_Comm_get_attr(world, MPI_WTIME_IS_GLOBAL, &global, &one_clock);
    check(!one_clock || !*global || after >= last, "Barrier");
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(world);
    size = size_of(world);
    size_t most = (size_t)size * ((size_t)size + 1) * sizeof(int);
    int *a = room(most), *b = room(most), *counts = room(most), *begins = room(most);

    int value = rank == 0 ? 7 : 0;
    MPI_Bcast(&value, 1, MPI_INT, 0, world);
    check(value == 7, "Bcast");
    one_to_all_and_back(a, b, counts, begins);
    reductions(a);
    all_to_all(a, b, counts, begins);
    barrier();
    try_broadcast("linear", broadcast_linear);
    try_broadcast("binomial tree", broadcast_binomial);

    free(a);
    free(b);
    free(counts);
    free(begins);
    return verdict("collectives");
}
