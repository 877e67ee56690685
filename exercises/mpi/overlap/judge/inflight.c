/*
 * Purpose: linked into a program by the check, it follows what a rank has started and not completed: is the exchange on
 *          its way while cells are computed, is a halo cell read that is still to come, is a cell changed that is still
 *          to be sent? What is wrong first is told on stderr, as `judge: rank 0: ...`.
 * Source:  MPI 4.0, section 3.7 (nonblocking communication) and chapter 15 (profiling interface)
 */
#include <mpi.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inflight.h"

enum { MOST = 4096, WAITED, TESTED };

typedef struct {
    MPI_Request request, *place; // the handle, and the variable in which the program got it
    const unsigned char *sends, *receives; // NULL where it does not
    size_t bytes;
    uint64_t sum;
    int messages; // each way: of a collective, one for each neighbour
    int started;  // a persistent one is kept when it is not
    int persistent;
} flight;

static flight flights[MOST];
static int count;
static int cells, rank, neighbours;
static int posted;    // operations started since cells were computed last
static int tested[2]; // sends and receives that a MPI_Test has completed since then

static void say(const char *format, ...) {
    static int told;
    if (told++) // what follows the first fault is often its consequence
        return;
    char line[512];
    int length = snprintf(line, sizeof line, "judge: rank %d: ", rank);
    va_list rest;
    va_start(rest, format);
    vsnprintf(line + length, sizeof line - (size_t)length, format, rest);
    va_end(rest);
    fprintf(stderr, "%s\n", line);
    fflush(stderr);
}

static uint64_t sum(const unsigned char *buffer, size_t bytes) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ buffer[i]) * 1099511628211u;
    return hash;
}

// Look at what is on its way from us: it may not change.
static void look(void) {
    for (int i = 0; i < count; i++)
        if (flights[i].started && flights[i].sends &&
            flights[i].sum != sum(flights[i].sends, flights[i].bytes))
            say("changed: a cell that is on its way");
}

static flight *find(MPI_Request request, const MPI_Request *place) {
    flight *found = NULL;
    if (request == MPI_REQUEST_NULL)
        return NULL;
    for (int i = 0; i < count; i++)
        if (flights[i].request == request && (!found || flights[i].place == place))
            found = &flights[i];
    return found;
}

static void start(flight *f) {
    if (!posted++)
        tested[0] = tested[1] = 0;
    f->started = 1;
    f->sum = f->sends ? sum(f->sends, f->bytes) : 0;
}

static void add(const void *sends, const void *receives, int n, MPI_Datatype type,
                MPI_Request *request, int messages, int persistent) {
    int size;
    PMPI_Type_size(type, &size);
    if (count == MOST)
        return;
    flight f = {.request = *request, .place = request, .sends = sends, .receives = receives};
    f.bytes = (size_t)n * (size_t)size;
    f.messages = messages;
    f.persistent = persistent;
    if (!persistent)
        start(&f);
    flights[count++] = f;
}

static void complete(int how, MPI_Request old, const MPI_Request *place) {
    flight *f = find(old, place);
    if (!f || !f->started)
        return;
    if (how == TESTED) {
        tested[0] += f->sends ? f->messages : 0;
        tested[1] += f->receives ? f->messages : 0;
    }
    f->started = 0;
    if (!f->persistent)
        *f = flights[--count];
}

/* -- what is computed --------------------------------------------------------------------------------------------- */

void judge_compute(const double *u, int first, int last) {
    look();
    int on_way[2] = {tested[0], tested[1]};
    for (int i = 0; i < count; i++) {
        flight *f = &flights[i];
        if (!f->started)
            continue;
        on_way[0] += f->sends ? f->messages : 0;
        on_way[1] += f->receives ? f->messages : 0;
        const unsigned char *from = (const unsigned char *)&u[first - 1],
                            *to = (const unsigned char *)&u[last + 2];
        if (f->receives && f->receives < to && f->receives + f->bytes * (size_t)f->messages > from)
            say("halo: cells %d to %d of %d", first, last, cells);
    }
    int from = first > 2 ? first : 2,
        to = last < cells - 1 ? last : cells - 1; // of those that need no halo
    if (from <= to) {
        if (!on_way[0] && !on_way[1] && neighbours)
            say("%s: cells %d to %d of %d", posted ? "waited" : "not started", from, to, cells);
        else if (on_way[1] < neighbours)
            say("receives: cells %d to %d of %d", from, to, cells);
        else if (on_way[0] < neighbours)
            say("sends: cells %d to %d of %d", from, to, cells);
    }
    posted = 0;
}

int MPI_Init(int *argc, char ***argv) {
    int code = PMPI_Init(argc, argv), size;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    PMPI_Comm_size(MPI_COMM_WORLD, &size);
    int n = atoi((*argv)[1]);
    cells = n * (rank + 1) / size - n * rank / size;
    neighbours = (rank > 0) + (rank < size - 1);
    return code;
}

/* -- what starts -------------------------------------------------------------------------------------------------- */

#define SEND(name, persistent)                                                                     \
    int MPI_##name(const void *buffer, int n, MPI_Datatype type, int peer, int tag, MPI_Comm comm, \
                   MPI_Request *request) {                                                         \
        int code = PMPI_##name(buffer, n, type, peer, tag, comm, request);                         \
        if (peer != MPI_PROC_NULL)                                                                 \
            add(buffer, NULL, n, type, request, 1, persistent);                                    \
        return code;                                                                               \
    }
#define RECEIVE(name, persistent)                                                                  \
    int MPI_##name(void *buffer, int n, MPI_Datatype type, int peer, int tag, MPI_Comm comm,       \
                   MPI_Request *request) {                                                         \
        int code = PMPI_##name(buffer, n, type, peer, tag, comm, request);                         \
        if (peer != MPI_PROC_NULL)                                                                 \
            add(NULL, buffer, n, type, request, 1, persistent);                                    \
        return code;                                                                               \
    }
SEND(Isend, 0)
SEND(Issend, 0)
SEND(Send_init, 1)
SEND(Ssend_init, 1)
RECEIVE(Irecv, 0)
RECEIVE(Recv_init, 1)

int MPI_Ineighbor_alltoall(const void *sends, int n, MPI_Datatype type, void *receives, int m,
                           MPI_Datatype other, MPI_Comm comm, MPI_Request *request) {
    int code = PMPI_Ineighbor_alltoall(sends, n, type, receives, m, other, comm, request);
    add(sends, receives, n, type, request, neighbours, 0);
    return code;
}

int MPI_Start(MPI_Request *request) {
    flight *f = find(*request, request);
    if (f)
        start(f);
    return PMPI_Start(request);
}

int MPI_Startall(int n, MPI_Request requests[]) {
    for (int i = 0; i < n; i++) {
        flight *f = find(requests[i], &requests[i]);
        if (f)
            start(f);
    }
    return PMPI_Startall(n, requests);
}

/* -- what completes ----------------------------------------------------------------------------------------------- */

static MPI_Request *copy(int n, const MPI_Request *requests) {
    MPI_Request *old = malloc(((size_t)n + 1) * sizeof *old);
    memcpy(old, requests, (size_t)n * sizeof *old);
    return old;
}

static void completed(int how, int n, const int *which, MPI_Request *old,
                      const MPI_Request *requests) {
    for (int i = 0; i < n; i++) {
        int k = which ? which[i] : i;
        complete(how, old[k], &requests[k]);
    }
    free(old);
}

int MPI_Wait(MPI_Request *request, MPI_Status *status) {
    look();
    MPI_Request *old = copy(1, request);
    int code = PMPI_Wait(request, status);
    completed(WAITED, 1, NULL, old, request);
    return code;
}

int MPI_Waitall(int n, MPI_Request requests[], MPI_Status statuses[]) {
    look();
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Waitall(n, requests, statuses);
    completed(WAITED, n, NULL, old, requests);
    return code;
}

int MPI_Waitany(int n, MPI_Request requests[], int *index, MPI_Status *status) {
    look();
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Waitany(n, requests, index, status);
    completed(WAITED, *index != MPI_UNDEFINED, index, old, requests);
    return code;
}

int MPI_Waitsome(int n, MPI_Request requests[], int *done, int which[], MPI_Status statuses[]) {
    look();
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Waitsome(n, requests, done, which, statuses);
    completed(WAITED, *done == MPI_UNDEFINED ? 0 : *done, which, old, requests);
    return code;
}

int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status) {
    look();
    MPI_Request *old = copy(1, request);
    int code = PMPI_Test(request, flag, status);
    completed(TESTED, *flag != 0, NULL, old, request);
    return code;
}

int MPI_Testall(int n, MPI_Request requests[], int *flag, MPI_Status statuses[]) {
    look();
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Testall(n, requests, flag, statuses);
    completed(TESTED, *flag ? n : 0, NULL, old, requests);
    return code;
}

int MPI_Testany(int n, MPI_Request requests[], int *index, int *flag, MPI_Status *status) {
    look();
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Testany(n, requests, index, flag, status);
    completed(TESTED, *flag && *index != MPI_UNDEFINED, index, old, requests);
    return code;
}

int MPI_Testsome(int n, MPI_Request requests[], int *done, int which[], MPI_Status statuses[]) {
    look();
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Testsome(n, requests, done, which, statuses);
    completed(TESTED, *done == MPI_UNDEFINED ? 0 : *done, which, old, requests);
    return code;
}

int MPI_Finalize(void) {
    look();
    for (int i = 0; i < count; i++)
        if (flights[i].started)
            say("never complete: a %s", flights[i].sends ? "send" : "receive");
    return PMPI_Finalize();
}
