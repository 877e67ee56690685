/*
 * Purpose: write down every MPI call of a rank: when it began and ended, with whom it talked, how many bytes. Pictures
 *          and tables are made of that (src/rankzero/mpi/trace.py reads struct file, struct row and struct record).
 * Run:     mpicc -O2 -shared -fPIC -Wl,--as-needed -o tracer.so tracer.c -ldl &&
 *          RANKZERO_PMPI_FOLDER=$PWD LD_PRELOAD=$PWD/tracer.so mpirun -n 2 ./a.out && ls trace.0 trace.1
 * Source:  MPI 4.0, chapters 3 (point to point) and 15 (profiling interface); clock_gettime(2)
 *
 * The file is memory of the rank (preloaded.h), so nothing is written during the run and nothing is lost in a kill: a
 * call that never returned stands there without an end. It has room for $RANKZERO_PMPI_LIMIT records, 100000 when that
 * is not set; calls beyond are counted, not kept. A call takes about 80 ns longer, half of that to read the clock.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC, the same clock for all processes of one machine. Across nodes it is not:
 * each counts from its own boot, and offsets would have to be measured (a ping-pong before and after the run).
 *
 * A message in is told by its status: source, tag and bytes are those of what came, also for a wildcard. A request
 * is followed from the call that made it to the Wait or Test that completed it; then its record gets `done`.
 *
 * Left out: calls that neither communicate nor wait (MPI_Comm_rank, MPI_Type_commit); partitioned communication,
 * shared and split file access; the completion of collective and one-sided requests, and of the send in MPI_Isendrecv;
 * the bytes of MPI_Alltoallw, and of collectives between two groups. MPI_Comm_idup and MPI_Comm_create_from_group give
 * communicators that are told apart by their ranks only.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <time.h>

#include "preloaded.h"

/* -- the calls ---------------------------------------------------------------------------------------------------- */

#if MPI_VERSION >= 4
#define LARGE(what, kind, n, name, signature)                                                      \
    what(kind, n, name, signature) what(kind, n, name##_c, signature)
#define MPI_4(line) line
#else
#define LARGE(what, kind, n, name, signature) what(kind, n, name, signature)
#define MPI_4(line)
#endif

/*
 * Kinds: S sends, R receives, X does both, I prepares a persistent one, P puts, G gets, U other work on windows,
 * W waits or asks, C is collective, F is file access, L is the life of a rank, - the rest.
 *
 * A signature has a letter for each argument:
 *   n t     count and datatype of what goes out, v for an array of counts, b its buffer, which may be MPI_IN_PLACE
 *   N T     the same where that is in place
 *   d g     destination and tag      S G  source and tag      o  root      a  target of one-sided work
 *   c w     communicator, window     x    new communicator    f  communicator or window that is freed
 *   r m     new request, message     q    request or requests that it is about, k of them       M  message
 *   y       flag                     i    index               l j  number of indices, indices   u  status or statuses
 */
/* clang-format off */
#define CALLS(X) \
    LARGE(X, 'S', 6, Send, ".ntdgc") LARGE(X, 'S', 6, Bsend, ".ntdgc") LARGE(X, 'S', 6, Ssend, ".ntdgc") \
    LARGE(X, 'S', 6, Rsend, ".ntdgc") LARGE(X, 'R', 7, Recv, "...SGcu") LARGE(X, 'X', 12, Sendrecv, ".ntdg...SGcu") \
    LARGE(X, 'X', 9, Sendrecv_replace, ".ntdgSGcu") LARGE(X, 'S', 7, Isend, ".ntdgcr") \
    LARGE(X, 'S', 7, Ibsend, ".ntdgcr") LARGE(X, 'S', 7, Issend, ".ntdgcr") LARGE(X, 'S', 7, Irsend, ".ntdgcr") \
    LARGE(X, 'R', 7, Irecv, "...SGcr") \
    MPI_4(LARGE(X, 'X', 12, Isendrecv, ".ntdg...SGcr") LARGE(X, 'X', 9, Isendrecv_replace, ".ntdgSGcr")) \
    LARGE(X, 'I', 7, Send_init, ".ntdgcr") LARGE(X, 'I', 7, Bsend_init, ".ntdgcr") \
    LARGE(X, 'I', 7, Ssend_init, ".ntdgcr") LARGE(X, 'I', 7, Rsend_init, ".ntdgcr") \
    LARGE(X, 'I', 7, Recv_init, "...SGcr") X('-', 1, Start, "q") X('-', 2, Startall, "kq") \
    X('-', 1, Request_free, "q") X('W', 2, Wait, "qu") X('W', 3, Waitall, "kqu") X('W', 4, Waitany, "kqiu") \
    X('W', 5, Waitsome, "kqlju") X('W', 3, Test, "qyu") X('W', 4, Testall, "kqyu") X('W', 5, Testany, "kqiyu") \
    X('W', 5, Testsome, "kqlju") X('W', 4, Probe, "SGc.") X('W', 5, Iprobe, "SGcy.") X('W', 5, Mprobe, "SGcm.") \
    X('W', 6, Improbe, "SGcym.") LARGE(X, 'R', 5, Mrecv, "...Mu") LARGE(X, 'R', 5, Imrecv, "...Mr") \
    X('C', 1, Barrier, "c") LARGE(X, 'C', 5, Bcast, ".ntoc") LARGE(X, 'C', 7, Reduce, "..nt.oc") \
    LARGE(X, 'C', 6, Allreduce, "..nt.c") LARGE(X, 'C', 8, Gather, "bnt.NToc") \
    LARGE(X, 'C', 9, Gatherv, "bnt....oc") LARGE(X, 'C', 8, Scatter, ".NTbntoc") \
    LARGE(X, 'C', 9, Scatterv, "....bntoc") LARGE(X, 'C', 7, Allgather, "bnt.NTc") \
    LARGE(X, 'C', 8, Allgatherv, "bnt....c") LARGE(X, 'C', 7, Alltoall, "bnt.NTc") \
    LARGE(X, 'C', 9, Alltoallv, "bv.t....c") LARGE(X, 'C', 9, Alltoallw, "........c") \
    LARGE(X, 'C', 6, Scan, "..nt.c") LARGE(X, 'C', 6, Exscan, "..nt.c") LARGE(X, 'C', 6, Reduce_scatter, "..vt.c") \
    LARGE(X, 'C', 6, Reduce_scatter_block, "..nt.c") LARGE(X, 'C', 7, Neighbor_allgather, ".nt...c") \
    LARGE(X, 'C', 8, Neighbor_allgatherv, ".nt....c") LARGE(X, 'C', 7, Neighbor_alltoall, ".nt...c") \
    LARGE(X, 'C', 9, Neighbor_alltoallv, "........c") X('C', 2, Ibarrier, "c.") LARGE(X, 'C', 6, Ibcast, ".ntoc.") \
    LARGE(X, 'C', 8, Ireduce, "..nt.oc.") LARGE(X, 'C', 7, Iallreduce, "..nt.c.") \
    LARGE(X, 'C', 9, Igather, "bnt.NToc.") LARGE(X, 'C', 9, Iscatter, ".NTbntoc.") \
    LARGE(X, 'C', 8, Iallgather, "bnt.NTc.") LARGE(X, 'C', 8, Ialltoall, "bnt.NTc.") \
    LARGE(X, 'C', 10, Ialltoallv, "bv.t....c.") LARGE(X, 'C', 8, Ineighbor_alltoall, ".nt...c.") \
    LARGE(X, 'C', 8, Ineighbor_allgather, ".nt...c.") X('C', 2, Comm_dup, "cx") X('C', 3, Comm_dup_with_info, "c.x") \
    X('C', 3, Comm_create, "c.x") X('C', 4, Comm_create_group, "c.gx") X('C', 4, Comm_split, "c..x") \
    X('C', 5, Comm_split_type, "c...x") X('C', 6, Cart_create, "c....x") X('C', 3, Cart_sub, "c.x") \
    X('C', 6, Graph_create, "c....x") X('C', 9, Dist_graph_create, "c.......x") \
    X('C', 10, Dist_graph_create_adjacent, "c........x") X('C', 6, Intercomm_create, "c....x") \
    X('C', 3, Intercomm_merge, "c.x") X('C', 1, Comm_free, "f") X('C', 1, Comm_disconnect, "f") \
    X('C', 8, Comm_spawn, ".....c..") LARGE(X, 'C', 6, Win_create, "....c.") \
    LARGE(X, 'C', 6, Win_allocate, "...c..") LARGE(X, 'C', 6, Win_allocate_shared, "...c..") \
    X('C', 3, Win_create_dynamic, ".c.") X('C', 1, Win_free, "f") X('U', 2, Win_fence, ".w") \
    X('U', 3, Win_start, "..w") X('U', 1, Win_complete, "w") X('U', 3, Win_post, "..w") X('U', 1, Win_wait, "w") \
    X('U', 2, Win_test, "w.") X('U', 4, Win_lock, ".a.w") X('U', 2, Win_unlock, "aw") X('U', 2, Win_lock_all, ".w") \
    X('U', 1, Win_unlock_all, "w") X('U', 2, Win_flush, "aw") X('U', 1, Win_flush_all, "w") \
    X('U', 2, Win_flush_local, "aw") X('U', 1, Win_flush_local_all, "w") X('U', 1, Win_sync, "w") \
    LARGE(X, 'P', 8, Put, ".nta...w") LARGE(X, 'G', 8, Get, ".nta...w") LARGE(X, 'P', 9, Accumulate, ".nta....w") \
    LARGE(X, 'G', 12, Get_accumulate, "....nta....w") X('G', 7, Fetch_and_op, "..ta..w") \
    X('G', 7, Compare_and_swap, "...ta.w") LARGE(X, 'P', 9, Rput, ".nta...w.") LARGE(X, 'G', 9, Rget, ".nta...w.") \
    LARGE(X, 'P', 10, Raccumulate, ".nta....w.") LARGE(X, 'G', 13, Rget_accumulate, "....nta....w.") \
    X('F', 5, File_open, "c....") X('F', 1, File_close, ".") X('F', 6, File_set_view, "......") \
    X('F', 1, File_sync, ".") LARGE(X, 'F', 5, File_read, "..nt.") LARGE(X, 'F', 5, File_write, "..nt.") \
    LARGE(X, 'F', 6, File_read_at, "...nt.") LARGE(X, 'F', 6, File_write_at, "...nt.") \
    LARGE(X, 'F', 5, File_read_all, "..nt.") LARGE(X, 'F', 5, File_write_all, "..nt.") \
    LARGE(X, 'F', 6, File_read_at_all, "...nt.") LARGE(X, 'F', 6, File_write_at_all, "...nt.") X('L', 2, Init, "..") \
    X('L', 4, Init_thread, "....") X('L', 0, Finalize, "") X('L', 2, Abort, "c.")
/* clang-format on */

#define ID(kind, n, name, signature) CALL_##name,
enum { CALLS(ID) CALL_COUNT };

/* -- the file ----------------------------------------------------------------------------------------------------- */

struct row {
    char name[31];
    char kind;
};

enum { NOT_KNOWN = -1, NOBODY = -2 }; /* peers: of a wildcard or another world; MPI_PROC_NULL */

struct record {
    uint64_t begin, end; /* end is 0 while the call has not returned */
    uint64_t done;       /* when the message was out of the sender's hands, or in the receiver's */
    int64_t bytes;
    int32_t peer; /* rank in MPI_COMM_WORLD, or as above: destination, source, target or root */
    int32_t tag;
    uint32_t comm; /* the same number on all its ranks; 0: none, 1: MPI_COMM_WORLD */
    uint16_t call;
    char moves; /* S a message out, R a message in, P and G bytes put and got, 0 neither */
    char whole; /* 0: a further message of the call before it in the file */
};

struct file {
    char magic[8];
    int32_t rows, pid, rank, size; /* size of MPI_COMM_WORLD: 0 before MPI_Init has returned */
    uint64_t limit;
    _Atomic uint64_t count; /* may be more than the limit: what is beyond was dropped */
    struct row row[CALL_COUNT];
    struct record record[];
};

static const struct {
    struct row row;
    const char *signature;
} calls[] = {
#define ROW(kind, n, name, signature) {{"MPI_" #name, kind}, signature},
    CALLS(ROW)};
#define FITS(kind, n, name, signature)                                                             \
    _Static_assert(sizeof signature == (n) + 1, #name " has another number of arguments");
CALLS(FITS)

static struct file *_Atomic shared;
/* Where a letter stands in a signature, or -1. */
static signed char places[CALL_COUNT]['z' - 'A' + 1];
static int many_threads;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static MPI_Comm world, none;
static MPI_Group world_group;
static MPI_Datatype byte;
static __thread int depth __attribute__((tls_model("initial-exec")));

/* A function of the MPI library itself. */
#define REAL(name)                                                                                 \
    ({                                                                                             \
        static __typeof__(&PMPI_##name) real;                                                      \
        if (!real)                                                                                 \
            real = must("PMPI_" #name);                                                            \
        real;                                                                                      \
    })

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void lock(void) {
    if (many_threads) {
        pthread_mutex_lock(&mutex);
    }
}

static void unlock(void) {
    if (many_threads) {
        pthread_mutex_unlock(&mutex);
    }
}

static struct record *new_record(int call, int whole) {
    struct file *file = atomic_load_explicit(&shared, memory_order_relaxed);
    uint64_t number = atomic_fetch_add_explicit(&file->count, 1, memory_order_relaxed);
    if (number >= file->limit) {
        return NULL;
    }
    struct record *record = &file->record[number];
    record->call = (uint16_t)call;
    record->whole = (char)whole;
    record->peer = record->tag = NOT_KNOWN;
    return record;
}

/* -- communicators and windows: who is in them -------------------------------------------------------------------- */

struct members { /* kept for good: different ones are few */
    struct members *next;
    uint32_t hash;
    int count;
    int world[]; /* their ranks in MPI_COMM_WORLD */
};

struct comm { /* or a window */
    struct comm *next;
    word handle;
    uint32_t id;
    uint32_t made; /* communicators made from it */
    int inter;
    const struct members *peers;
};

static struct comm *comms;

static uint32_t mix(uint32_t hash, uint32_t value) { /* FNV-1a, four bytes at once */
    return (hash ^ value) * 16777619U;
}

static const struct members *members_of(MPI_Group group) {
    static struct members *all;
    int count;
    REAL(Group_size)(group, &count);
    struct members *new = malloc(sizeof *new + 2 * sizeof(int) * (size_t)count), *old = all;
    if (!new) {
        abort();
    }
    int *numbers = new->world + count; /* room that is not needed later */
    new->hash = 2166136261U;
    new->count = count;
    for (int i = 0; i < count; i++) {
        numbers[i] = i;
    }
    REAL(Group_translate_ranks)(group, count, numbers, world_group, new->world);
    for (int i = 0; i < count; i++) {
        new->world[i] = new->world[i] == MPI_UNDEFINED ? NOT_KNOWN : new->world[i];
        new->hash = mix(new->hash, (uint32_t) new->world[i]);
    }
    REAL(Group_free)(&group);
    while (old && (old->count != count ||
                   memcmp(old->world, new->world, sizeof(int) * (size_t)count) != 0)) {
        old = old->next;
    }
    if (old) {
        free(new);
        return old;
    }
    new->next = all;
    return all = new;
}

static struct comm *find_comm(word handle) {
    struct comm *comm = comms;
    while (comm && comm->handle != handle) {
        comm = comm->next;
    }
    return comm;
}

/*
 * Give a communicator or window a number that all its ranks arrive at by themselves. All ranks of a communicator make
 * new ones from it in the same order, and each new one differs by its members. `way` is that order, or a tag.
 */
static struct comm *add_comm(word handle, int window, uint32_t parent, uint32_t way) {
    struct comm *comm = calloc(1, sizeof *comm);
    MPI_Group group, remote;
    if (!comm) {
        abort();
    }
    if (window) {
        REAL(Win_get_group)((MPI_Win)handle, &group);
    } else {
        REAL(Comm_group)((MPI_Comm)handle, &group);
        REAL(Comm_test_inter)((MPI_Comm)handle, &comm->inter);
    }
    comm->peers = members_of(group);
    comm->handle = handle;
    comm->id = mix(mix(comm->peers->hash, parent), way);
    if (comm->inter) { /* both sides must get the same */
        uint32_t hash = comm->peers->hash;
        REAL(Comm_remote_group)((MPI_Comm)handle, &remote);
        comm->peers = members_of(remote);
        comm->id = hash ^ comm->peers->hash;
    }
    if (handle == (word)world) {
        comm->id = 1;
    }
    comm->next = comms;
    return comms = comm;
}

static void forget_comm(word handle) {
    struct comm **link = &comms;
    while (*link && (*link)->handle != handle) {
        link = &(*link)->next;
    }
    struct comm *gone = *link;
    if (gone) {
        *link = gone->next;
        free(gone);
    }
}

static int32_t peer_in(const struct members *peers, int rank) {
    return rank == MPI_PROC_NULL              ? NOBODY
           : rank >= 0 && rank < peers->count ? peers->world[rank]
                                              : NOT_KNOWN; /* MPI_ANY_SOURCE, MPI_ROOT */
}

/* -- requests: from the call that made one to the call that completes it ------------------------------------------ */

struct pending {
    struct pending *next;
    word
        handle; /* of a request or a matched message; a library may give the same to several that are done already */
    struct record *record; /* NULL: persistent, and not started */
    const struct members *peers;
    int persistent;
    struct record prepared; /* what each start of a persistent one begins with */
};

static struct pending *pending[1024], *unused;

static struct pending **find_pending(word handle) {
    struct pending **link = &pending[((uintptr_t)handle * 0x9E3779B97F4A7C15U) >> 54];
    while (*link && (*link)->handle != handle) {
        link = &(*link)->next;
    }
    return link;
}

static void add_pending(word handle, struct record *record, const struct members *peers,
                        int persistent) {
    if (!record || record->peer == NOBODY) {
        return;
    }
    lock();
    struct pending *new = unused ? unused : malloc(sizeof *new);
    if (!new) {
        abort();
    }
    unused = unused ? unused->next : NULL;
    *new = (struct pending){NULL, handle, persistent ? NULL : record, peers, persistent, *record};
    struct pending **link = find_pending(handle);
    while (*link) { /* behind others of the same handle */
        link = &(*link)->next;
    }
    *link = new;
    unlock();
}

static void drop(struct pending **link) {
    struct pending *gone = *link;
    *link = gone->next;
    gone->next = unused;
    unused = gone;
}

/* A message has come: its status says more than the call did. */
static void arrived(struct record *record, const struct members *peers, const MPI_Status *status) {
    int cancelled = 0;
    MPI_Count bytes = 0;
    REAL(Test_cancelled)(status, &cancelled);
    REAL(Get_elements_x)(status, byte, &bytes);
    record->peer = peer_in(peers, status->MPI_SOURCE);
    record->tag = status->MPI_TAG;
    record->bytes = bytes;
    record->moves = cancelled ? 0 : 'R';
}

static void complete(word handle, const MPI_Status *status, uint64_t when) {
    lock();
    struct pending **link = find_pending(handle);
    struct pending *one = *link;
    if (one && one->record) {
        one->record->done = when;
        if (one->record->moves == 'R') {
            arrived(one->record, one->peers, status);
        }
        one->record = NULL;
        if (!one->persistent) {
            drop(link);
        }
    }
    unlock();
}

/* -- a call ------------------------------------------------------------------------------------------------------- */

enum { FEW = 32 };

struct frame { /* of a call that is going on */
    struct record *record, *second;
    struct comm *comm;
    int on, own_statuses, count;
    word *handles; /* as they were before the call, which sets them to null */
    MPI_Status *statuses;
    word few_handles[FEW];
    MPI_Status few_statuses[FEW];
};

#define HAS(letter) (places[call][(letter) - 'A'] >= 0)
#define ARG(letter) (w[(int)places[call][(letter) - 'A']])

static void *room(void *few, int count, size_t size) {
    void *made = count <= FEW ? few : malloc((size_t)count * size);
    if (!made) {
        abort();
    }
    return made;
}

static void envelope(const struct frame *frame, int call, const word *w) {
    const struct members *peers = frame->comm->peers;
    struct record *in = frame->second ? frame->second : frame->record;
    frame->record->comm = in->comm = frame->comm->id;
    if (HAS('S')) {
        in->peer = peer_in(peers, (int)ARG('S'));
        in->tag = (int)ARG('G');
    }
    for (const char *letter = "doa"; *letter; letter++) {
        if (HAS(*letter)) {
            frame->record->peer = peer_in(peers, (int)ARG(*letter));
        }
    }
    if (HAS('g')) {
        frame->record->tag = (int)ARG('g');
    }
}

/* Return the bytes that the call names: what goes out, for a collective to each partner or, with counts, to all. */
static int64_t bytes_of(const struct frame *frame, int call, const word *w) {
    char count = 'n', type = 't';
    int size;
    if (HAS('b') && (void *)ARG('b') == MPI_IN_PLACE) {
        count = 'N', type = 'T';
    }
    if (!HAS(type) || (calls[call].row.kind == 'C' && frame->comm && frame->comm->inter)) {
        return 0;
    }
    REAL(Type_size)((MPI_Datatype)ARG(type), &size);
    const char *name = calls[call].row.name;
    int large = strcmp(name + strlen(name) - 2, "_c") == 0;
    int64_t items = !HAS(count) ? 1 : large ? (int64_t)ARG(count) : (int)ARG(count);
    if (HAS('v')) {
        items = 0;
        for (int i = 0; i < frame->comm->peers->count; i++) {
            items += large ? ((MPI_Count *)ARG('v'))[i] : ((int *)ARG('v'))[i];
        }
    }
    return items * size;
}

static void before(struct frame *frame, int call, word *w) {
    frame->on = depth++ == 0 && atomic_load_explicit(&shared, memory_order_acquire);
    if (!frame->on) {
        return;
    }
    frame->record = new_record(call, 1);
    frame->second = NULL;
    frame->comm = NULL;
    frame->own_statuses = frame->count = 0;
    char kind = calls[call].row.kind;
    if (kind == 'X' && frame->record) {
        frame->second = new_record(call, 0);
    }
    if (HAS('c') || HAS('w') || HAS('f')) {
        word handle = HAS('f')   ? (word) * (MPI_Comm *)ARG('f')
                      : HAS('c') ? (word)(MPI_Comm)ARG('c')
                                 : (word)(MPI_Win)ARG('w');
        frame->few_handles[0] = handle;
        lock();
        frame->comm = find_comm(handle);
        unlock();
    }
    if (frame->record) {
        frame->record->moves = kind == 'X' ? 'S' : strchr("SRPG", kind) && !HAS('M') ? kind : 0;
        if (frame->second) {
            frame->second->moves = 'R';
        }
        if (frame->comm) {
            envelope(frame, call, w);
        }
    }
    if (HAS('q') || HAS('M')) {
        frame->count = HAS('k') ? (int)ARG('k') : 1;
        frame->handles = room(frame->few_handles, frame->count, sizeof(word));
        for (int i = 0; i < frame->count; i++) {
            frame->handles[i] =
                HAS('q') ? (word)((MPI_Request *)ARG('q'))[i] : (word) * (MPI_Message *)ARG('M');
        }
    }
    if (HAS('u')) {
        frame->statuses = (MPI_Status *)ARG('u');
        if (frame->statuses == MPI_STATUS_IGNORE || frame->statuses == MPI_STATUSES_IGNORE) {
            frame->own_statuses = 1;
            frame->statuses = room(frame->few_statuses, frame->count, sizeof(MPI_Status));
            ARG('u') = (word)frame->statuses;
        }
    }
    if (frame->record) {
        frame->record->begin = now();
    }
}

/* Which of its requests has the call completed? */
static void completed(const struct frame *frame, int call, const word *w, uint64_t end) {
    int done = frame->count;
    if (HAS('y') && !*(int *)ARG('y')) {
        return;
    }
    if (HAS('i')) {
        done = *(int *)ARG('i') == MPI_UNDEFINED ? 0 : 1;
    } else if (HAS('l')) {
        done = *(int *)ARG('l') == MPI_UNDEFINED ? 0 : *(int *)ARG('l');
    }
    for (int i = 0; i < done; i++) {
        int which = HAS('i') ? *(int *)ARG('i') : HAS('l') ? ((int *)ARG('j'))[i] : i;
        complete(frame->handles[which], &frame->statuses[i], end);
    }
}

static void start_requests(const struct frame *frame, int call, uint64_t end) {
    for (int i = 0; i < frame->count; i++) {
        lock();
        struct pending *one = *find_pending(frame->handles[i]);
        struct record *record = one && one->persistent ? new_record(call, 0) : NULL;
        if (record) {
            *record = one->prepared;
            record->moves = places[record->call]['d' - 'A'] >= 0 ? 'S' : 'R';
            record->call = (uint16_t)call;
            record->whole = 0;
            record->begin = frame->record->begin;
            record->end = end;
            one->record = record;
        }
        unlock();
    }
}

static struct pending take_pending(word handle) {
    struct pending taken = {0};
    lock();
    struct pending **link = find_pending(handle);
    if (*link) {
        taken = **link;
        drop(link);
    }
    unlock();
    return taken;
}

/* What the call says of communicators: one that is new to us, one that it has made, one that it has freed. */
static void note_comms(struct frame *frame, int call, const word *w) {
    lock();
    if ((HAS('c') || HAS('w')) && !frame->comm) {
        frame->comm = add_comm(frame->few_handles[0], HAS('w'), 0, 0);
    }
    if (HAS('x')) {
        uint32_t way = HAS('g') ? (uint32_t)ARG('g') : ++frame->comm->made;
        if (*(MPI_Comm *)ARG('x') != none) {
            add_comm((word) * (MPI_Comm *)ARG('x'), 0, frame->comm->id, way);
        }
    }
    if (HAS('f')) {
        forget_comm(frame->few_handles[0]);
        frame->comm = NULL;
    }
    unlock();
}

/* What the call says of messages: requests that it has made, taken up or completed. */
static void note_messages(const struct frame *frame, int call, const word *w, uint64_t end) {
    struct record *record = frame->record, *in = frame->second ? frame->second : record;
    if (HAS('m') && record &&
        (!HAS('y') || *(int *)ARG('y'))) { /* MPI_Mprobe: who gets the message is settled */
        struct record *matched = new_record(call, 0);
        if (matched) {
            *matched = *record;
            matched->whole = 0;
            matched->moves = 'R';
            add_pending((word) * (MPI_Message *)ARG('m'), matched, frame->comm->peers, 0);
        }
    } else if (HAS('M') && HAS('r')) { /* MPI_Imrecv: the message goes on as a request */
        struct pending message = take_pending(frame->handles[0]);
        add_pending((word) * (MPI_Request *)ARG('r'), message.record, message.peers, 0);
    } else if (HAS('r')) {
        add_pending((word) * (MPI_Request *)ARG('r'), in, frame->comm->peers,
                    calls[call].row.kind == 'I');
    } else if (record && record->moves) {
        record->done = in->done = end;
        if (in->moves == 'R' && in->peer != NOBODY) {
            arrived(in, frame->comm->peers, frame->statuses);
        }
    } else if (HAS('u')) {
        completed(frame, call, w, end);
    } else if (call == CALL_Start || call == CALL_Startall) {
        start_requests(frame, call, end);
    } else if (call == CALL_Request_free) {
        take_pending(frame->handles[0]);
    }
}

static void after(struct frame *frame, int call, word *w, int code) {
    uint64_t end = now();
    if (frame->on && atomic_load_explicit(&shared, memory_order_relaxed)) {
        struct record *record = frame->record;
        if (record) {
            record->end = end;
        }
        if (frame->second) {
            frame->second->begin = record->begin;
            frame->second->end = end;
        }
        if (code == MPI_SUCCESS) {
            note_comms(frame, call, w);
            if (record) {
                record->bytes = bytes_of(frame, call, w);
                if (frame->comm) {
                    envelope(frame, call, w);
                }
            }
            note_messages(frame, call, w, end);
        } else if (record) {
            record->moves = 0;
            if (frame->second) {
                frame->second->moves = 0;
            }
        }
        if (frame->count > FEW) {
            free(frame->handles);
            free(frame->own_statuses ? frame->statuses : NULL);
        }
    }
    depth--;
}

/* -- a rank's life ------------------------------------------------------------------------------------------------ */

static void open_file(void) {
    const char *set = getenv("RANKZERO_PMPI_LIMIT");
    uint64_t limit = set ? strtoull(set, NULL, 10) : 100000;
    size_t size = sizeof(struct file) + limit * sizeof(struct record);
    struct file *file = atomic_load(&shared) ? NULL : new_file("tracing", size);
    if (!file) {
        return;
    }
    memset(file, 0, size); /* its pages are there from now on: no call pays for that */
    file->rows = CALL_COUNT;
    file->pid = (int)getpid();
    file->rank = rank_by_launcher();
    file->limit = limit;
    memset(places, -1, sizeof places);
    for (int call = 0; call < CALL_COUNT; call++) {
        file->row[call] = calls[call].row;
        for (int i = 0; calls[call].signature[i]; i++) {
            if (calls[call].signature[i] != '.') {
                places[call][calls[call].signature[i] - 'A'] = (signed char)i;
            }
        }
    }
    memcpy(file->magic, "RZTRACE1", sizeof file->magic);
    atomic_store(&shared, file);
}

/* MPI is there: the rank is known, and so are the handles. */
static void name_file(int level) {
    struct file *file = atomic_load(&shared);
    if (!file || file->size) {
        return;
    }
    if (!handles(&world, &none)) {
        atomic_store(&shared, NULL);
        unlink(path);
        return;
    }
#ifdef OPEN_MPI
    byte = object("ompi_mpi_byte");
#else
    byte = MPI_BYTE;
#endif
    MPI_Comm parent = none;
    many_threads = level == MPI_THREAD_MULTIPLE;
    REAL(Comm_group)(world, &world_group);
    add_comm((word)world, 0, 0, 0);
    REAL(Comm_get_parent)(&parent);
    REAL(Comm_rank)(world, &file->rank);
    REAL(Comm_size)(world, &file->size);
    if (parent == none) {
        rename_file("trace", file->rank);
    } else { /* another world, with ranks from 0 again */
        rename_file("spawned", (int)getpid());
    }
}

#define W0
#define W1 w[0]
#define W2 W1, w[1]
#define W3 W2, w[2]
#define W4 W3, w[3]
#define W5 W4, w[4]
#define W6 W5, w[5]
#define W7 W6, w[6]
#define W8 W7, w[7]
#define W9 W8, w[8]
#define W10 W9, w[9]
#define W11 W10, w[10]
#define W12 W11, w[11]
#define W13 W12, w[12]

/* The functions have names of their own here, as mpi.h declares the real ones with their types. */
#define WRAP(prefix, n, name)                                                                      \
    int trace_##prefix##name(P##n) __asm__(#prefix #name);                                         \
    int trace_##prefix##name(P##n) {                                                               \
        static void *_Atomic real;                                                                 \
        void *function = atomic_load_explicit(&real, memory_order_relaxed);                        \
        if (!function) {                                                                           \
            function = must(#prefix #name);                                                        \
            atomic_store_explicit(&real, function, memory_order_relaxed);                          \
        }                                                                                          \
        struct frame frame;                                                                        \
        word w[n + 1] = {A##n};                                                                    \
        if (CALL_##name == CALL_Init || CALL_##name == CALL_Init_thread) {                         \
            open_file();                                                                           \
        }                                                                                          \
        before(&frame, CALL_##name, w);                                                            \
        int code = ((int (*)(P##n))function)(W##n);                                                \
        if (frame.on && CALL_##name == CALL_Init) {                                                \
            name_file(MPI_THREAD_SINGLE);                                                          \
        } else if (frame.on && CALL_##name == CALL_Init_thread) {                                  \
            name_file(*(int *)w[n - 1]);                                                           \
        }                                                                                          \
        after(&frame, CALL_##name, w, code);                                                       \
        return code;                                                                               \
    }
#define TWICE(kind, n, name, signature) WRAP(MPI_, n, name) WRAP(PMPI_, n, name)
CALLS(TWICE)
