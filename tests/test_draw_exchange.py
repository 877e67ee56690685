"""Who exchanges with whom: the numbers are those of the matrix, the unit is on the scale, and words say it too."""

import pytest

from rankzero.draw.exchange import NUMBERS, exchange

RING = [[0, 2_000_000, 0], [0, 0, 500_000], [1_000, 0, 0]]


def texts(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts]


def test_numbers_stand_in_the_squares_and_the_unit_on_the_scale():
    picture = exchange(RING)
    assert texts(picture) == ["2", "0.5", "0.001"]
    assert picture.figure.axes[1].get_ylabel() == "sent (MB)"
    assert picture.alt == (
        "3 of 9 pairs of ranks exchange something, 2501000 bytes in all. Most goes from rank 0 to rank 1: "
        "2000000 bytes. Not all that is sent goes both ways. Partners are 1 or 2 apart in rank."
    )


def test_messages_are_counted():
    picture = exchange([[0, 7], [7, 0]], "messages")
    assert texts(picture) == ["7", "7"]
    assert picture.figure.axes[1].get_ylabel() == "sent (messages)"
    assert "Whoever sends to another also receives from it." in picture.alt


def test_many_messages_are_counted_in_thousands():
    picture = exchange([[0, 7000], [0, 0]], "messages")
    assert (texts(picture), picture.figure.axes[1].get_ylabel()) == (["7"], "sent (1000 messages)")


def test_numbers_are_left_out_where_there_is_no_room():
    ranks = NUMBERS + 1
    picture = exchange([[1] * ranks for _ in range(ranks)])
    assert texts(picture) == []
    assert len(picture.svg()) < 60_000


def test_no_traffic_is_said_to_be_none():
    picture = exchange([[0, 0], [0, 0]])
    assert picture.alt == "No bytes are exchanged between the 2 ranks."
    assert picture.svg()


@pytest.mark.parametrize("matrix", [[], [[1, 2]], [[1], [2]]])
def test_a_matrix_that_is_not_square_is_refused(matrix):
    with pytest.raises(ValueError, match="columns"):
        exchange(matrix)
