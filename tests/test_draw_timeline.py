"""A timeline has a bar for each call and an arrow for each message, few enough to be seen, and says what there is."""

import pytest

from rankzero.draw import style
from rankzero.draw.timeline import COLOURS, timeline
from rankzero.mpi.trace import Call, Trace, _Part


def call(rank, name, kind, begin, end, **more):
    return Call(rank, name, kind, begin, end, **{"peer": None, "tag": None, "size": 0, "communicator": 0} | more)


def sent(source, destination, begin, done, tag=0):
    return (
        _Part(source, "S", begin, begin, destination, tag, 0, 8),
        _Part(destination, "R", begin, done, source, tag, 0, 8),
    )


@pytest.fixture
def late():
    """Rank 0 sends late, rank 1 waits for it."""
    out, back = sent(0, 1, 3e-3, 4e-3)
    return Trace(
        (
            (call(0, "MPI_Init", "life", -1, 0), call(0, "MPI_Send", "send", 3e-3, 3.1e-3, peer=1)),
            (call(1, "MPI_Init", "life", -1, 0), call(1, "MPI_Recv", "receive", 1e-3, 4e-3, peer=0)),
        ),
        _parts=((out,), (back,)),
    )


def bars(picture):
    """Return kind -> (left, right, lane) of each bar."""
    found = {}
    for patch in picture.figure.axes[0].patches:
        corners = patch.get_path().vertices.reshape(-1, 5, 2)
        found[patch.get_label()] = [(one[0][0], one[1][0], round(one[:4, 1].mean())) for one in corners]
    return found


def arrows(picture):
    return [made for made in picture.figure.axes[0].collections if hasattr(made, "U")]


def test_bars_and_arrows_stand_where_calls_and_messages_were(late):
    picture = timeline(late)
    assert bars(picture) == {
        "send": [(pytest.approx(3.0), pytest.approx(3.1), 0)],
        "receive": [(pytest.approx(1.0), pytest.approx(4.0), 1)],
    }
    (arrow,) = arrows(picture)
    assert [*arrow.X, *arrow.Y, *arrow.U, *arrow.V] == pytest.approx([3.0, 0, 1.0, 1])
    assert "ms" in picture.figure.axes[0].get_xlabel()
    assert picture.alt == (
        "2 ranks over 4 ms, 2 MPI calls and 1 message. Rank 1 is longest inside MPI, 3 ms; rank 0 shortest, 0.1 ms. "
        "The longest call is MPI_Recv with rank 0 on rank 1, 3 ms."
    )


def test_a_part_of_the_time_shows_what_is_in_it(late):
    picture = timeline(late, 1.5e-3, 2.5e-3)
    assert bars(picture) == {"receive": [(pytest.approx(0.0), pytest.approx(1.0), 1)]}
    assert arrows(picture) == []
    assert "1.5 ms after MPI_Init" in picture.figure.axes[0].get_xlabel()


def test_many_messages_are_thinned_out_and_that_is_said():
    style.use()
    pairs = [sent(0, 1, number * 1e-3, number * 1e-3 + 1e-4) for number in range(1000)]
    calls = [call(0, "MPI_Send", "send", number * 1e-3, number * 1e-3 + 1e-5) for number in range(1000)]
    trace = Trace((tuple(calls), ()), _parts=(tuple(out for out, _ in pairs), tuple(back for _, back in pairs)))
    picture = timeline(trace, arrows=50)
    assert arrows(picture)[0].N == 50
    assert "1000 messages. 50 of the messages are drawn." in picture.alt
    legend = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert legend == ["send", "message (50 of 1000 drawn)"]
    assert timeline(trace, arrows=50).svg() == picture.svg()


def test_calls_that_the_eye_cannot_tell_apart_are_one_bar():
    calls = tuple(call(0, "MPI_Test", "wait", number * 1e-6, number * 1e-6 + 5e-7) for number in range(100_000))
    picture = timeline(Trace((calls,)))
    assert len(bars(picture)["wait"]) == 1
    assert len(picture.svg()) < 60_000


def test_a_call_that_did_not_return_is_named():
    stuck = call(0, "MPI_Recv", "receive", 0.0, 2.0, peer=1, returned=False)
    picture = timeline(Trace(((stuck,), (call(1, "MPI_Barrier", "collective", 0.5, 1.0),))))
    assert picture.alt.endswith("MPI_Recv with rank 1 on rank 0 does not return.")


def test_every_kind_has_a_colour_and_waiting_one_of_its_own():
    waiting = [COLOURS[kind] for kind in ("send", "receive", "wait", "collective", "one-sided")]
    assert len(set(waiting)) == len(waiting)
    assert set(COLOURS.values()) <= {*style.PALETTE, style.INK}


@pytest.mark.parametrize(("begin", "end"), [(1.0, 1.0), (2.0, None)])
def test_a_time_without_length_is_refused(late, begin, end):
    with pytest.raises(ValueError, match="no time between"):
        timeline(late, begin, end)


def test_an_empty_trace_is_refused():
    with pytest.raises(ValueError, match="no calls to draw"):
        timeline(Trace(((), ())))
