/*
 * Purpose: count the MPI calls of a rank while it runs, where another process can read them: which call it is in,
 *          how many it began, and how many of those certainly made progress. That tells a hang from slowness
 *          (src/rankzero/mpi/watch.py, which also reads what struct file and struct row describe).
 * Run:     mpicc -O2 -shared -fPIC -Wl,--as-needed -o counter.so counter.c -ldl &&
 *          RANKZERO_PMPI_FOLDER=$PWD LD_PRELOAD=$PWD/counter.so mpirun -n 2 ./a.out && ls calls.0 calls.1
 * Source:  MPI 4.0, chapter 15 (profiling interface); dlsym(3), mmap(2)
 *
 * What is called from within a call (MPI-IO calls collectives) is not counted again. No argument list stands here, only
 * how many arguments there are: preloaded.h says why that is enough, and why both MPI_X and PMPI_X are defined.
 */
#define _GNU_SOURCE
#include <time.h>

#include "preloaded.h"

/* -- the calls ---------------------------------------------------------------------------------------------------- */

/* Functions with a twin for large counts, MPI_X_c, since MPI 4. Defined only where the MPI has them: mpi4py asks. */
#if MPI_VERSION >= 4
#define LARGE(what, n, name) what(n, name) what(n, name##_c)
#define MPI_4(line) line
#else
#define LARGE(what, n, name) what(n, name)
#define MPI_4(line)
#endif

/*
 * B: returns only once something has come about (a message, a collective, a completion): it may block.
 * S: starts something and returns; its return proves no progress.
 * T: asks whether something has come about; the named argument points to the answer, and more than 0 is a yes.
 * The number is how many arguments there are.
 */
/* clang-format off */
#define CALLS(B, S, T) \
    LARGE(B, 6, Send) LARGE(B, 6, Bsend) LARGE(B, 6, Ssend) LARGE(B, 6, Rsend) LARGE(B, 7, Recv) \
    LARGE(B, 12, Sendrecv) LARGE(B, 9, Sendrecv_replace) LARGE(B, 5, Mrecv) \
    B(4, Probe) B(5, Mprobe) LARGE(B, 2, Buffer_detach) \
    LARGE(S, 7, Isend) LARGE(S, 7, Ibsend) LARGE(S, 7, Issend) LARGE(S, 7, Irsend) \
    LARGE(S, 7, Irecv) LARGE(S, 5, Imrecv) \
    LARGE(S, 7, Send_init) LARGE(S, 7, Bsend_init) LARGE(S, 7, Ssend_init) \
    LARGE(S, 7, Rsend_init) LARGE(S, 7, Recv_init) S(1, Start) S(2, Startall) \
    B(2, Wait) B(3, Waitall) B(4, Waitany) B(5, Waitsome) \
    T(3, Test, b) T(4, Testall, c) T(5, Testany, d) T(5, Testsome, c) \
    T(3, Request_get_status, b) T(5, Iprobe, d) T(6, Improbe, d) T(2, Win_test, b) \
    B(1, Barrier) LARGE(B, 5, Bcast) LARGE(B, 7, Reduce) LARGE(B, 6, Allreduce) \
    LARGE(B, 8, Gather) LARGE(B, 9, Gatherv) LARGE(B, 8, Scatter) LARGE(B, 9, Scatterv) \
    LARGE(B, 7, Allgather) LARGE(B, 8, Allgatherv) LARGE(B, 7, Alltoall) LARGE(B, 9, Alltoallv) \
    LARGE(B, 9, Alltoallw) \
    LARGE(B, 6, Scan) LARGE(B, 6, Exscan) LARGE(B, 6, Reduce_scatter) \
    LARGE(B, 6, Reduce_scatter_block) \
    LARGE(B, 7, Neighbor_allgather) LARGE(B, 8, Neighbor_allgatherv) \
    LARGE(B, 7, Neighbor_alltoall) LARGE(B, 9, Neighbor_alltoallv) \
    LARGE(B, 9, Neighbor_alltoallw) \
    S(2, Ibarrier) LARGE(S, 6, Ibcast) LARGE(S, 8, Ireduce) LARGE(S, 7, Iallreduce) \
    LARGE(S, 9, Igather) LARGE(S, 10, Igatherv) LARGE(S, 9, Iscatter) LARGE(S, 10, Iscatterv) \
    LARGE(S, 8, Iallgather) LARGE(S, 9, Iallgatherv) LARGE(S, 8, Ialltoall) \
    LARGE(S, 10, Ialltoallv) LARGE(S, 10, Ialltoallw) \
    LARGE(S, 7, Iscan) LARGE(S, 7, Iexscan) LARGE(S, 7, Ireduce_scatter) \
    LARGE(S, 7, Ireduce_scatter_block) \
    LARGE(S, 8, Ineighbor_allgather) LARGE(S, 9, Ineighbor_allgatherv) \
    LARGE(S, 8, Ineighbor_alltoall) LARGE(S, 10, Ineighbor_alltoallv) \
    LARGE(S, 10, Ineighbor_alltoallw) \
    B(2, Comm_dup) B(3, Comm_dup_with_info) B(3, Comm_create) B(4, Comm_create_group) \
    B(4, Comm_split) B(5, Comm_split_type) B(1, Comm_free) B(1, Comm_disconnect) \
    B(6, Intercomm_create) B(3, Intercomm_merge) B(5, Comm_accept) B(5, Comm_connect) \
    B(2, Comm_join) B(8, Comm_spawn) B(9, Comm_spawn_multiple) S(3, Comm_idup) \
    B(6, Cart_create) B(3, Cart_sub) B(6, Graph_create) B(9, Dist_graph_create) \
    B(10, Dist_graph_create_adjacent) \
    LARGE(B, 6, Win_create) LARGE(B, 6, Win_allocate) LARGE(B, 6, Win_allocate_shared) \
    B(3, Win_create_dynamic) \
    B(1, Win_free) B(2, Win_fence) B(3, Win_start) B(1, Win_complete) B(3, Win_post) \
    B(1, Win_wait) B(4, Win_lock) B(2, Win_unlock) B(2, Win_lock_all) B(1, Win_unlock_all) \
    B(2, Win_flush) B(1, Win_flush_all) B(2, Win_flush_local) B(1, Win_flush_local_all) \
    S(1, Win_sync) \
    LARGE(S, 8, Put) LARGE(S, 8, Get) LARGE(S, 9, Accumulate) LARGE(S, 12, Get_accumulate) \
    S(7, Fetch_and_op) S(7, Compare_and_swap) LARGE(S, 9, Rput) LARGE(S, 9, Rget) \
    LARGE(S, 10, Raccumulate) LARGE(S, 13, Rget_accumulate) \
    B(5, File_open) B(1, File_close) B(2, File_set_size) B(2, File_preallocate) \
    B(6, File_set_view) B(1, File_sync) \
    LARGE(B, 5, File_read_all) LARGE(B, 6, File_read_at_all) LARGE(B, 5, File_read_ordered) \
    LARGE(B, 5, File_write_all) LARGE(B, 6, File_write_at_all) LARGE(B, 5, File_write_ordered) \
    LARGE(S, 4, File_read_all_begin) B(3, File_read_all_end) LARGE(S, 5, File_read_at_all_begin) \
    B(3, File_read_at_all_end) LARGE(S, 4, File_read_ordered_begin) B(3, File_read_ordered_end) \
    LARGE(S, 4, File_write_all_begin) B(3, File_write_all_end) \
    LARGE(S, 5, File_write_at_all_begin) B(3, File_write_at_all_end) \
    LARGE(S, 4, File_write_ordered_begin) B(3, File_write_ordered_end) \
    LARGE(S, 5, File_iread_all) LARGE(S, 6, File_iread_at_all) LARGE(S, 5, File_iwrite_all) \
    LARGE(S, 6, File_iwrite_at_all) \
    MPI_4(LARGE(S, 12, Isendrecv) LARGE(S, 9, Isendrecv_replace)) \
    MPI_4(S(9, Psend_init) S(9, Precv_init) S(2, Pready) S(3, Pready_range) S(3, Pready_list)) \
    MPI_4(T(3, Parrived, c) S(4, Comm_idup_with_info) B(5, Comm_create_from_group)) \
    MPI_4(B(8, Intercomm_create_from_groups) S(3, Barrier_init) LARGE(S, 7, Bcast_init)) \
    MPI_4(LARGE(S, 9, Reduce_init) LARGE(S, 8, Allreduce_init) LARGE(S, 10, Gather_init)) \
    MPI_4(LARGE(S, 10, Scatter_init) LARGE(S, 9, Allgather_init) LARGE(S, 9, Alltoall_init)) \
    B(2, Abort)
/* clang-format on */
#define LIFE(B) B(2, Init) B(4, Init_thread) B(0, Finalize)

#define ID(n, name) CALL_##name,
#define ID_T(n, name, answer) CALL_##name,
enum { CALLS(ID, ID, ID_T) LIFE(ID) CALL_COUNT };

/* -- the file ----------------------------------------------------------------------------------------------------- */

struct row {
    char name[32];
    uint64_t kind; /* 'B', 'S' or 'T' */
    _Atomic uint64_t begun;
};

struct file {
    char magic[8];
    int32_t rows;
    int32_t pid; /* as the process itself knows it */
    _Atomic int32_t rank;
    _Atomic int32_t size;         /* of MPI_COMM_WORLD; 0 before MPI_Init has returned */
    _Atomic int32_t thread_level; /* MPI_THREAD_SINGLE … MPI_THREAD_MULTIPLE as 0 … 3 */
    _Atomic int32_t finalized;    /* MPI_Finalize has returned */
    _Atomic int32_t inside;       /* threads inside a call now */
    _Atomic int32_t call; /* the row of the call begun last, -1 when no thread is inside one */
    _Atomic uint64_t
        completions; /* calls that made progress for certain: B that returned, T that said yes */
    _Atomic uint64_t
        clock_reads; /* MPI_Wtime: who reads the clock may be waiting for a time on purpose */
    _Atomic uint64_t inside_ns;  /* time spent in calls that have returned */
    _Atomic uint64_t changed_ns; /* CLOCK_MONOTONIC_COARSE at the last begin or end */
    uint64_t started_ns;
    struct row row[CALL_COUNT];
};

static struct file *_Atomic shared;
static _Atomic int many_threads; /* MPI_THREAD_MULTIPLE: only then do two threads count at once */
static __thread int depth __attribute__((tls_model("initial-exec")));
static __thread uint64_t entered __attribute__((tls_model("initial-exec")));

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time); /* 5 ns a call, a resolution of milliseconds */
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Add to what one thread at a time writes and any process may read; a locked add only where threads compete. */
#define ADD(what, by)                                                                              \
    (atomic_load_explicit(&many_threads, memory_order_relaxed)                                     \
         ? (void)atomic_fetch_add_explicit(what, by, memory_order_relaxed)                         \
         : atomic_store_explicit(what, atomic_load_explicit(what, memory_order_relaxed) + (by),    \
                                 memory_order_relaxed))

static void begin(int call) {
    struct file *file = atomic_load_explicit(&shared, memory_order_acquire);
    if (depth++ || !file) {
        return;
    }
    entered = now();
    atomic_store_explicit(&file->changed_ns, entered, memory_order_relaxed);
    atomic_store_explicit(&file->call, call, memory_order_relaxed);
    ADD(&file->inside, 1);
    /* Last, so that who sees the new count sees the rest as well. */
    if (atomic_load_explicit(&many_threads, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&file->row[call].begun, 1, memory_order_release);
    } else {
        uint64_t begun = atomic_load_explicit(&file->row[call].begun, memory_order_relaxed);
        atomic_store_explicit(&file->row[call].begun, begun + 1, memory_order_release);
    }
}

static void end(int completed) {
    struct file *file = atomic_load_explicit(&shared, memory_order_acquire);
    if (--depth || !file) {
        return;
    }
    uint64_t left = now();
    atomic_store_explicit(&file->changed_ns, left, memory_order_relaxed);
    ADD(&file->inside_ns, left - entered);
    if (completed) {
        ADD(&file->completions, 1);
    }
    ADD(&file->inside, -1);
    if (!atomic_load_explicit(&file->inside, memory_order_relaxed)) {
        atomic_store_explicit(&file->call, -1, memory_order_release);
    }
}

/* -- a rank's life ------------------------------------------------------------------------------------------------ */

static void open_file(void) {
    static const struct row rows[] = {
#define ROW(n, name, kind) {"MPI_" #name, kind, 0},
#define ROW_B(n, name) ROW(n, name, 'B')
#define ROW_S(n, name) ROW(n, name, 'S')
#define ROW_T(n, name, answer) ROW(n, name, 'T')
        CALLS(ROW_B, ROW_S, ROW_T) LIFE(ROW_B)};
    if (atomic_load(&shared)) {
        return;
    }
    struct file *file = new_file("starting", sizeof *file);
    if (!file) {
        return;
    }
    /* Whoever gave us the folder will want our stack too; Yama would otherwise allow that to our ancestors only. */
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    file->rows = CALL_COUNT;
    file->pid = (int)getpid();
    file->rank = rank_by_launcher();
    file->call = -1;
    file->started_ns = file->changed_ns = now();
    memcpy(file->row, rows, sizeof rows);
    atomic_thread_fence(memory_order_release);
    memcpy(file->magic, "RZCALLS1", sizeof file->magic);
    atomic_store_explicit(&shared, file, memory_order_release);
}

/* The rank is known: give the file its name. */
static void name_file(int level) {
    struct file *file = atomic_load(&shared);
    if (!file) {
        return;
    }
    MPI_Comm world, none;
    if (!handles(&world, &none)) {
        atomic_store(&shared, NULL);
        unlink(path);
        return;
    }
    int rank, size;
    MPI_Comm parent = none;
    ((int (*)(MPI_Comm, int *))must("PMPI_Comm_rank"))(world, &rank);
    ((int (*)(MPI_Comm, int *))must("PMPI_Comm_size"))(world, &size);
    ((int (*)(MPI_Comm *))must("PMPI_Comm_get_parent"))(&parent);
    atomic_store(&file->thread_level, level == MPI_THREAD_MULTIPLE     ? 3
                                      : level == MPI_THREAD_SERIALIZED ? 2
                                      : level == MPI_THREAD_FUNNELED   ? 1
                                                                       : 0);
    atomic_store(&many_threads, level == MPI_THREAD_MULTIPLE);
    atomic_store(&file->rank, rank);
    atomic_store(&file->size, size);
    if (parent == none) {
        rename_file("calls", rank);
    } else { /* another world, with ranks from 0 again */
        rename_file("spawned", (int)getpid());
    }
}

/* The functions have names of their own here, as mpi.h declares the real ones with their types. */
#define WRAP(prefix, n, name, before, completed)                                                   \
    int count_##prefix##name(P##n) __asm__(#prefix #name);                                         \
    int count_##prefix##name(P##n) {                                                               \
        static void *_Atomic real;                                                                 \
        void *function = atomic_load_explicit(&real, memory_order_relaxed);                        \
        if (!function) {                                                                           \
            function = must(#prefix #name);                                                        \
            atomic_store_explicit(&real, function, memory_order_relaxed);                          \
        }                                                                                          \
        before;                                                                                    \
        begin(CALL_##name);                                                                        \
        int code = ((int (*)(P##n))function)(A##n);                                                \
        end(completed);                                                                            \
        return code;                                                                               \
    }
#define TWICE(n, name, before, completed)                                                          \
    WRAP(MPI_, n, name, before, completed) WRAP(PMPI_, n, name, before, completed)

/* How a call ends, for those after which there is more to do than to count. */
static int initialized(int level) {
    if (depth == 1) {
        name_file(level);
    }
    return 1;
}

static int finalized(void) {
    struct file *file = atomic_load(&shared);
    if (file) {
        atomic_store(&file->finalized, 1);
    }
    return 1;
}

#define DEFINE_B(n, name) TWICE(n, name, (void)0, 1)
#define DEFINE_S(n, name) TWICE(n, name, (void)0, 0)
#define DEFINE_T(n, name, answer) TWICE(n, name, (void)0, code == MPI_SUCCESS && *(int *)answer > 0)
CALLS(DEFINE_B, DEFINE_S, DEFINE_T)
TWICE(2, Init, open_file(), initialized(MPI_THREAD_SINGLE))
TWICE(4, Init_thread, open_file(), initialized(*(int *)d))
TWICE(0, Finalize, (void)0, finalized())

#define CLOCK(prefix)                                                                              \
    double count_##prefix##Wtime(void) __asm__(#prefix "Wtime");                                   \
    double count_##prefix##Wtime(void) {                                                           \
        struct file *file = atomic_load_explicit(&shared, memory_order_acquire);                   \
        if (file) {                                                                                \
            ADD(&file->clock_reads, 1);                                                            \
        }                                                                                          \
        return ((double (*)(void))must(#prefix "Wtime"))();                                        \
    }
CLOCK(MPI_)
CLOCK(PMPI_)
