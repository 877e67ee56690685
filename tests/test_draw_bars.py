"""Bars are as long as the sum of their parts, and a part that does not fit is refused."""

import pytest

from rankzero.draw.bars import bars


def test_a_bar_is_as_long_as_the_sum_of_its_parts():
    picture = bars(["one", "two"], {"a": [1, 2], "b": [3, 4]}, xlabel="size (bytes)", alt="Two is longer than one.")
    ends = [patch.get_x() + patch.get_width() for patch in picture.figure.axes[0].patches]
    assert ends == [1, 2, 4, 6]
    assert 'aria-label="Two is longer than one."' in picture.svg()


def test_a_part_of_another_length_is_refused():
    with pytest.raises(ValueError, match="b has 1 values, there are 2 bars"):
        bars(["one", "two"], {"a": [1, 2], "b": [3]}, xlabel="size (bytes)", alt="")


def test_more_parts_than_colours_are_refused():
    with pytest.raises(ValueError, match="7 parts"):
        bars(["one"], {str(number): [1] for number in range(7)}, xlabel="size (bytes)", alt="")
