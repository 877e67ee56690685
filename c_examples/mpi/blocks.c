/*
 * Purpose: n numbers shared out to ranks by Scatterv and gathered by Gatherv, whatever n is: also when the ranks do
 *          not divide it, and when there are fewer numbers than ranks.
 * Run:     mpicc -o blocks blocks.c && mpirun -n 4 ./blocks 10
 * Source:  none
 */
#include "check.h"

static int rank, size;

// [share]
// The first n % size ranks get one more than the others
static int share(int n, int r) {
    return n / size + (r < n % size ? 1 : 0);
}

static int begin(int n, int r) { // how many the ranks before r have
    int rest = n % size;
    return r * (n / size) + (r < rest ? r : rest);
}
// [/share]

static void there_and_back(int n, int tell) {
    int *counts = NULL, *begins = NULL, *all = NULL;
    // [counts]
    if (rank == 0) { // of no use elsewhere
        counts = room((size_t)size * sizeof *counts);
        begins = room((size_t)size * sizeof *begins);
        all = room((size_t)n * sizeof *all);
        for (int r = 0; r < size; r++) {
            counts[r] = share(n, r);
            begins[r] = begin(n, r);
        }
        for (int i = 0; i < n; i++)
            all[i] = i;
    }
    // [/counts]
    int mine = share(n, rank), first = begin(n, rank);
    int *block = room((size_t)mine * sizeof *block);

    // [scatterv]
    MPI_Scatterv(all, counts, begins, MPI_INT, block, mine, MPI_INT, 0, MPI_COMM_WORLD);
    for (int i = 0; i < mine; i++) {
        check(block[i] == first + i, "a number after Scatterv");
        block[i] = block[i] * block[i];
    }
    for (int i = 0; rank == 0 && i < n; i++)
        all[i] = -1;
    MPI_Gatherv(block, mine, MPI_INT, all, counts, begins, MPI_INT, 0, MPI_COMM_WORLD);
    // [/scatterv]
    for (int i = 0; rank == 0 && i < n; i++)
        check(all[i] == i * i, "a number after Gatherv");

    int sum, most, least;
    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(&mine, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Allreduce(&mine, &least, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    check(sum == n && most - least <= 1, "the shares");
    if (tell)
        say("rank %d: %d from %d", rank, mine, first);
    free(counts);
    free(begins);
    free(all);
    free(block);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    int n = argc > 1 ? atoi(argv[1]) : 10;
    if (n < 0 || n > 40000) // beyond, a square is not an int
        refuse("blocks: give how many numbers, from 0 to 40000");
    there_and_back(n, 1);
    for (int other = 0; other <= 2 * size; other++) // none, fewer than ranks, as many, more
        there_and_back(other, 0);
    return verdict("blocks");
}
