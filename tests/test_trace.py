"""A trace holds what was called, and sends are matched with the receives that took their messages."""

import itertools
import json
import math
import re
import sys
from collections import Counter

import pytest

from rankzero import cli, proc
from rankzero.mpi import preload, toolchain, trace

BEGIN = """\
#include <mpi.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#define WORLD MPI_COMM_WORLD
#define ANY MPI_ANY_SOURCE, MPI_ANY_TAG
static char out[4096], in[8][4096];
int main(int argc, char **argv) {
    int rank, size, flag = 0, which[8], index, count;
    MPI_Request r[8];
    MPI_Status s[8];
    MPI_Message m;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(WORLD, &rank);
    MPI_Comm_size(WORLD, &size);
    (void)r, (void)s, (void)m, (void)flag, (void)which, (void)index, (void)count, (void)in, (void)out;
"""
END = """
    MPI_Finalize();
    return 0;
}
"""

# In each case every message has a size of its own, so that a wrong match shows. Rank 2 is a third party.
CASES = {
    "the same tag twice, waited for in the other order": """
    if (rank == 0) {
        MPI_Send(out, 1, MPI_BYTE, 1, 5, WORLD);
        MPI_Send(out, 2, MPI_BYTE, 1, 5, WORLD);
    } else if (rank == 1) {
        MPI_Irecv(in[0], 4096, MPI_BYTE, 0, 5, WORLD, &r[0]);
        MPI_Irecv(in[1], 4096, MPI_BYTE, 0, 5, WORLD, &r[1]);
        MPI_Wait(&r[1], MPI_STATUS_IGNORE);
        MPI_Wait(&r[0], &s[0]);
    }""",
    "wildcards": """
    if (rank == 0) {
        for (int i = 0; i < 4; i++)
            MPI_Recv(in[i], 4096, MPI_BYTE, ANY, WORLD, i % 2 ? MPI_STATUS_IGNORE : s);
    } else {
        MPI_Send(out, 10 * rank, MPI_BYTE, 0, rank, WORLD);
        MPI_Send(out, 10 * rank + 1, MPI_BYTE, 0, 7, WORLD);
    }""",
    "two communicators of the same ranks, used first in another order by each": """
    MPI_Comm a, b;
    MPI_Comm_dup(WORLD, &a);
    MPI_Comm_dup(WORLD, &b);
    if (rank == 0) {
        MPI_Send(out, 2000, MPI_BYTE, 1, 5, b);
        MPI_Send(out, 2100, MPI_BYTE, 1, 5, a);
        MPI_Send(out, 2200, MPI_BYTE, 1, 5, WORLD);
    } else if (rank == 1) {
        MPI_Recv(in[0], 4096, MPI_BYTE, 0, 5, a, MPI_STATUS_IGNORE);
        MPI_Recv(in[0], 4096, MPI_BYTE, ANY, WORLD, MPI_STATUS_IGNORE);
        MPI_Recv(in[0], 4096, MPI_BYTE, ANY, b, MPI_STATUS_IGNORE);
    }
    MPI_Comm_free(&a);
    MPI_Comm_free(&b);""",
    "a communicator with the ranks the other way round": """
    MPI_Comm c;
    MPI_Comm_split(WORLD, 0, -rank, &c);
    if (rank == 0)
        MPI_Send(out, 3000, MPI_BYTE, 0, 5, c); /* to rank 2 of the world */
    else if (rank == 2)
        MPI_Recv(in[0], 4096, MPI_BYTE, 2, 5, c, MPI_STATUS_IGNORE);
    MPI_Comm_free(&c);""",
    "a ring of MPI_Sendrecv": """
    MPI_Sendrecv(out, 40 + rank, MPI_BYTE, (rank + 1) % size, 3, in[0], 4096, MPI_BYTE, (rank + size - 1) % size, 3,
                 WORLD, MPI_STATUS_IGNORE);
    MPI_Sendrecv_replace(out, 50, MPI_BYTE, (rank + 1) % size, 3, MPI_ANY_SOURCE, 3, WORLD, MPI_STATUS_IGNORE);""",
    "MPI_Isend and MPI_Waitall": """
    int up = rank > 0 ? rank - 1 : MPI_PROC_NULL, down = rank < size - 1 ? rank + 1 : MPI_PROC_NULL;
    for (int step = 0; step < 3; step++) {
        MPI_Irecv(in[0], 4096, MPI_BYTE, up, 1, WORLD, &r[0]);
        MPI_Irecv(in[1], 4096, MPI_BYTE, down, 2, WORLD, &r[1]);
        MPI_Isend(out, 60 + step + 10 * rank, MPI_BYTE, up, 2, WORLD, &r[2]);
        MPI_Isend(out, 1060 + step + 10 * rank, MPI_BYTE, down, 1, WORLD, &r[3]);
        MPI_Waitall(4, r, step ? MPI_STATUSES_IGNORE : s);
    }""",
    "more requests at once than a few": """
    enum { MANY = 100 };
    static MPI_Request many[MANY];
    for (int i = 0; i < MANY && rank < 2; i++)
        if (rank)
            MPI_Irecv(in[0] + i, 4096, MPI_BYTE, 0, i, WORLD, &many[i]);
        else
            MPI_Isend(out, i, MPI_BYTE, 1, i, WORLD, &many[i]);
    if (rank < 2)
        MPI_Waitall(MANY, many, MPI_STATUSES_IGNORE);""",
    "requests that are completed one by one": """
    if (rank == 0) {
        for (int i = 0; i < 4; i++)
            MPI_Send(out, 70 + i, MPI_BYTE, 1, 3 - i, WORLD);
    } else if (rank == 1) {
        for (int i = 0; i < 4; i++)
            MPI_Irecv(in[i], 4096, MPI_BYTE, 0, i, WORLD, &r[i]);
        MPI_Waitany(4, r, &index, MPI_STATUS_IGNORE);
        MPI_Waitsome(4, r, &count, which, MPI_STATUSES_IGNORE);
        for (flag = 0; !flag;)
            MPI_Testany(4, r, &index, &flag, MPI_STATUS_IGNORE);
        for (flag = 0; !flag;)
            MPI_Testall(4, r, &flag, MPI_STATUSES_IGNORE);
    }""",
    "persistent requests": """
    if (rank == 0)
        MPI_Send_init(out, 80, MPI_BYTE, 1, 5, WORLD, &r[0]);
    else if (rank == 1)
        MPI_Recv_init(in[0], 4096, MPI_BYTE, MPI_ANY_SOURCE, 5, WORLD, &r[0]);
    for (int step = 0; step < 3 && rank < 2; step++) {
        MPI_Start(&r[0]);
        MPI_Wait(&r[0], MPI_STATUS_IGNORE);
    }
    if (rank < 2)
        MPI_Request_free(&r[0]);""",
    "messages that were probed": """
    if (rank == 0) {
        for (int i = 0; i < 3; i++)
            MPI_Send(out, 90 + i, MPI_BYTE, 1, 5, WORLD);
    } else if (rank == 1) {
        MPI_Mprobe(0, MPI_ANY_TAG, WORLD, &m, MPI_STATUS_IGNORE); /* has the first */
        MPI_Recv(in[1], 4096, MPI_BYTE, 0, 5, WORLD, MPI_STATUS_IGNORE);
        MPI_Mrecv(in[0], 4096, MPI_BYTE, &m, MPI_STATUS_IGNORE);
        for (flag = 0; !flag;)
            MPI_Improbe(ANY, WORLD, &flag, &m, MPI_STATUS_IGNORE);
        MPI_Imrecv(in[2], 4096, MPI_BYTE, &m, &r[0]);
        MPI_Wait(&r[0], MPI_STATUS_IGNORE);
    }""",
    "a receive that is cancelled": """
    if (rank == 0) {
        MPI_Irecv(in[0], 4096, MPI_BYTE, 1, 5, WORLD, &r[0]);
        MPI_Cancel(&r[0]);
        MPI_Wait(&r[0], MPI_STATUS_IGNORE);
        MPI_Barrier(WORLD);
        MPI_Recv(in[0], 4096, MPI_BYTE, 1, 5, WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Barrier(WORLD);
        if (rank == 1)
            MPI_Send(out, 100, MPI_BYTE, 0, 5, WORLD);
    }""",
    "a message to oneself, and one through an intercommunicator": """
    MPI_Comm half, inter;
    MPI_Sendrecv(out, 110, MPI_BYTE, 0, 5, in[0], 4096, MPI_BYTE, 0, 5, MPI_COMM_SELF, MPI_STATUS_IGNORE);
    MPI_Comm_split(WORLD, rank == 2, rank, &half);
    MPI_Intercomm_create(half, 0, WORLD, rank == 2 ? 0 : 2, 9, &inter);
    if (rank == 1)
        MPI_Send(out, 111, MPI_BYTE, 0, 5, inter); /* to rank 2 of the world */
    else if (rank == 2)
        MPI_Recv(in[0], 4096, MPI_BYTE, 1, 5, inter, MPI_STATUS_IGNORE);
    MPI_Comm_free(&inter);
    MPI_Comm_free(&half);""",
}
MESSAGES = [2, 4, 3, 1, 6, 12, 100, 4, 3, 3, 1, 4]

COLLECTIVES = """
    int values[8] = {0}, counts[3] = {1, 2, 0}, places[3] = {0, 1, 3}, one[4];
    MPI_Bcast(values, 3, MPI_INT, 1, WORLD);
    MPI_Reduce(rank == 2 ? MPI_IN_PLACE : (void *)values, one, 4, MPI_INT, MPI_SUM, 2, WORLD);
    MPI_Gather(rank ? (void *)one : MPI_IN_PLACE, rank, rank ? MPI_INT : MPI_DATATYPE_NULL, values, 2, MPI_INT, 0,
               MPI_COMM_SELF == WORLD ? WORLD : WORLD);
    MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, 1, MPI_INT, WORLD);
    MPI_Scatterv(values, counts, places, MPI_INT, one, counts[rank], MPI_INT, 0, WORLD);
    MPI_Alltoallv(values, counts, places, MPI_INT, in[0], counts, places, MPI_INT, MPI_COMM_SELF);
    MPI_Barrier(WORLD);
"""
WINDOWS = """
    double *memory, value[4] = {1};
    MPI_Win win;
    MPI_Win_allocate(64, 8, MPI_INFO_NULL, WORLD, &memory, &win);
    MPI_Win_fence(0, win);
    if (rank == 0)
        MPI_Put(value, 4, MPI_DOUBLE, 1, 0, 4, MPI_DOUBLE, win);
    if (rank == 2)
        MPI_Get(value, 2, MPI_DOUBLE, 0, 0, 2, MPI_DOUBLE, win);
    MPI_Win_fence(0, win);
    MPI_Win_free(&win);
"""
FORTRAN = """\
program p
  use mpi_f08
  implicit none
  integer :: rank, value(3) = 0
  type(MPI_Request) :: r(2)
  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Irecv(value, 3, MPI_INTEGER, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, r(1))
  call MPI_Isend(value, 1 + rank, MPI_INTEGER, 1 - rank, 4, MPI_COMM_WORLD, r(2))
  call MPI_Waitall(2, r, MPI_STATUSES_IGNORE)
  call MPI_Finalize()
end program
"""
PYTHON = """\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    comm.send(list(range(10)), dest=1, tag=3)
    comm.send("news", dest=1, tag=3)
    comm.Send(bytearray(5), dest=1, tag=4)
else:
    assert comm.recv(source=0, tag=MPI.ANY_TAG)[9] == 9
    request = comm.irecv(source=MPI.ANY_SOURCE, tag=3)
    comm.Recv(bytearray(9), source=0, tag=4)
    assert request.wait() == "news"
comm.bcast({"all": 1})
"""


@pytest.fixture(scope="module", params=["Open MPI", "MPICH"])
def mpi(request):
    found = toolchain.find(request.param)
    if found is None:
        pytest.skip(f"there is no {request.param} here")
    return found


def build(folder, body, mpi):
    (folder / "program.c").write_text(BEGIN + body + END)
    return toolchain.compile_c(folder / "program.c", folder / "program", mpi=mpi, flags=("-g", "-w"))


@pytest.fixture(scope="module")
def cases(tmp_path_factory, mpi):
    """One run of all cases, each followed by a barrier and by an MPI_Exscan that nothing else calls, as a mark."""
    mark = "MPI_Barrier(WORLD);\n    MPI_Exscan(&rank, which, 1, MPI_INT, MPI_SUM, WORLD);"
    body = "".join(f"    {{{case}\n    }}\n    {mark}\n" for case in CASES.values())
    return trace.record([build(tmp_path_factory.mktemp("cases"), body, mpi)], mpi, 3)


def names(one, rank):
    return [call.name for call in one.calls[rank]]


def test_the_tracer_knows_the_arguments_that_mpi_h_declares(tmp_path, mpi):
    (tmp_path / "mpi.c").write_text("#include <mpi.h>\n")
    preprocessed = [mpi.mpicc, "-E", "-P", tmp_path / "mpi.c"]
    header = proc.run(preprocessed, limits=proc.Limits(output=1 << 24), check=True).stdout
    declared = {
        name: [] if arguments.strip() == "void" else [one.strip() for one in arguments.split(",")]
        for name, arguments in re.findall(r"\bint\s+MPI_(\w+)\s*\(([^()]*(?:\(\*\w*\)\([^()]*\)[^()]*)*)\)", header)
    }
    types = {  # a letter of a signature -> what the argument must be
        **dict.fromkeys("ndSgGoak", r"int |MPI_Count "),
        **dict.fromkeys("tT", "MPI_Datatype "),
        **dict.fromkeys("v", r"const int |const MPI_Count "),
        **dict.fromkeys("N", r"int |MPI_Count "),
        "c": r"MPI_Comm \w+$",
        "w": "MPI_Win ",
        "x": r"MPI_Comm ?\*",
        "f": r"MPI_(Comm|Win) ?\*",
        "b": "(const )?void",
        **dict.fromkeys("rq", r"MPI_Request( ?\*| \w+\[\])"),
        **dict.fromkeys("mM", r"MPI_Message ?\*"),
        **dict.fromkeys("yijl", r"int( ?\*| \w+\[\])"),
        "u": r"MPI_Status( ?\*| \w+\[\])",
    }
    traced = dict(re.findall(r"'.', \d+, (\w+), \"([^\"]*)\"", trace.TRACER.read_text()))
    symbols = proc.run(["nm", "-D", "--defined-only", preload.library(trace.TRACER, mpi.mpicc)], check=True).stdout
    defined = set(re.findall(r" T MPI_(\w+)", symbols))
    assert len(defined) > 120
    assert defined <= declared.keys(), "a function that this MPI lacks must not seem to be there"
    for name in defined:
        signature = traced[name.removesuffix("_c")]
        assert len(signature) == len(declared[name]), name
        for letter, argument in zip(signature, declared[name], strict=True):
            assert letter == "." or re.match(types[letter], argument), (name, letter, argument)


def test_every_send_is_matched_with_the_receive_that_took_its_message(cases):
    pairs = list(cases._pairs())
    assert cases.dropped == 0
    assert [(sent, received) for sent, received in pairs if not received or sent.size != received.size] == []
    assert len(pairs) == sum(MESSAGES)
    assert cases.unreceived() == []
    assert all(message.received > message.sent for message in cases.messages())


def test_each_case_has_its_messages(cases):
    ends = [[call.end for call in mine if call.name == "MPI_Exscan"] for mine in cases.calls]
    of_case = Counter(sum(m.received > end for end in ends[m.destination]) for m in cases.messages())
    assert {name: of_case[number] for number, name in enumerate(CASES)} == dict(zip(CASES, MESSAGES, strict=True))


def test_ranks_are_those_of_the_world(cases):
    way = {(message.source, message.destination) for message in cases.messages() if message.size in (3000, 111)}
    assert way == {(0, 2), (1, 2)}
    communicators = {message.size: message.communicator for message in cases.messages()}
    assert communicators[2200] == 0
    assert len({communicators[size] for size in (2000, 2100, 2200)}) == 3


def test_wildcards_are_told_by_what_came(cases):
    first = [call for call in cases.calls[0] if call.name == "MPI_Recv"][:4]
    assert sorted((call.peer, call.tag, call.size) for call in first) == [
        (1, 1, 10),
        (1, 7, 11),
        (2, 2, 20),
        (2, 7, 21),
    ]


def test_calls_are_in_order_and_do_not_overlap(cases):
    for mine in cases.calls:
        assert all(one.end >= one.begin for one in mine)
        assert all(one.end <= other.begin for one, other in itertools.pairwise(mine))
        assert (mine[0].name, mine[0].kind, mine[-1].name) == ("MPI_Init", "life", "MPI_Finalize")
        assert mine[0].end <= 0.0


def test_sums_are_those_of_the_messages_and_calls(cases):
    sizes, counts = cases.traffic(), cases.traffic("messages")
    for source in range(3):
        for destination in range(3):
            mine = [m.size for m in cases.messages() if (m.source, m.destination) == (source, destination)]
            assert (sizes[source][destination], counts[source][destination]) == (sum(mine), len(mine))
    for rank, seconds in enumerate(cases.inside()):
        mine = [call for call in cases.calls[rank] if call.kind != "life"]
        assert seconds == pytest.approx(sum(call.end - call.begin for call in mine))
        assert seconds == pytest.approx(sum(cases.inside(kind)[rank] for kind in cases.kinds()))
    with pytest.raises(ValueError, match="bytes"):
        cases.traffic("letters")


def test_collectives_and_windows_say_their_bytes(tmp_path, mpi):
    one = trace.record([build(tmp_path, COLLECTIVES + WINDOWS, mpi)], mpi, 3)
    sizes = [[call.size for call in mine if call.kind == "collective"][:7] for mine in one.calls]
    assert sizes == [[12, 16, 8, 4, 4, 4, 0], [12, 16, 4, 4, 8, 4, 0], [12, 16, 8, 4, 0, 4, 0]]
    assert [call.peer for call in one.calls[0] if call.name in ("MPI_Bcast", "MPI_Reduce")] == [1, 2]
    assert one.messages() == []
    assert one.traffic() == [[0, 32, 16], [0, 0, 0], [0, 0, 0]]
    assert {call.communicator for call in one.calls[0] if call.name == "MPI_Barrier"} == {0}


def test_fortran_is_seen(tmp_path, mpi):
    (tmp_path / "program.f90").write_text(FORTRAN)
    compiler = mpi.mpicc.replace("mpicc", "mpifort")
    proc.run([compiler, "-o", tmp_path / "program", tmp_path / "program.f90"], cwd=tmp_path, check=True)
    one = trace.record([tmp_path / "program"], mpi, 2)
    assert names(one, 0)[1:] == ["MPI_Irecv", "MPI_Isend", "MPI_Waitall", "MPI_Finalize"]
    assert sorted((m.source, m.destination, m.tag, m.size) for m in one.messages()) == [(0, 1, 4, 4), (1, 0, 4, 8)]


def test_mpi4py_is_seen(tmp_path):
    (tmp_path / "program.py").write_text(PYTHON)
    one = trace.record([sys.executable, tmp_path / "program.py"], ranks=2)
    pairs = list(one._pairs())
    assert [(sent.rank, sent.tag) for sent, _ in pairs] == [(0, 3), (0, 3), (0, 4)]
    assert all(received and sent.size == received.size for sent, received in pairs)
    assert "MPI_Bcast" in names(one, 1)


def test_the_trace_of_a_killed_rank_is_kept(tmp_path, mpi):
    body = """
    MPI_Barrier(WORLD);
    if (rank == 1) {
        MPI_Send(out, 3, MPI_BYTE, 0, 5, WORLD);
        raise(SIGKILL);
    }
    MPI_Recv(in[0], 4096, MPI_BYTE, 1, 5, WORLD, MPI_STATUS_IGNORE);
    MPI_Recv(in[0], 4096, MPI_BYTE, 1, 6, WORLD, MPI_STATUS_IGNORE);"""
    with pytest.raises(trace.TracedProgramError, match=r"ended with exit code|was killed") as caught:
        trace.record([build(tmp_path, body, mpi)], mpi, 2)
    kept = caught.value.trace
    assert kept.result is caught.value.result
    assert names(kept, 1)[-1] == "MPI_Send"
    assert all(call.returned for call in kept.calls[1])
    assert kept.traffic("messages") == [[0, 0], [1, 0]]
    last = kept.calls[0][-1]  # it may have been killed before it came so far
    assert (last.name, last.returned) in (("MPI_Recv", False), ("MPI_Barrier", True), ("MPI_Recv", True))
    if not last.returned:
        assert (last.peer, last.tag) in ((1, 5), (1, 6))
        assert last.end > last.begin


def test_a_rank_that_waits_for_ever_leaves_where_it_stood(tmp_path):
    body = """
    alarm(rank);
    if (rank == 0)
        MPI_Send(out, 3, MPI_BYTE, 1, 5, WORLD);
    else
        MPI_Recv(in[0], 9, MPI_BYTE, 0, 6, WORLD, s);"""
    one = trace.record([build(tmp_path, body, toolchain.course())], ranks=2, check=False)
    assert not one.result.ok
    stands = one.calls[1][-1]
    assert (stands.name, stands.peer, stands.tag, stands.returned) == ("MPI_Recv", 0, 6, False)
    assert stands.end > stands.begin + 0.5
    assert [(m.source, m.destination, m.tag, m.received) for m in one.unreceived()] == [(0, 1, 5, math.inf)]
    assert one.messages() == []


def test_what_is_beyond_the_limit_is_counted(tmp_path):
    body = "for (int i = 0; i < 100; i++) MPI_Iprobe(ANY, WORLD, &flag, s);"
    one = trace.record([build(tmp_path, body, toolchain.course())], ranks=2, records=50)
    assert [len(mine) for mine in one.calls] == [50, 50]
    assert one.dropped == 2 * (102 - 50)
    assert f"{one.dropped} more calls were beyond the limit" in one.table()


def test_a_program_without_mpi_is_said_to_be_one():
    with pytest.raises(proc.ProcError, match="no rank has called MPI_Init"):
        trace.record(["true"], ranks=2)


def test_the_verb_prints_a_line_for_each_rank_and_writes_json(tmp_path, capsys):
    program = build(
        tmp_path,
        "if (rank == 1) MPI_Send(out, 9, MPI_BYTE, 0, 5, WORLD); else MPI_Recv(in[0], 9, MPI_BYTE, 1, 5, WORLD, s);",
        toolchain.course(),
    )
    file = tmp_path / "trace.json"
    assert cli.main(["trace", "-n", "2", "--perfetto", str(file), str(program), "-n", "7"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(row[0], row[1], row[3], row[4]) for row in rows[1:]] == [("0", "3", "0", "0"), ("1", "3", "9", "1")]
    events = json.loads(file.read_text())["traceEvents"]
    assert [event["name"] for event in events if event["ph"] == "X" and event["tid"] == 1] == [
        "MPI_Init",
        "MPI_Send",
        "MPI_Finalize",
    ]
    assert sorted(event["ph"] for event in events if event.get("cat") == "message") == ["f", "s"]


def test_the_verb_fails_as_the_program_does(tmp_path, capsys):
    assert cli.main(["trace", "-n", "1", "false"]) == 1
    assert cli.main(["trace"]) == 2
    assert capsys.readouterr().err
