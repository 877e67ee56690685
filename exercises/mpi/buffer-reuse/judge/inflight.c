/*
 * Purpose: linked into a program by the check, it watches the buffers of nonblocking sends: from the start of a send
 *          until its completion nobody may change them. What is wrong is told on stderr, as `judge: rank 0: …`.
 * Source:  MPI 4.0, section 3.7 (nonblocking communication) and chapter 15 (profiling interface)
 */
#include <malloc.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inflight.h"

enum { MOST = 4096 };

typedef struct {
    MPI_Request request, *place; // the handle, and the variable in which the program got it
    const unsigned char *buffer;
    size_t bytes;
    uint64_t sum;
    int peer, tag;
    int started; // a persistent one is kept when it is not
    int persistent;
    int refused; // MPI_Test has said that it is not complete
} flight;

static flight flights[MOST];
static int count;

void judge_say(const char *format, ...) {
    char line[512];
    int rank;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int length = snprintf(line, sizeof line, "judge: rank %d: ", rank);
    va_list rest;
    va_start(rest, format);
    vsnprintf(line + length, sizeof line - (size_t)length, format, rest);
    va_end(rest);
    fprintf(stderr, "%s\n", line);
    fflush(stderr);
    PMPI_Abort(MPI_COMM_WORLD, 3); // what comes after the first fault is chance
}

static uint64_t sum(const unsigned char *buffer, size_t bytes) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ buffer[i]) * 1099511628211u;
    return hash;
}

// Look at the buffers of all that is on its way. `now`: the call in which we look.
static void look(const char *now) {
    for (int i = 0; i < count; i++) {
        flight *f = &flights[i];
        if (!f->started)
            continue;
        if (f->sum != sum(f->buffer, f->bytes))
            judge_say("changed%s: the send with tag %d to rank %d, seen in %s",
                      f->refused ? " after MPI_Test said no" : "", f->tag, f->peer, now);
    }
}

// The linker calls this in place of free (--wrap=free): a buffer that is given back on its way is told before it is.
void __real_free(void *memory);
void __wrap_free(void *memory) {
    const unsigned char *from = memory;
    for (int i = 0; i < count && memory; i++)
        if (flights[i].started && flights[i].buffer >= from &&
            flights[i].buffer < from + malloc_usable_size(memory))
            judge_say("freed: the send with tag %d to rank %d", flights[i].tag, flights[i].peer);
    __real_free(memory);
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

static void forget(flight *f) {
    if (f)
        *f = flights[--count];
}

static void add(const void *buffer, int n, MPI_Datatype type, int peer, int tag,
                MPI_Request *request, int persistent) {
    int size;
    PMPI_Type_size(type, &size);
    if (peer == MPI_PROC_NULL || count == MOST)
        return;
    flight f = {
        .request = *request, .place = request, .buffer = buffer, .bytes = (size_t)n * (size_t)size};
    f.peer = peer;
    f.tag = tag;
    f.persistent = persistent;
    f.started = !persistent;
    f.sum = sum(f.buffer, f.bytes);
    flights[count++] = f;
}

static void start(MPI_Request *request) {
    flight *f = find(*request, request);
    if (f) {
        f->started = 1;
        f->refused = 0;
        f->sum = sum(f->buffer, f->bytes);
    }
}

static void complete(MPI_Request old, const MPI_Request *place) {
    flight *f = find(old, place);
    if (f && f->persistent)
        f->started = 0;
    else
        forget(f);
}

static void not_yet(int n, const MPI_Request *requests) {
    for (int i = 0; i < n; i++) {
        flight *f = find(requests[i], &requests[i]);
        if (f)
            f->refused = 1;
    }
}

/* -- what starts -------------------------------------------------------------------------------------------------- */

#define ISEND(name)                                                                                \
    int MPI_##name(const void *buffer, int n, MPI_Datatype type, int peer, int tag, MPI_Comm comm, \
                   MPI_Request *request) {                                                         \
        look("MPI_" #name);                                                                        \
        int code = PMPI_##name(buffer, n, type, peer, tag, comm, request);                         \
        add(buffer, n, type, peer, tag, request, 0);                                               \
        return code;                                                                               \
    }
#define SEND_INIT(name)                                                                            \
    int MPI_##name(const void *buffer, int n, MPI_Datatype type, int peer, int tag, MPI_Comm comm, \
                   MPI_Request *request) {                                                         \
        int code = PMPI_##name(buffer, n, type, peer, tag, comm, request);                         \
        add(buffer, n, type, peer, tag, request, 1);                                               \
        return code;                                                                               \
    }
ISEND(Isend)
ISEND(Issend)
ISEND(Irsend)
SEND_INIT(Send_init)
SEND_INIT(Ssend_init)

int MPI_Start(MPI_Request *request) {
    look("MPI_Start");
    start(request);
    return PMPI_Start(request);
}

int MPI_Startall(int n, MPI_Request requests[]) {
    look("MPI_Startall");
    for (int i = 0; i < n; i++)
        start(&requests[i]);
    return PMPI_Startall(n, requests);
}

/* -- what completes ----------------------------------------------------------------------------------------------- */

static MPI_Request *copy(int n, const MPI_Request *requests) {
    MPI_Request *old = malloc(((size_t)n + 1) * sizeof *old);
    memcpy(old, requests, (size_t)n * sizeof *old);
    return old;
}

static void completed(int n, const int *which, MPI_Request *old, const MPI_Request *requests) {
    for (int i = 0; i < n; i++) {
        int k = which ? which[i] : i;
        complete(old[k], &requests[k]);
    }
    free(old);
}

int MPI_Wait(MPI_Request *request, MPI_Status *status) {
    look("MPI_Wait");
    MPI_Request *old = copy(1, request);
    int code = PMPI_Wait(request, status);
    completed(1, NULL, old, request);
    return code;
}

int MPI_Waitall(int n, MPI_Request requests[], MPI_Status statuses[]) {
    look("MPI_Waitall");
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Waitall(n, requests, statuses);
    completed(n, NULL, old, requests);
    return code;
}

int MPI_Waitany(int n, MPI_Request requests[], int *index, MPI_Status *status) {
    look("MPI_Waitany");
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Waitany(n, requests, index, status);
    completed(*index != MPI_UNDEFINED, index, old, requests);
    return code;
}

int MPI_Waitsome(int n, MPI_Request requests[], int *done, int which[], MPI_Status statuses[]) {
    look("MPI_Waitsome");
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Waitsome(n, requests, done, which, statuses);
    completed(*done == MPI_UNDEFINED ? 0 : *done, which, old, requests);
    return code;
}

int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status) {
    look("MPI_Test");
    MPI_Request *old = copy(1, request);
    int code = PMPI_Test(request, flag, status);
    if (!*flag)
        not_yet(1, request);
    completed(*flag != 0, NULL, old, request);
    return code;
}

int MPI_Testall(int n, MPI_Request requests[], int *flag, MPI_Status statuses[]) {
    look("MPI_Testall");
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Testall(n, requests, flag, statuses);
    if (!*flag)
        not_yet(n, requests);
    completed(*flag ? n : 0, NULL, old, requests);
    return code;
}

int MPI_Testany(int n, MPI_Request requests[], int *index, int *flag, MPI_Status *status) {
    look("MPI_Testany");
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Testany(n, requests, index, flag, status);
    completed(*flag && *index != MPI_UNDEFINED, index, old, requests);
    return code;
}

int MPI_Testsome(int n, MPI_Request requests[], int *done, int which[], MPI_Status statuses[]) {
    look("MPI_Testsome");
    MPI_Request *old = copy(n, requests);
    int code = PMPI_Testsome(n, requests, done, which, statuses);
    completed(*done == MPI_UNDEFINED ? 0 : *done, which, old, requests);
    return code;
}

int MPI_Request_free(MPI_Request *request) {
    look("MPI_Request_free");
    flight *f = find(*request, request);
    if (f && f->started)
        judge_say("given up: the send with tag %d to rank %d", f->tag, f->peer);
    forget(f);
    return PMPI_Request_free(request);
}

int MPI_Reduce(const void *send, void *receive, int n, MPI_Datatype type, MPI_Op op, int root,
               MPI_Comm comm) {
    look("MPI_Reduce");
    return PMPI_Reduce(send, receive, n, type, op, root, comm);
}

int MPI_Finalize(void) {
    look("MPI_Finalize");
    for (int i = 0; i < count; i++)
        if (flights[i].started)
            judge_say("never complete: the send with tag %d to rank %d", flights[i].tag,
                      flights[i].peer);
    return PMPI_Finalize();
}
