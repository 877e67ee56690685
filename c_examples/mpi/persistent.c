/*
 * Purpose: the same halo exchange in every step, described once and started again and again; and a sum over all ranks
 *          that is computed while the next step goes on.
 * Run:     mpicc -o persistent persistent.c && mpirun -n 4 ./persistent
 * Source:  MPI 3.1, sections 3.9 and 5.12
 */
#include "check.h"

#include <string.h>

enum { CELLS = 6, STEPS = 20, PRIME = 10007 };

static int rank, size;
static int cells[CELLS + 2]; // [0] and [CELLS + 1]: the neighbours' nearest

// [rule]
static void step_on(int *x, int count) { // x[0] and x[count + 1] are given
    int before = x[0];
    for (int i = 1; i <= count; i++) {
        int here = x[i];
        x[i] = (before + 2 * here + x[i + 1]) % PRIME;
        before = here;
    }
}
// [/rule]

// The same on one rank: the cell at the same place, and the sums after all steps
static int *all_on_one_rank(int sums[STEPS]) {
    int count = CELLS * size, *x = room(((size_t)count + 2) * sizeof *x);
    for (int i = 0; i <= count + 1; i++)
        x[i] = i;
    x[0] = x[count + 1] = 0;
    for (int step = 0; step < STEPS; step++) {
        step_on(x, count);
        sums[step] = 0;
        for (int i = 1; i <= count; i++)
            sums[step] += x[i];
    }
    return x;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    int left = rank > 0 ? rank - 1 : MPI_PROC_NULL;
    int right = rank < size - 1 ? rank + 1 : MPI_PROC_NULL;
    for (int i = 1; i <= CELLS; i++)
        cells[i] = rank * CELLS + i;

    // [init]
    MPI_Request halo[4]; // what goes where, from and to which memory; nothing is sent yet
    MPI_Recv_init(&cells[0], 1, MPI_INT, left, 0, MPI_COMM_WORLD, &halo[0]);
    MPI_Recv_init(&cells[CELLS + 1], 1, MPI_INT, right, 1, MPI_COMM_WORLD, &halo[1]);
    MPI_Send_init(&cells[CELLS], 1, MPI_INT, right, 0, MPI_COMM_WORLD, &halo[2]);
    MPI_Send_init(&cells[1], 1, MPI_INT, left, 1, MPI_COMM_WORLD, &halo[3]);
    // [/init]

    int mine, sums[STEPS];
    MPI_Request sum = MPI_REQUEST_NULL;
    // [steps]
    for (int step = 0; step < STEPS; step++) {
        MPI_Startall(4, halo);
        MPI_Waitall(4, halo, MPI_STATUSES_IGNORE); // they are inactive now, and still there
        step_on(cells, CELLS);

        MPI_Wait(&sum, MPI_STATUS_IGNORE); // of the step before: until now, mine was in use
        mine = 0;
        for (int i = 1; i <= CELLS; i++)
            mine += cells[i];
        MPI_Iallreduce(&mine, &sums[step], 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &sum);
    }
    MPI_Wait(&sum, MPI_STATUS_IGNORE);
    for (int i = 0; i < 4; i++)
        MPI_Request_free(&halo[i]);
    // [/steps]

    int must[STEPS], *x = all_on_one_rank(must);
    check(memcmp(cells + 1, x + 1 + rank * CELLS, CELLS * sizeof *x) == 0, "the cells");
    check(memcmp(sums, must, sizeof must) == 0, "the sums");
    check(halo[0] == MPI_REQUEST_NULL, "a request that is freed");
    if (rank == 0)
        printf("the sum after %d steps: %d\n", STEPS, sums[STEPS - 1]);
    free(x);
    return verdict("persistent");
}
