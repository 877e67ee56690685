/*
 * Purpose: communicators of some of the ranks, made in four ways, and one of all that keeps messages apart.
 * Run:     mpicc -o groups groups.c && mpirun -n 4 ./groups
 * Source:  MPI 3.1, chapter 6
 */
#include "check.h"

#include <string.h>

static int rank, size;

// [split]
// The ranks as a table of two columns: one communicator for each row, and one for each column
static void rows_and_columns(void) {
    MPI_Comm row, column;
    MPI_Comm_split(MPI_COMM_WORLD, rank / 2, rank, &row); // one colour, one communicator
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &column);

    int row_sum, column_sum;
    MPI_Allreduce(&rank, &row_sum, 1, MPI_INT, MPI_SUM, row);
    MPI_Allreduce(&rank, &column_sum, 1, MPI_INT, MPI_SUM, column);
    // [/split]
    int row_must = 0, column_must = 0;
    for (int r = 0; r < size; r++) {
        row_must += r / 2 == rank / 2 ? r : 0;
        column_must += r % 2 == rank % 2 ? r : 0;
    }
    check(row_sum == row_must && column_sum == column_must, "the sum of a row or a column");
    check(my_rank(row) == rank % 2 && my_rank(column) == rank / 2, "the rank in one");
    say("rank %d: rank %d of %d in its row, %d of %d in its column", rank, my_rank(row),
        size_of(row), my_rank(column), size_of(column));
    MPI_Comm_free(&row);
    MPI_Comm_free(&column);
}

// [key]
// The key says the order: here the last becomes rank 0. Who gives MPI_UNDEFINED is in none.
static void backwards_without_rank_0(void) {
    MPI_Comm some;
    MPI_Comm_split(MPI_COMM_WORLD, rank == 0 ? MPI_UNDEFINED : 0, -rank, &some);
    // [/key]
    check((some == MPI_COMM_NULL) == (rank == 0), "who is left out");
    if (some == MPI_COMM_NULL)
        return;
    check(my_rank(some) == size - 1 - rank && size_of(some) == size - 1, "the order by keys");
    MPI_Comm_free(&some);
}

// [shared]
// The ranks that can share memory: those of one node
static void same_node(void) {
    MPI_Comm node;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    // [/shared]
    char name[MPI_MAX_PROCESSOR_NAME] = "", *all = room((size_t)size * sizeof name);
    int length, same = 0;
    MPI_Get_processor_name(name, &length);
    MPI_Allgather(name, sizeof name, MPI_CHAR, all, sizeof name, MPI_CHAR, MPI_COMM_WORLD);
    for (int r = 0; r < size; r++)
        same += strcmp(all + (size_t)r * sizeof name, name) == 0;
    check(size_of(node) == same, "the ranks of this node");
    free(all);
    MPI_Comm_free(&node);
}

// [group]
// From a list of ranks, and without the others: they do not call MPI_Comm_create_group
static void even_ranks(void) {
    MPI_Group everyone, even, odd, none;
    int *list = room((size_t)size * sizeof *list), count = 0;
    for (int r = 0; r < size; r += 2)
        list[count++] = r;
    MPI_Comm_group(MPI_COMM_WORLD, &everyone);
    MPI_Group_incl(everyone, count, list, &even);
    MPI_Group_difference(everyone, even, &odd);
    MPI_Group_intersection(even, odd, &none);
    if (rank % 2 == 0) {
        MPI_Comm comm;
        MPI_Comm_create_group(MPI_COMM_WORLD, even, 0, &comm);
        check(my_rank(comm) == rank / 2 && size_of(comm) == count, "the even ranks");
        MPI_Comm_free(&comm);
    }
    // [/group]
    int odds, nobody, zero = 0, there;
    MPI_Group_size(odd, &odds);
    MPI_Group_size(none, &nobody);
    check(odds == size / 2 && nobody == 0, "the sizes of the groups");
    // [translate]
    for (int r = 0; r < size; r++) {
        MPI_Group_translate_ranks(everyone, 1, &r, even, &there); // who is r over there?
        check(there == (r % 2 == 0 ? r / 2 : MPI_UNDEFINED), "a translated rank");
    }
    MPI_Group_translate_ranks(odd, odds > 0, &zero, everyone, &there);
    check(odds == 0 || there == 1, "the first of the odd ranks");
    // [/translate]
    MPI_Group_free(&everyone);
    MPI_Group_free(&even);
    MPI_Group_free(&odd);
    MPI_Group_free(&none);
    free(list);
}

// [dup]
// The same ranks and the same tag in another communicator: its messages are received by nobody else
static void apart(void) {
    MPI_Comm twin;
    MPI_Comm_dup(MPI_COMM_WORLD, &twin);
    int right = (rank + 1) % size, left = (rank + size - 1) % size, first = 1, second = 2, got[2];
    MPI_Request sent[2];
    MPI_Isend(&first, 1, MPI_INT, right, 0, MPI_COMM_WORLD, &sent[0]);
    MPI_Isend(&second, 1, MPI_INT, right, 0, twin, &sent[1]);
    MPI_Recv(&got[1], 1, MPI_INT, left, 0, twin, MPI_STATUS_IGNORE); // it was sent later
    MPI_Recv(&got[0], 1, MPI_INT, left, MPI_ANY_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Waitall(2, sent, MPI_STATUSES_IGNORE);
    check(got[0] == 1 && got[1] == 2, "messages of two communicators");
    // [/dup]
    int alike;
    MPI_Comm_compare(MPI_COMM_WORLD, twin, &alike);
    check(alike == MPI_CONGRUENT, "a duplicate has the same ranks, and is another communicator");
    MPI_Comm_free(&twin);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    rows_and_columns();
    backwards_without_rank_0();
    same_node();
    even_ranks();
    apart();
    return verdict("groups");
}
