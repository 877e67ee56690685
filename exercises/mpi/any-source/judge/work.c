/*
 * Purpose: the tasks of the check. On four ranks their results come in one order: of tasks 2, 1, 3, 4, and so on, and
 *          last of task 0. A worker ends each when rank 0 has taken the result before, or after some seconds.
 * Source:  mmap(2)
 */
#include "work.h"

#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "board.h"

board *shared(void) {
    static board *one;
    if (!one) {
        int fd = open("board", O_RDWR);
        one = mmap(NULL, sizeof *one, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (one == MAP_FAILED)
            exit(9);
        close(fd);
    }
    return one;
}

static int last = -1; // the task whose result this rank has sent last

static void answered(void) {
    if (last >= 0)
        atomic_store(&shared()->answered[last], 1);
}

static double now(void) { // MPI_Wtime would say to whoever looks on that we wait for a time
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int all_begun(void) {
    int begun = 0;
    for (int k = 0; k < shared()->tasks; k++)
        begun += atomic_load(&shared()->begun[k]) > 0;
    return begun;
}

// Whether rank 0 has taken that result, before nothing happens for some seconds
static int wait_for(int task, double seconds) {
    int begun = 0;
    for (double end = 0.0; !atomic_load(&shared()->answered[task]);) {
        if (begun != all_begun()) {
            begun = all_begun();
            end = now() + seconds;
        }
        if (now() > end)
            return 0;
        usleep(200);
    }
    return 1;
}

double work(int task) {
    board *b = shared();
    answered();
    if (task < 0 || task >= b->tasks) {
        fprintf(stderr, "judge: no such task: %d of %d\n", task, b->tasks);
        return 0.0;
    }
    if (atomic_fetch_add(&b->begun[task], 1))
        fprintf(stderr, "judge: done twice: task %d\n", task);
    if (b->ordered && task == 0 && !wait_for(b->tasks - 1, 2.5)) {
        fprintf(stderr, "judge: idle: while task 0 went on, %d of %d other tasks were begun\n",
                all_begun() - 1, b->tasks - 1);
    }
    if (b->ordered && task > 2)
        wait_for(task == 3 ? 1 : task - 1, 2.5);
    last = task;
    return 1000.0 / (task + 3.0);
}

/* A worker has something new from rank 0. */

int MPI_Wait(MPI_Request *request, MPI_Status *status) {
    int code = PMPI_Wait(request, status);
    answered();
    return code;
}

int MPI_Finalize(void) {
    answered();
    return PMPI_Finalize();
}

/*
 * A receive or probe from any source takes what the MPI chooses among the messages that are there. On rank 0 the first
 * takes rank 3's, when rank 2's is there too; and a receive takes another message than the one that a probe has named.
 */
static int first = 1, named = MPI_PROC_NULL;

static int there(int source, int tag, MPI_Comm comm) {
    int flag;
    PMPI_Iprobe(source, tag, comm, &flag, MPI_STATUS_IGNORE);
    return flag;
}

static int choose(int tag, MPI_Comm comm) {
    int rank, size;
    PMPI_Comm_rank(comm, &rank);
    PMPI_Comm_size(comm, &size);
    if (rank > 0 || !shared()->ordered)
        return MPI_ANY_SOURCE;
    double end = now() + 2.0;
    while (first && !(there(2, tag, comm) && there(3, tag, comm)) && now() < end)
        usleep(200);
    if (first && named == MPI_PROC_NULL && there(3, tag, comm))
        return 3;
    for (int other = size - 1; other > 0 && named != MPI_PROC_NULL; other--)
        if (other != named && there(other, tag, comm))
            return other;
    return MPI_ANY_SOURCE;
}

int MPI_Probe(int source, int tag, MPI_Comm comm, MPI_Status *status) {
    MPI_Status own, *to = status == MPI_STATUS_IGNORE ? &own : status;
    int code = PMPI_Probe(source == MPI_ANY_SOURCE ? choose(tag, comm) : source, tag, comm, to);
    named = to->MPI_SOURCE;
    return code;
}

int MPI_Recv(void *buffer, int n, MPI_Datatype type, int source, int tag, MPI_Comm comm,
             MPI_Status *status) {
    int from = source == MPI_ANY_SOURCE ? choose(tag, comm) : source;
    int code = PMPI_Recv(buffer, n, type, from, tag, comm, status);
    first = 0;
    named = MPI_PROC_NULL;
    answered();
    return code;
}
