! Purpose: integrals of functions of one variable.
! Run:     make && ./integrate 1000
! Source:  the midpoint rule: the function in the middle of each of n strips
module quadrature
  use precision, only: wp
  implicit none
  private
  public :: integrand, midpoint
  character(len=*), parameter, public :: method = 'rule of midpoints'

  abstract interface
    real(wp) function integrand(x)
      import :: wp
      real(wp), intent(in) :: x
    end function integrand
  end interface

contains

  real(wp) function midpoint(f, n)
    procedure(integrand) :: f
    integer, intent(in) :: n
    integer :: i

    midpoint = 0
    do i = 1, n
      midpoint = midpoint + f((i - 0.5_wp)/n)/n
    end do
  end function midpoint
end module quadrature
