/*
 * Purpose: libheat, the heat equation u_t = u_xx + u_yy on the unit square: u is 0 on the edge, and
 *          sin(pi x) sin(pi y) at the start. The solution is known, so every run can be checked.
 * Run:     mpicc -o heat_c heat_main.c heat.c -lm && mpirun -n 4 ./heat_c 41 20
 * Source:  the explicit method in two dimensions, also called FTCS: Morton and Mayers, Numerical
 *          Solution of Partial Differential Equations, 2nd edition, section 3.1
 */
#ifndef HEAT_H
#define HEAT_H

#include <mpi.h>

#ifdef __cplusplus
extern "C" { // or C++ would look for names with the types of the arguments in them
#endif

// [interface]
typedef struct heat heat; // what is in it only the library knows, so that it can change

// Start with n x n points inside the square, in blocks of rows over the ranks of comm.
// NULL, on all ranks, when there are fewer rows than ranks or not enough memory.
heat *heat_create(MPI_Comm comm, int n);
heat *heat_create_f(MPI_Fint comm, int n); // from Fortran, where a communicator is an integer

void heat_step(heat *h, int steps); // go on by that many time steps
double heat_time(const heat *h);    // the time reached
double heat_sum(const heat *h);     // the heat in the whole square
double heat_error(const heat *h);   // the largest error of all points
double heat_bound(const heat *h);   // what that can be at most, if all is right
void heat_free(heat *h);            // before MPI_Finalize

// All ranks call create, step, sum, error and free together.
// [/interface]

#ifdef __cplusplus
}
#endif

#endif
