"""`rankzero bench`: a table of figures with machine and date. What the figures are is not judged here."""

from __future__ import annotations

import argparse
import json
import re

import pytest

from rankzero import bench, places, proc


def refuse():
    raise proc.ProcError("this machine has no MPI: rankzero doctor\nmore")


@pytest.fixture
def rows():
    values = iter([3.0, 1.0, 2.0])
    return bench.Row("one", "the first figure", "s", 3, lambda: next(values)), bench.Row("two", "", "s", 1, refuse)


def arguments(*words):
    parser = argparse.ArgumentParser()
    bench.configure(parser)
    return parser.parse_args(words)


def test_the_table_has_machine_date_median_least_p95_and_number(rows, capsys):
    assert bench.main(arguments(), rows) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.search(r", \d+ cores, [\d.]+ GiB, .*, Python [\d.]+, .*, \d{4}-\d\d-\d\d$", lines[0])
    assert lines[3].split() == ["one", "2.00", "s", "1.00", "s", "3.00", "s", "3", "the", "first", "figure"]


def test_what_cannot_be_measured_says_why(rows, capsys):
    assert bench.main(arguments("two"), rows) == 0
    told = " ".join(capsys.readouterr().out.splitlines()[-1].split())
    assert told == "two not measured: this machine has no MPI: rankzero doctor"


def test_data_are_printed_and_stored_on_request_only(rows, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "ROOT", tmp_path)
    assert bench.main(arguments("one", "--json", "--repeat", "1"), rows) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["rows"] == [{"name": "one", "what": "the first figure", "unit": "s", "values": [3.0]}]
    assert not (tmp_path / bench.SAVED).exists()
    assert bench.main(arguments("one", "--repeat", "1", "--save"), rows) == 0
    assert json.loads((tmp_path / bench.SAVED).read_text())["rows"][0]["values"] == [1.0]


def test_an_unknown_name_is_refused_with_those_that_are_known(rows, capsys):
    assert bench.main(arguments("three"), rows) == 2
    assert capsys.readouterr().err == "rankzero bench: there is no figure three; there are one, two\n"


def test_every_figure_has_a_name_of_its_own():
    assert len({row.name for row in bench.ROWS}) == len(bench.ROWS)


def test_p95_is_not_exceeded_by_95_of_100():
    assert bench.p95(range(1, 101)) == 95
    assert bench.p95([3, 1, 2]) == 3
