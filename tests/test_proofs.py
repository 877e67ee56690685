"""Proofs: every stored result is of the files as they are, and still shows what it claims."""

from __future__ import annotations

import argparse
import dataclasses
import json

import nbformat.v4 as v4
import pytest

from rankzero import notebooks, places, proofs


@pytest.mark.parametrize("proof", proofs.registered(), ids=lambda proof: proof.name)
def test_a_stored_proof_is_fresh_and_holds(proof):
    assert proofs.problems(proof) == []


def test_every_stored_result_belongs_to_a_proof():
    known = {proof.file() for proof in proofs.registered()} | {places.ROOT / proofs.FOLDER / "bench.json"}
    assert set((places.ROOT / proofs.FOLDER).glob("**/*.json")) <= known


# -- the mechanism, on a small tree ------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "requirements.lock").write_text("numpy==2.4.6 \\\n    --hash=sha256:0\nnbval==0.11.0 \\\n")
    (tmp_path / "a.c").write_text("a")
    (tmp_path / "b.c").write_text("b")
    (tmp_path / "other.md").write_text("text")
    return tmp_path


def proof(run=lambda say: {"hits": [1, 1]}, inputs=("*.c", "lock:numpy")):
    def check(result):
        return [] if sum(result["hits"]) == 2 else [f"{sum(result['hits'])} hits, not 2"]

    return proofs.Proof("sum", "It adds up to two.", inputs, run, check)


def quiet(line):
    pass


def test_a_proof_without_a_result_is_refused_with_the_command_that_mends_it(tree):
    assert proofs.problems(proof(), tree) == ["sum: it has no result", "    make prove PROOFS=sum"]


def test_a_fresh_result_is_accepted_and_says_where_it_comes_from(tree):
    assert proofs.prove(proof(), quiet, tree) == []
    assert proofs.problems(proof(), tree) == []
    record = proofs.load("sum", tree)
    assert list(record) == ["proof", "inputs", "machine", "date", "seconds", "result"]
    assert set(record["inputs"]) == {"a.c", "b.c", "lock:numpy"}
    assert set(record["machine"]) == {"cpu", "cores", "memory_gib", "os", "python", "mpi"}


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda tree: (tree / "a.c").write_text("a2"), "a.c changed"),
        (lambda tree: (tree / "new.c").write_text(""), "new.c changed"),
        (lambda tree: (tree / "b.c").unlink(), "b.c changed"),
        (lambda tree: (tree / "requirements.lock").write_text("numpy==2.5.0 \\\n"), "lock:numpy changed"),
    ],
)
def test_a_result_of_other_inputs_is_stale_and_the_input_is_named(edit, named, tree):
    proofs.prove(proof(), quiet, tree)
    edit(tree)
    assert proofs.problems(proof(), tree) == [f"sum: its result is stale: {named}", "    make prove PROOFS=sum"]


def test_an_edit_elsewhere_does_not_make_it_stale(tree):
    proofs.prove(proof(), quiet, tree)
    (tree / "other.md").write_text("another text")
    (tree / "requirements.lock").write_text("numpy==2.4.6 \\\n    --hash=sha256:1\nnbval==0.12.0 \\\n")
    assert proofs.problems(proof(), tree) == []


def test_the_prose_of_a_lesson_is_no_input_and_its_code_and_compared_outputs_are(tree):
    path = tree / "lesson.ipynb"
    drawn = v4.new_code_cell("draw()", outputs=[v4.new_output("stream", text="a")])
    drawn.metadata.tags = [notebooks.NOT_COMPARED]
    printed = v4.new_code_cell("print(1)", outputs=[v4.new_output("stream", text="1")])
    prose = v4.new_markdown_cell("text")
    lesson = v4.new_notebook(cells=[prose, drawn, printed])

    def hashed():
        path.write_text(notebooks.canonical(lesson))
        return proofs.hashes(["code:lesson.ipynb"], tree)

    before = hashed()
    prose.source, drawn.outputs[0].text = "another text", "b"
    assert hashed() == before
    for cell, source in ((printed, "print(2)"), (drawn, "draw(2)")):
        was, cell.source = cell.source, source
        assert hashed() != before
        cell.source = was
    printed.outputs[0].text = "2"
    assert hashed() != before


def test_the_stored_data_are_analysed_again(tree):
    proofs.prove(proof(), quiet, tree)
    file = proof().file(tree)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"result": {"hits": [1, 0]}}))
    assert proofs.problems(proof(), tree)[0] == "sum: 1 hits, not 2"


def test_prove_runs_what_is_missing_stale_or_does_not_hold_and_nothing_else(tree, capsys):
    runs = []

    def run(hits):
        return lambda say: runs.append(hits) or {"hits": hits}

    def stored(name, hits):
        return dataclasses.replace(proof(run(hits)), name=name)

    every = [stored("holds", [2]), stored("fails", [1]), stored("new", [2])]
    for one in every[:2]:
        proofs.prove(one, quiet, tree)
    runs.clear()
    assert proofs.main(argparse.Namespace(names=[], again=False, list=False), every, tree) == 1
    assert runs == [[1], [2]]
    assert "NOT PROVED: fails: 1 hits, not 2" in capsys.readouterr().err


def test_a_result_that_shows_the_contrary_is_stored_and_refused(tree):
    assert proofs.prove(proof(run=lambda say: {"hits": []}), quiet, tree)[0] == "sum: 0 hits, not 2"
    assert proof().file(tree).exists()


def test_an_interrupt_leaves_the_old_result(tree):
    def interrupted(say):
        raise KeyboardInterrupt

    proofs.prove(proof(), quiet, tree)
    before = proof().file(tree).read_bytes()
    with pytest.raises(KeyboardInterrupt):
        proofs.prove(proof(run=interrupted), quiet, tree)
    assert proof().file(tree).read_bytes() == before
    assert [path.name for path in proof().file(tree).parent.iterdir()] == ["sum.json"]


def test_inputs_that_change_while_it_runs_are_noticed(tree):
    with pytest.raises(proofs.ProofError, match="changed while it ran"):
        proofs.prove(proof(run=lambda say: {"hits": (tree / "a.c").write_text("xx") * [1]}), quiet, tree)


def test_an_input_that_is_not_there_is_named(tree):
    with pytest.raises(proofs.ProofError, match=r"not there: \*\.f90"):
        proofs.prove(proof(inputs=("*.f90",)), quiet, tree)


def test_proofs_are_chosen_by_name_or_by_what_comes_before_the_slash():
    every = [proofs.Proof(name, "", (), dict, list) for name in ("faults/a", "faults/b", "scale")]
    assert [p.name for p in proofs.chosen(["faults"], every)] == ["faults/a", "faults/b"]
    assert [p.name for p in proofs.chosen(["faults/b", "scale"], every)] == ["faults/b", "scale"]
    assert proofs.chosen([], every) == every
    with pytest.raises(proofs.ProofError, match="there is no proof fault;"):
        proofs.chosen(["fault"], every)
