/*
 * Purpose: the ranks draw tickets from a counter in the memory of rank 0, without its help: rank r draws each + r of them.
 *          Then each writes how many it has drawn into a table of rank 0's.
 * Run:     mpicc -O2 -o tickets tickets.c && mpirun -n 4 ./tickets 5
 * Source:  MPI 4.0, chapter 12 (one-sided communications)
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

// Draw the next ticket: 0, 1, 2, and so on, each for one rank alone. The counter is number 0 of rank 0's window.
static long draw(MPI_Win window) {
    long ticket;
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
    MPI_Get(&ticket, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
    MPI_Win_flush(0, window);
    long next = ticket + 1;
    MPI_Put(&next, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
    MPI_Win_unlock(0, window);
    return ticket;
}

// All ranks: what rank r has drawn becomes number 1 + r of rank 0's window.
static void report(MPI_Win window, long drawn, int rank) {
    MPI_Win_fence(0, window);
    MPI_Put(&drawn, 1, MPI_LONG, 0, 1 + rank, 1, MPI_LONG, window);
    MPI_Win_fence(MPI_MODE_NOSUCCEED, window);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int each = argc > 1 ? atoi(argv[1]) : 5;
    int mine = each + rank, total = size * each + size * (size - 1) / 2;

    long *memory;
    MPI_Win window;
    MPI_Aint bytes = rank == 0 ? (1 + size) * (MPI_Aint)sizeof(long) : 0;
    MPI_Win_allocate(bytes, sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
    MPI_Win_fence(0, window);
    for (int i = 0; i <= size && rank == 0; i++)
        memory[i] = 0;
    MPI_Win_fence(MPI_MODE_NOSUCCEED, window);

    int *times =
        calloc((size_t)total + 1, sizeof *times); // the last: of tickets that there are not
    for (int k = 0; k < mine; k++) {
        long ticket = draw(window);
        times[ticket >= 0 && ticket < total ? ticket : total]++;
    }
    MPI_Barrier(MPI_COMM_WORLD);
    report(window, mine, rank);

    for (int r = 0; r < size && rank == 0; r++)
        printf("rank %d: %ld tickets\n", r, memory[1 + r]);
    int *all = calloc((size_t)total + 1, sizeof *all);
    MPI_Reduce(times, all, total + 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    for (int k = 0; k < total && rank == 0; k++)
        if (all[k] != 1)
            printf("ticket %d: drawn %d times\n", k, all[k]);
    if (rank == 0)
        printf("tickets = %d, of others = %d, counter = %ld\n", total, all[total], memory[0]);
    free(all);
    free(times);
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
