! Purpose: libheat for Fortran: what heat.h says to C. Nothing here is compiled into the library, and a .mod file
!          fits one compiler only, so every program compiles this file for itself.
! Run:     mpifort -c heat_mod.f90
! Source:  see heat.h
module heat_mod
  use, intrinsic :: iso_c_binding, only: c_double, c_int, c_ptr
  implicit none

  ! [interface]
  interface
    ! comm is a handle as an integer: comm%mpi_val with mpi_f08
    type(c_ptr) function heat_create(comm, n) bind(c, name='heat_create_f')
      import :: c_int, c_ptr
      integer(c_int), value :: comm, n
    end function heat_create

    subroutine heat_step(h, steps) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: h
      integer(c_int), value :: steps
    end subroutine heat_step

    real(c_double) function heat_time(h) bind(c)
      import :: c_double, c_ptr
      type(c_ptr), value :: h
    end function heat_time

    real(c_double) function heat_sum(h) bind(c)
      import :: c_double, c_ptr
      type(c_ptr), value :: h
    end function heat_sum

    real(c_double) function heat_error(h) bind(c)
      import :: c_double, c_ptr
      type(c_ptr), value :: h
    end function heat_error

    real(c_double) function heat_bound(h) bind(c)
      import :: c_double, c_ptr
      type(c_ptr), value :: h
    end function heat_bound

    subroutine heat_free(h) bind(c)
      import :: c_ptr
      type(c_ptr), value :: h
    end subroutine heat_free
  end interface
  ! [/interface]
end module heat_mod
