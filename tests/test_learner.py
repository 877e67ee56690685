"""What a learner does: start, check, hint, solution, reset, watch, progress. Nothing of the learner's is ever lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from IPython.testing.globalipapp import get_ipython, start_ipython

from rankzero import places
from rankzero.exercises import manifest, progress, work

NAME = "link-order"


@pytest.fixture
def learner(tmp_path, monkeypatch):
    """Run a verb as a learner with work/ and state of his own; returns (exit code, what was printed, errors)."""
    monkeypatch.setenv("RANKZERO_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(places, "WORK", tmp_path / "work")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)

    def call(*words):
        import contextlib
        import io

        from rankzero import cli

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(list(words))
        return code, out.getvalue(), err.getvalue()

    return call


def answer(tmp_path, variant="solution"):
    for folder in manifest.find(NAME).variants()[variant][1:]:
        shutil.copytree(folder, tmp_path / "work" / NAME, dirs_exist_ok=True)


def test_list_shows_every_exercise_and_its_minutes(learner):
    code, out, _ = learner("list")
    assert code == 0
    for one in manifest.everything():
        assert re.search(rf"{one.name} +{one.minutes} min  {re.escape(one.title)}", out)
    assert [one["name"] for one in json.loads(learner("list", "--json")[1])] == [
        one.name for one in manifest.everything()
    ]


def test_from_start_to_solved(learner, tmp_path):
    code, out, _ = learner("start", NAME)
    assert code == 0
    assert f"work/{NAME}/README.md" in out
    assert f"work/{NAME}/Makefile" in out
    code, out, _ = learner("check", NAME)
    assert code == 1
    for part in ("$ make", "REFUSED", "yours", "undefined reference", "expected", "Next step"):
        assert part in out
    answer(tmp_path)
    code, out, _ = learner("check")  # without a name: the one that was changed last
    assert code == 0
    assert "PASSED" in out
    assert "Why it works" in out
    assert "Try next" in out
    assert "solved" in learner("progress")[1]


def test_start_does_not_touch_what_is_there(learner, tmp_path):
    learner("start", NAME)
    mine = tmp_path / "work" / NAME / "Makefile"
    mine.write_text("mine")
    code, out, _ = learner("start", NAME)
    assert code == 0
    assert "is there already" in out
    assert mine.read_text() == "mine"


def test_reset_keeps_what_was_there_each_time(learner, tmp_path):
    learner("start", NAME)
    mine = tmp_path / "work" / NAME / "Makefile"
    for number in range(3):
        mine.write_text(f"mine {number}")
        code, out, _ = learner("reset", NAME)
        assert code == 0
        assert "Yours is kept in work/kept/" in out
        assert mine.read_text() != f"mine {number}"
    kept = sorted(path.read_text() for path in (tmp_path / "work" / "kept").glob("*/Makefile"))
    assert kept == ["mine 0", "mine 1", "mine 2"]


def test_a_start_that_fails_leaves_nothing_half_there(learner, tmp_path):
    (tmp_path / "work").write_text("a file is in the way")
    code, _, err = learner("start", NAME)
    assert code == 1
    assert "cannot be copied" in err
    assert (tmp_path / "work").read_text() == "a file is in the way"


def test_hints_come_one_at_a_time_and_the_solution_after_the_last(learner):
    learner("start", NAME)
    hints = manifest.find(NAME).hints
    for number, hint in enumerate(hints, 1):
        code, out, _ = learner("solution", NAME)
        assert code == 1
        assert f"{len(hints) - number + 1} more hint" in out
        code, out, _ = learner("hint", NAME)
        assert f"Hint {number} of {len(hints)}" in out
        assert " ".join(hint.split())[:60] in " ".join(out.split())
    code, out, _ = learner("hint", NAME)
    assert "That was the last one" in out
    code, out, _ = learner("solution", NAME)
    assert code == 0
    assert "── Makefile ──" in out
    assert not progress.read().of(NAME).early


def test_a_solution_shown_early_is_remembered(learner, tmp_path):
    learner("start", NAME)
    assert learner("solution", NAME, "--yes")[0] == 0
    answer(tmp_path)
    time.sleep(1.1 - time.time() % 1)  # the journal's times are in seconds
    learner("check", NAME)
    record = progress.read().of(NAME)
    assert record.early
    assert record.state == "solved, after its solution was shown"


def test_check_before_start_says_how_to_start(learner):
    code, _, err = learner("check", NAME)
    assert (code, f"rankzero start {NAME}" in err) == (1, True)
    code, _, err = learner("check")
    assert (code, "rankzero start NAME" in err) == (1, True)
    code, _, err = learner("check", "no-such-thing")
    assert (code, "rankzero list" in err) == (1, True)


def test_check_without_a_name_takes_the_folder_where_one_stands(learner, tmp_path, monkeypatch):
    learner("start", NAME)
    monkeypatch.chdir(tmp_path / "work" / NAME)
    assert work.current().name == NAME


def test_check_as_json(learner):
    learner("start", NAME)
    code, out, _ = learner("check", NAME, "--json")
    data = json.loads(out)
    assert (code, data["result"], data["exercise"]) == (1, "refused", NAME)


# -- progress -------------------------------------------------------------------------------------------------


def test_a_damaged_journal_is_set_aside_said_and_what_can_be_read_stands(learner, tmp_path):
    learner("start", NAME)
    learner("hint", NAME)
    journal = progress.journal()
    good = journal.read_text()
    journal.write_bytes(b'{"time": "2026-\x00\xff' + b"\n" + good.encode() + b'{"event": "check", "exer')
    code, out, err = learner("progress")
    assert code == 0
    assert "2 lines of the progress journal could not be read" in err
    assert "1 of 3 hints" in out
    kept = list((tmp_path / "state").glob("progress.damaged-*.jsonl"))
    assert [b"\xff" in path.read_bytes() for path in kept] == [True]
    assert journal.read_text() == good
    assert learner("progress")[2] == "", "said once"


def test_a_write_that_was_cut_off_does_not_damage_the_next(learner):
    learner("start", NAME)
    with progress.journal().open("a") as file:
        file.write('{"time": "2026')
    learner("hint", NAME)
    assert progress.read().of(NAME).hints == 1


def test_two_learners_terminals_at_once_lose_nothing(learner):
    learner("start", NAME)
    code = "from rankzero.exercises import progress\n"
    code += f"for _ in range(50): progress.note('check', {NAME!r}, result='refused')"
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    found = progress.read()
    assert (found.of(NAME).checks, found.troubles) == (200, [])


def test_a_full_disk_costs_the_note_not_the_verdict(learner, tmp_path, monkeypatch):
    learner("start", NAME)
    monkeypatch.setattr(progress, "journal", lambda: Path("/dev/full"))
    code, out, err = learner("check", NAME)
    assert (code, "REFUSED" in out) == (1, True)
    assert "progress" in err


def test_progress_exports_and_shows_as_a_page(learner, tmp_path):
    learner("start", NAME)
    answer(tmp_path)
    learner("check", NAME)
    data = json.loads(learner("progress", "--json")[1])
    mine = next(one for one in data["exercises"] if one["name"] == NAME)
    assert (mine["state"], mine["checks"]) == ("solved", 1)
    assert {one["id"]: one["solved"] for one in data["competencies"]}["linking.errors"] == 1
    code, out, _ = learner("progress", "--page", str(tmp_path / "page.html"))
    page = Path(out.strip()).read_text()
    assert code == 0
    assert manifest.find(NAME).title in page
    assert mine["passed"][:10] in page
    assert manifest.competencies()["linking.errors"].outcome.split(",")[0] in page
    assert "http" not in page, "it loads nothing"


# -- watch ----------------------------------------------------------------------------------------------------


@pytest.fixture
def watching(learner, tmp_path):
    """A running `rankzero watch`, with a function that waits for a text in what it printed since the last call."""
    learner("start", NAME)
    out = tmp_path / "watch.out"
    program = (
        f"from rankzero import places, cli; places.WORK = __import__('pathlib').Path({str(tmp_path / 'work')!r}); "
    )
    program += f"raise SystemExit(cli.main(['watch', {NAME!r}]))"
    with out.open("wb") as stream:
        process = subprocess.Popen([sys.executable, "-u", "-c", program], stdout=stream, stderr=stream)
    seen = 0

    def until(text, seconds=60.0):
        nonlocal seen
        give_up = time.monotonic() + seconds
        while text not in (said := out.read_text()[seen:]):
            assert time.monotonic() < give_up, f"no {text!r} in {said!r}"
            assert process.poll() is None, said
            time.sleep(0.02)
        seen = len(out.read_text())
        return said

    yield process, until
    if process.poll() is None:
        process.kill()
        process.wait()


def test_watch_judges_each_save_and_ends_at_ctrl_c(watching, tmp_path, summary):
    process, until = watching
    until("REFUSED")
    saved = time.monotonic()
    answer(tmp_path)
    until("PASSED")
    summary(f"exercises: from save to verdict under `watch`: {time.monotonic() - saved:.1f} s")
    mine = tmp_path / "work" / NAME
    mine.rename(mine.with_name("away"))
    until("is gone")
    mine.with_name("away").rename(mine)
    os.utime(mine / "Makefile")
    until("PASSED")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130


def test_a_file_of_the_same_size_and_time_in_its_place_is_a_change(tmp_path):
    mine, other = tmp_path / "mine", tmp_path / "other"
    for path, text in ((mine / "Makefile", "one"), (other / "Makefile", "two")):
        path.parent.mkdir()
        path.write_text(text)
        os.utime(path, ns=(0, 0))
    before = work.state(mine)
    shutil.copy2(other / "Makefile", mine / "Makefile")
    assert work.state(mine) != before


# -- in a notebook --------------------------------------------------------------------------------------------


def test_in_a_notebook_the_same_verdict_as_html(learner, tmp_path):
    from rankzero import lesson

    learner("start", NAME)
    shell = get_ipython() or start_ipython()
    lesson.prepare(shell)
    said = shell.run_line_magic("check", NAME)
    assert (said.result, said.exercise) == ("refused", NAME)
    assert "undefined reference" in said._repr_html_()
    assert progress.read().of(NAME).checks == 1
