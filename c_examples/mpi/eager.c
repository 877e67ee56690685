/*
 * Purpose: find this MPI's eager limit between two ranks: the largest message that is sent although nobody receives
 *          it yet. It cannot hang: the receiver comes for every message after it is told how the sender fared.
 * Run:     mpicc -o eager eager.c && mpirun -n 2 ./eager
 *          mpirun -n 2 --mca btl_vader_eager_limit 8192 ./eager        Open MPI 4
 * Source:  none; the two ways to send: MPI 3.1, section 3.4, standard mode
 */
#include "check.h"

enum { MOST = 1 << 20, TESTS = 20 }; // bytes; how often the sender looks before it gives up
enum { MESSAGE, WORD };              // tags
enum { COME = 0, END = -1 };         // words that are no size: the message waits; that was all

static char pattern(int i, int bytes) {
    return (char)((i + bytes) % 127);
}

// [alone]
// Whether a message completes while its receiver has not called MPI_Recv for it: rank 0 finds out
static int completes_alone(char *buffer, int bytes) {
    for (int i = 0; i < bytes; i++)
        buffer[i] = pattern(i, bytes);
    MPI_Request request;
    MPI_Isend(buffer, bytes, MPI_BYTE, 1, MESSAGE, MPI_COMM_WORLD, &request);

    int done = 0, word = bytes;
    for (int i = 0; i < TESTS && !done; i++) {
        // An answer says that rank 1 has been inside MPI since: it may have to give back what a message lay in
        MPI_Sendrecv_replace(&word, 1, MPI_INT, 1, WORD, 1, WORD, MPI_COMM_WORLD,
                             MPI_STATUS_IGNORE);
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    }
    word = COME; // only now does rank 1 call MPI_Recv for it
    MPI_Send(&word, 1, MPI_INT, 1, WORD, MPI_COMM_WORLD);
    MPI_Wait(&request, MPI_STATUS_IGNORE); // returns at once where the request is done
    return done;
}

static int receive_when_told(char *buffer) { // rank 1; returns 0 at the end
    int bytes = 0, word;
    while (1) {
        MPI_Recv(&word, 1, MPI_INT, 0, WORD, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (word == COME || word == END)
            break;
        bytes = word;
        MPI_Send(&word, 1, MPI_INT, 0, WORD, MPI_COMM_WORLD);
    }
    if (word == END)
        return 0;
    MPI_Recv(buffer, bytes, MPI_BYTE, 0, MESSAGE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    int good = 1;
    for (int i = 0; i < bytes; i++)
        good = good && buffer[i] == pattern(i, bytes);
    check(good, "a message has changed on its way");
    return 1;
}
// [/alone]

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank = my_rank(MPI_COMM_WORLD);
    if (size_of(MPI_COMM_WORLD) != 2)
        refuse("eager: needs 2 ranks");
    char *buffer = room(MOST);

    if (rank == 1) {
        while (receive_when_told(buffer))
            ;
    } else {
        // [bisect]
        int alone = 1, not_alone = MOST; // the limit is between these
        if (!completes_alone(buffer, 1))
            alone = 0;
        else if (completes_alone(buffer, MOST))
            alone = MOST;
        while (alone > 0 && not_alone - alone > 1) {
            int middle = alone + (not_alone - alone) / 2;
            if (completes_alone(buffer, middle))
                alone = middle;
            else
                not_alone = middle;
        }
        // [/bisect]
        if (alone == 0)
            printf("no message completes alone\n");
        else if (alone == MOST)
            printf("all messages up to %d bytes complete alone\n", MOST);
        else
            printf("a message of %d bytes completes alone, one of %d does not\n", alone, not_alone);
        int word = END;
        MPI_Send(&word, 1, MPI_INT, 1, WORD, MPI_COMM_WORLD);
    }
    free(buffer);
    return verdict("eager");
}
