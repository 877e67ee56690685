/*
 * Purpose: ring.c in C++17: MPI's C interface, as the C++ one was taken out of the standard in MPI 3.0.
 * Run:     mpicxx -std=c++17 -o ring_cpp ring.cpp && mpirun -n 4 ./ring_cpp
 * Source:  see ring.c
 */
#include <iostream>
#include <mpi.h>

// [ring]
// A communicator, and where this rank's neighbours are in it
class Ring {
  public:
    explicit Ring(MPI_Comm comm) : comm_(comm) {
        MPI_Comm_rank(comm, &rank);
        MPI_Comm_size(comm, &size);
        right_ = (rank + 1) % size;
        left_ = (rank + size - 1) % size;
    }
    void send(int value, int tag) const {
        MPI_Send(&value, 1, MPI_INT, right_, tag, comm_);
    }
    int receive(int tag) const {
        int value;
        MPI_Recv(&value, 1, MPI_INT, left_, tag, comm_, MPI_STATUS_IGNORE);
        return value;
    }
    int sendrecv(int value, int tag) const {
        int got;
        MPI_Sendrecv(&value, 1, MPI_INT, right_, tag, &got, 1, MPI_INT, left_, tag, comm_,
                     MPI_STATUS_IGNORE);
        return got;
    }
    int rank, size;

  private:
    MPI_Comm comm_;
    int left_, right_;
};
// [/ring]

static int pass_token(const Ring &ring) {
    if (ring.rank == 0) {
        ring.send(1, 0);
        return ring.receive(0);
    }
    int token = ring.receive(0) + ring.rank + 1;
    ring.send(token, 0);
    return token;
}

static int pass_ordered(const Ring &ring, int value) {
    if (ring.rank % 2 == 0) {
        ring.send(value, 1);
        return ring.receive(1);
    }
    int got = ring.receive(1);
    ring.send(value, 1);
    return got;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    const Ring ring(MPI_COMM_WORLD);
    if (ring.size < 2) {
        std::cerr << "ring: needs 2 ranks or more\n";
        MPI_Finalize();
        return 2;
    }
    const int mine = ring.rank + 1, must = ring.size * (ring.size + 1) / 2;
    const int token = pass_token(ring);
    int ordered = mine, combined = mine;
    for (int step = 1, a = mine, b = mine; step < ring.size; step++) {
        a = pass_ordered(ring, a);
        b = ring.sendrecv(b, 2);
        ordered += a;
        combined += b;
    }

    const int token_must = ring.rank == 0 ? must : mine * (mine + 1) / 2;
    int wrong = token != token_must || ordered != must || combined != must;
    MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (ring.rank == 0)
        std::cout << "token " << token << ", by Send and Recv " << ordered << ", by Sendrecv "
                  << combined << "\nring: ranks " << ring.size << ": "
                  << (wrong ? "WRONG" : "right") << "\n";
    MPI_Finalize();
    return wrong;
}
