"""A field is drawn with the borders of the ranks' blocks, in a map that is even in grey too."""

import matplotlib as mpl
import numpy as np
import pytest

from rankzero.draw.field import MAP, field

PLATE = np.arange(12.0).reshape(3, 4)
BLOCKS = {0: np.s_[0:3, 0:2], 1: np.s_[0:3, 2:4]}


def test_blocks_are_drawn_where_the_ranks_have_them():
    picture = field(PLATE, BLOCKS)
    axes, scale = picture.figure.axes
    assert [box.get_bbox().bounds for box in axes.patches] == [(0, 0, 2, 3), (2, 0, 2, 3)]
    assert [(text.get_text(), text.get_position()) for text in axes.texts] == [("0", (1, 1.5)), ("1", (3, 1.5))]
    assert scale.get_ylabel() == "temperature (°C)"
    assert axes.images[0].get_clim() == (0, 11)
    assert picture.alt == (
        "A field of 3 rows and 4 columns, temperature (°C): highest 11 at row 2, column 3; lowest 0 at row 0, "
        "column 0. 2 ranks hold 3 x 2 points each; those of rank 1 are hottest on average."
    )


def test_the_scale_can_be_the_same_for_several_pictures():
    picture = field(PLATE, low=-10, high=100, label="height (m)")
    assert picture.figure.axes[0].images[0].get_clim() == (-10, 100)
    assert picture.figure.axes[1].get_ylabel() == "height (m)"


def test_the_map_gets_lighter_all_the_way():
    grey = mpl.colormaps[MAP](np.linspace(0, 1, 64))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(grey) > 0).all()


def test_a_large_field_is_a_small_picture():
    values = np.random.default_rng(0).normal(size=(3000, 2000))
    assert len(field(values).svg()) < 700_000


@pytest.mark.parametrize(
    ("values", "blocks", "said"),
    [
        (np.zeros(3), {}, "shape"),
        (np.zeros((0, 3)), {}, "shape"),
        ([[1.0, float("nan")]], {}, "finite"),
        (PLATE, {1: np.s_[3:5, 0:4]}, "rank 1 holds nothing"),
        (PLATE, {1: np.s_[0:3:2, 0:4]}, "rank 1 holds nothing"),
    ],
)
def test_what_cannot_be_drawn_is_refused(values, blocks, said):
    with pytest.raises(ValueError, match=said):
        field(values, blocks)
