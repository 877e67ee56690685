"""A point of interest on the x axis is an upright line with its label."""

from rankzero.draw.curves import curves


def test_a_mark_stands_where_it_belongs():
    picture = curves(
        [1, 10, 100], {"one": [1, 2, 3]}, xlabel="size (bytes)", ylabel="time (s)", alt="", marks={"eager limit": 20}
    )
    axes = picture.figure.axes[0]
    assert list(axes.lines[-1].get_xdata()) == [20, 20]
    assert [(text.get_text(), text.get_position()[0]) for text in axes.texts] == [("eager limit", 20)]
    assert axes.get_legend() is None
