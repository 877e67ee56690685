! Purpose: ring.c in Fortran 2018, with the module mpi_f08: handles have types of their own, and the
!          error argument may be left out.
! Run:     mpifort -o ring_f90 ring.f90 && mpirun -n 4 ./ring_f90
! Source:  see ring.c
program ring
    use mpi_f08
    use, intrinsic :: iso_fortran_env, only: error_unit
    implicit none
    integer :: rank, size, left, right, mine, must, token, token_must, ordered, combined, a, b, step, wrong

    call MPI_Init()
    call MPI_Comm_rank(MPI_COMM_WORLD, rank)
    call MPI_Comm_size(MPI_COMM_WORLD, size)
    if (size < 2) then
        write (error_unit, '(a)') 'ring: needs 2 ranks or more'
        call MPI_Finalize()
        stop 2, quiet=.true.
    end if
    right = modulo(rank + 1, size)
    left = modulo(rank - 1, size)
    mine = rank + 1
    must = size*(size + 1)/2

    token = pass_token()
    a = mine
    b = mine
    ordered = mine
    combined = mine
    do step = 1, size - 1
        a = pass_ordered(a)
        b = pass_sendrecv(b)
        ordered = ordered + a
        combined = combined + b
    end do

    token_must = merge(must, mine*(mine + 1)/2, rank == 0)
    wrong = merge(0, 1, token == token_must .and. ordered == must .and. combined == must)
    call MPI_Allreduce(MPI_IN_PLACE, wrong, 1, MPI_INTEGER, MPI_MAX, MPI_COMM_WORLD)
    if (rank == 0) then
        print '(3(a, i0))', 'token ', token, ', by Send and Recv ', ordered, ', by Sendrecv ', combined
        print '(a, i0, 2a)', 'ring: ranks ', size, ': ', merge('right', 'WRONG', wrong == 0)
    end if
    call MPI_Finalize()
    if (wrong /= 0) stop 1, quiet=.true.

contains

    integer function pass_token() result(passed)
        passed = 1
        if (rank == 0) then
            call MPI_Send(passed, 1, MPI_INTEGER, right, 0, MPI_COMM_WORLD)
            call MPI_Recv(passed, 1, MPI_INTEGER, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE)
        else
            call MPI_Recv(passed, 1, MPI_INTEGER, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE)
            passed = passed + rank + 1
            call MPI_Send(passed, 1, MPI_INTEGER, right, 0, MPI_COMM_WORLD)
        end if
    end function

    ! [ordered]
    integer function pass_ordered(number) result(got)
        integer, intent(in) :: number
        if (modulo(rank, 2) == 0) then
            call MPI_Send(number, 1, MPI_INTEGER, right, 1, MPI_COMM_WORLD)
            call MPI_Recv(got, 1, MPI_INTEGER, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE)
        else
            call MPI_Recv(got, 1, MPI_INTEGER, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE)
            call MPI_Send(number, 1, MPI_INTEGER, right, 1, MPI_COMM_WORLD)
        end if
    end function
    ! [/ordered]

    ! [sendrecv]
    integer function pass_sendrecv(number) result(got)
        integer, intent(in) :: number
        call MPI_Sendrecv(number, 1, MPI_INTEGER, right, 2, got, 1, MPI_INTEGER, left, 2, &
                          MPI_COMM_WORLD, MPI_STATUS_IGNORE)
    end function
    ! [/sendrecv]

end program
