/*
 * Purpose: two ranks send to each other at the same time, in an order of your choice. With send and ssend both send
 *          first, which is a mistake: what becomes of it depends on the size and on the MPI. If rank 0 is not through
 *          after 3 seconds, it says so and ends all.
 * Run:     mpicc -o headon headon.c && mpirun -n 2 ./headon
 *          mpirun -n 2 ./headon sendrecv 1000000
 * Hangs:   mpirun -n 2 ./headon send 1000000
 * Source:  MPI 3.1, section 3.5, examples 3.8 to 3.10
 */
#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT = 3 }; // seconds

static int rank, other;
static const MPI_Comm world = MPI_COMM_WORLD;

// [ways]
typedef void (*way)(const char *out, char *in, int bytes);

static void both_send_first(const char *out, char *in, int bytes) { // wrong
    MPI_Send(out, bytes, MPI_BYTE, other, 0, world);
    MPI_Recv(in, bytes, MPI_BYTE, other, 0, world, MPI_STATUS_IGNORE);
}

static void both_ssend_first(const char *out, char *in, int bytes) { // as wrong, and it shows
    MPI_Ssend(out, bytes, MPI_BYTE, other, 0, world);
    MPI_Recv(in, bytes, MPI_BYTE, other, 0, world, MPI_STATUS_IGNORE);
}

static void in_order(const char *out, char *in, int bytes) {
    if (rank == 0)
        MPI_Ssend(out, bytes, MPI_BYTE, other, 0, world);
    MPI_Recv(in, bytes, MPI_BYTE, other, 0, world, MPI_STATUS_IGNORE);
    if (rank == 1)
        MPI_Ssend(out, bytes, MPI_BYTE, other, 0, world);
}

static void sendrecv(const char *out, char *in, int bytes) {
    MPI_Sendrecv(out, bytes, MPI_BYTE, other, 0, in, bytes, MPI_BYTE, other, 0, world,
                 MPI_STATUS_IGNORE);
}

static void isend(const char *out, char *in, int bytes) {
    MPI_Request request;
    MPI_Isend(out, bytes, MPI_BYTE, other, 0, world, &request); // begins, and returns at once
    MPI_Recv(in, bytes, MPI_BYTE, other, 0, world, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE); // only now may out be changed
}
// [/ways]

static const struct {
    const char *name;
    way exchange;
} ways[] = {{"order", in_order},
            {"sendrecv", sendrecv},
            {"isend", isend},
            {"send", both_send_first},
            {"ssend", both_ssend_first}};
enum { SAFE = 3, WAYS = 5 };

static void too_long(int number) {
    (void)number;
    static const char said[] = "both wait in their send: hangs\n";
    _exit(write(STDOUT_FILENO, said, sizeof said - 1) > 0 ? 4 : 5);
}

static void try_way(way exchange, int bytes) {
    char *out = room((size_t)bytes), *in = room((size_t)bytes);
    for (int i = 0; i < bytes; i++) {
        out[i] = (char)((i + rank) % 101);
        in[i] = -1;
    }
    MPI_Barrier(world);
    if (rank == 0)
        alarm(LIMIT);
    exchange(out, in, bytes);
    alarm(0);
    int good = 1;
    for (int i = 0; i < bytes; i++)
        good = good && in[i] == (i + other) % 101;
    check(good, "what came is not what was sent");
    free(out);
    free(in);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(world);
    other = 1 - rank;
    if (size_of(world) != 2)
        refuse("headon: needs 2 ranks");
    signal(SIGALRM, too_long);
    if (argc != 3) {
        for (int w = 0; w < SAFE; w++)
            for (int bytes = 1; bytes <= 1 << 20; bytes *= 1024)
                try_way(ways[w].exchange, bytes);
        return verdict("headon");
    }
    int bytes = atoi(argv[2]);
    way exchange = NULL;
    for (int w = 0; w < WAYS; w++)
        if (strcmp(argv[1], ways[w].name) == 0)
            exchange = ways[w].exchange;
    if (exchange == NULL || bytes < 1)
        refuse("headon: give order, sendrecv, isend, send or ssend, and a number of bytes");
    try_way(exchange, bytes);
    return verdict("headon");
}
