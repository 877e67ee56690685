! Purpose: the heat equation with libheat, from Fortran: the same as heat_main.c, line for line of output.
! Run:     mpicc -c heat.c && mpifort -o heat_f90 heat_mod.f90 heat_main.f90 heat.o && mpirun -n 4 ./heat_f90 100 200
!          ./heat_f90 20 1x || echo "exit code $?"
! Source:  see heat.h
program heat_main
  use, intrinsic :: iso_c_binding, only: c_associated, c_double, c_int, c_null_ptr, c_ptr
  use, intrinsic :: iso_fortran_env, only: error_unit
  use mpi_f08
  use heat_mod
  implicit none

  type(c_ptr) :: h
  integer :: rank, ranks
  integer(c_int) :: n, steps
  real(c_double) :: time, total, error, bound
  logical :: right

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks)

  n = argument(1, 100_c_int)
  steps = argument(2, 200_c_int)
  h = c_null_ptr
  ! [create]
  if (steps >= 0) h = heat_create(MPI_COMM_WORLD%mpi_val, n)
  ! [/create]
  if (.not. c_associated(h)) then
    if (rank == 0) write (error_unit, '(a)') 'heat: give n, at least the number of ranks, and the steps'
    call MPI_Finalize()
    stop 2, quiet=.true.
  end if

  call heat_step(h, steps)
  time = heat_time(h)
  total = heat_sum(h)
  error = heat_error(h)
  bound = heat_bound(h)
  right = error <= bound
  call heat_free(h)

  if (rank == 0) then
    print '(3(a, i0), a, es15.9)', 'heat: ranks ', ranks, ', n ', n, ', steps ', steps, ', time ', time
    print '(3(a, es15.9), 2a)', 'heat: sum ', total, ', error ', error, ', bound ', bound, ': ', &
      trim(merge('within the bound', 'WRONG           ', right))
  end if
  call MPI_Finalize()
  if (.not. right) stop 1, quiet=.true.

contains

  ! The number that an argument holds, or -1; default if it is not there
  integer(c_int) function argument(position, default)
    integer, intent(in) :: position
    integer(c_int), intent(in) :: default
    character(len=20) :: text
    integer :: fault

    argument = default
    if (command_argument_count() < position) return
    call get_command_argument(position, text)
    read (text, '(i20)', iostat=fault) argument
    if (fault /= 0) argument = -1
  end function argument

end program heat_main
