/*
 * Purpose: the heat equation with libheat, from C++: the same as heat_main.c, line for line of output.
 * Run:     mpicc -c heat.c && mpicxx -o heat_cpp heat_main.cpp heat.o && mpirun -n 4 ./heat_cpp 100 200
 *          ./heat_cpp 20 1x || echo "exit code $?"
 * Source:  see heat.h
 */
#include "heat.h"

#include <charconv>
#include <cstring>
#include <iomanip>
#include <iostream>
#include <memory>

namespace {

// The number that an argument holds, or -1
int number(const char *text) {
    int value = -1;
    const char *end = text + std::strlen(text);
    auto [rest, fault] = std::from_chars(text, end, value);
    return fault == std::errc() && rest == end ? value : -1;
}

// In a function of its own, so that everything of MPI's is freed before MPI_Finalize
int run(int n, int steps) {
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);

    // [owner]
    std::unique_ptr<heat, decltype(&heat_free)> h(nullptr, heat_free);
    if (steps >= 0)
        h.reset(heat_create(MPI_COMM_WORLD, n));
    // [/owner]
    if (!h) {
        if (rank == 0)
            std::cerr << "heat: give n, at least the number of ranks, and the steps\n";
        return 2;
    }

    heat_step(h.get(), steps);
    double time = heat_time(h.get()), sum = heat_sum(h.get());
    double error = heat_error(h.get()), bound = heat_bound(h.get());
    bool right = error <= bound;

    if (rank == 0) {
        std::cout << std::scientific << std::uppercase << std::setprecision(9);
        std::cout << "heat: ranks " << size << ", n " << n << ", steps " << steps << ", time "
                  << time << '\n';
        std::cout << "heat: sum " << sum << ", error " << error << ", bound " << bound << ": "
                  << (right ? "within the bound" : "WRONG") << '\n';
    }
    return right ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int code = run(argc > 1 ? number(argv[1]) : 100, argc > 2 ? number(argv[2]) : 200);
    std::cout.flush();
    MPI_Finalize();
    return code;
}
