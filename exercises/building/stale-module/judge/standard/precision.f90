! Purpose: the kind of all real numbers of the program, in one place.
! Run:     make && ./integrate 1000
! Source:  Fortran 2018, iso_fortran_env
module precision
  use, intrinsic :: iso_fortran_env, only: real32, real64
  implicit none
  private
  integer, parameter, public :: wp = real64
  character(len=*), parameter, public :: standard = 'IEEE 754-2019'
end module precision
