! Purpose: pi, as the integral of 4 / (1 + x^2) from 0 to 1 in n strips, and the number of bits it was computed with.
! Run:     make && ./integrate 1000
! Source:  see quadrature.f90
program integrate
  use precision, only: standard, wp
  use quadrature, only: method, midpoint
  implicit none
  character(len=20) :: text
  integer :: n

  call get_command_argument(1, text)
  read (text, *) n
  print '(a, i0, a, i0, a, f0.12)', method//', n = ', n, ', bits = ', digits(1.0_wp), ', pi = ', midpoint(circle, n)
  print '(a)', 'real numbers as in '//standard

contains

  real(wp) function circle(x)
    real(wp), intent(in) :: x
    circle = 4/(1 + x*x)
  end function circle
end program integrate
