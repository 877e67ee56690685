"""The proof of an exercise: which mistakes it makes in a solution, and what its data must show."""

from __future__ import annotations

from rankzero.exercises import manifest
from rankzero.proofs import exercises


def data(**verdicts):
    """Stored data: how often each verdict of a mistake was given."""
    records = [{"place": f"a.c:{n}", "verdict": verdict} for verdict, n in verdicts.items() for n in range(n)]
    return {"exercise": "x", "different": {"start": 1}, "mistakes": records}


def test_enough_mistakes_must_be_refused():
    assert exercises.check(data(refused=19, survived=1, unchanged=30)) == []
    assert exercises.check(data(refused=18, survived=1)) == ["18 of 19 mistakes refused; accepted: a.c:0"]
    assert exercises.check(data(unchanged=3)) == ["no mistake was refused"]


def test_a_check_that_says_something_else_each_time_is_no_check():
    assert exercises.check(data(refused=1) | {"different": {"start": 2}}) == ["start: 2 different verdicts"]


def test_survivors_are_listed():
    survivor = {"place": "a.c:7", "was": "<", "now": "<=", "verdict": "survived"}
    assert exercises.survivors([{"exercise": "x", "mistakes": [survivor]}]) == ["x a.c:7: `<` → `<=`"]


def test_in_a_build_file_each_word_that_the_solution_changed_is_left_out_once():
    found = list(exercises._without_a_word("Makefile", "a: b\n\tcc a\n", "a: b c\n\tcc a\n# d e\n"))
    assert [(one.was, one.text) for one in found] == [
        ("a:", " b c\n\tcc a\n# d e\n"),
        ("b", "a:  c\n\tcc a\n# d e\n"),
        ("c", "a: b \n\tcc a\n# d e\n"),
    ]


def test_every_exercise_has_mistakes_to_make():
    assert [one.name for one in manifest.everything() if not exercises.mistakes(one)] == []


def test_the_data_say_which_mistakes_were_accepted(summary):
    import json

    from rankzero import places

    stored = sorted((places.ROOT / "proofs" / "exercises").glob("*.json"))
    results = [json.loads(path.read_text())["result"] for path in stored]
    verdicts = [one["verdict"] for result in results for one in result["mistakes"]]
    refused, survived = verdicts.count("refused"), verdicts.count("survived")
    summary(f"exercises: {refused} of {refused + survived} mistakes in solutions refused; accepted:")
    for line in exercises.survivors(results):
        summary(f"    {line}")
    assert refused >= exercises.LEAST * (refused + survived)
