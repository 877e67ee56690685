"""The picture of where ranks may run shows each rank on its cores, and says so in words."""

import pytest
from matplotlib.colors import to_hex

from rankzero.draw import style
from rankzero.draw.binding import binding


def filled(axes):
    """{rank: its cores} as drawn, by the colour of the rank."""
    found = {}
    for square in axes.patches:
        core, rank = round(square.get_x() + 0.4), round(square.get_y() + 0.4)
        if square.get_facecolor()[3]:
            assert to_hex(square.get_facecolor()) == style.rank_colour(rank).lower()
            found.setdefault(rank, []).append(core)
    return found


def test_each_rank_is_drawn_on_its_cores_and_only_there():
    picture = binding({"bound": [[0], [1]], "free": [[0, 1], [1, 0]]})
    bound, free = picture.figure.axes
    assert filled(bound) == {0: [0], 1: [1]}
    assert filled(free) == {0: [0, 1], 1: [0, 1]}
    assert [axes.get_title() for axes in (bound, free)] == ["bound", "free"]


def test_the_words_say_which_cores_each_rank_has():
    picture = binding({"by socket": [[0], [4, 5], [1, 2, 3], []]}, cores=8, sockets=2)
    assert picture.alt == (
        "by socket: rank 0 on core 0, rank 1 on cores 4 and 5, rank 2 on cores 1 to 3, rank 3 on no core."
    )
    assert len(picture.figure.axes[0].patches) == 4 * 8
    assert len(picture.figure.axes[0].lines) == 1  # between the sockets


@pytest.mark.parametrize("launches", [{}, {"none": []}, {"none": [[]]}])
def test_nothing_to_draw_is_refused(launches):
    with pytest.raises(ValueError, match="nothing to draw"):
        binding(launches)


def test_a_core_that_the_node_does_not_have_is_refused():
    with pytest.raises(ValueError, match="core 2 on a node with 2 cores"):
        binding({"wrong": [[2]]}, cores=2)
