/*
 * Purpose: a farm: rank 0 hands out tasks, the workers send results, and who is ready gets the next task.
 * Run:     mpicc -O2 -o farm farm.c work.c && mpirun -n 4 ./farm 9
 * Source:  MPI 4.0, section 3.2.4 (blocking receive: wildcards) and 3.2.5 (return status)
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "work.h"

enum { TASK, RESULT }; // tags
enum { STOP = -1 };    // in place of a task

static void hand(int task, int worker) {
    MPI_Send(&task, 1, MPI_INT, worker, TASK, MPI_COMM_WORLD);
}

// Rank 0: results[k] becomes the result of task k.
static void master(int tasks, double *results, int size) {
    int next = 0, working = 0;
    int *task_of = malloc((size_t)size * sizeof *task_of);
    for (int worker = 1; worker < size; worker++) {
        if (next < tasks) {
            task_of[worker] = next;
            hand(next++, worker);
            working++;
        } else {
            hand(STOP, worker);
        }
    }
    while (working > 0) {
        double result;
        MPI_Status status;
        MPI_Recv(&result, 1, MPI_DOUBLE, MPI_ANY_SOURCE, RESULT, MPI_COMM_WORLD, &status);
        if (next < tasks) {
            task_of[status.MPI_SOURCE] = next;
            hand(next++, status.MPI_SOURCE);
        } else {
            hand(STOP, status.MPI_SOURCE);
            working--;
        }
        results[task_of[status.MPI_SOURCE]] = result;
    }
    free(task_of);
}

static void worker(void) {
    for (;;) {
        int task;
        MPI_Recv(&task, 1, MPI_INT, 0, TASK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (task == STOP)
            return;
        double result = work(task);
        MPI_Send(&result, 1, MPI_DOUBLE, 0, RESULT, MPI_COMM_WORLD);
    }
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int tasks = argc > 1 ? atoi(argv[1]) : 9;
    if (size < 2 || tasks < 0) {
        fprintf(stderr, "farm: needs rank 0 and a worker\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    if (rank == 0) {
        double *results = calloc((size_t)tasks + 1, sizeof *results);
        master(tasks, results, size);
        for (int k = 0; k < tasks; k++)
            printf("molecule %d: %.6f\n", k, results[k]);
        free(results);
    } else {
        worker();
    }
    MPI_Finalize();
    return 0;
}
