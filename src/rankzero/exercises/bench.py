"""The bench on which an exercise is judged: what a check.py is given, and what every kind of exercise builds on.

A check judges the end state: it runs commands in a copy of the learner's files, in a sandbox, and says what it expects.

    def check(bench):
        bench.run("make")
        total = bench.mpirun(4, "./ring", "100").number("sum")
        bench.expect("the sum after one round", yours=total, expected=6, hint="Every rank adds its own number once.")

A program that hangs, crashes, goes beyond a limit or leaves something running is refused by itself, in words that name
it. The first thing that is wrong ends the check.
"""

from __future__ import annotations

import re
import shlex
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from rankzero import doctor, proc, sandbox
from rankzero.exercises.manifest import Exercise
from rankzero.mpi import toolchain, watch

TAIL = 12
"""Lines of a program's output that a verdict shows."""


class RefusedError(Exception):
    """Something is not as it must be. `what` says it in the field's words; `hint` is the next step."""

    def __init__(self, what: str, *, yours: Any = "", expected: Any = "", hint: str = "", output: str = "") -> None:
        super().__init__(what)
        self.what, self.hint, self.output = what, hint, output
        self.yours, self.expected = str(yours), str(expected)


class CannotJudgeError(Exception):
    """This machine lacks what the check needs. The message says what, and the command that brings it."""


@dataclass(frozen=True)
class Command:
    """A command that the check ran: as one would type it, how it ended, and after how many seconds."""

    text: str
    ended: str
    seconds: float


class Run:
    """How a command ended, and what it printed. Text that is looked for and is not there refuses the exercise."""

    def __init__(self, ending: sandbox.Ending, shown: str) -> None:
        self.ending = ending
        self.shown = shown
        self.returncode = ending.returncode
        self.stdout, self.stderr, self.output = ending.stdout, ending.stderr, ending.output

    @property
    def lines(self) -> list[str]:
        """The lines of stdout, without empty ones."""
        return [line.rstrip() for line in self.stdout.splitlines() if line.strip()]

    def search(self, pattern: str, what: str = "") -> re.Match[str]:
        """Return the first match of a regular expression in the output."""
        found = re.search(pattern, self.output, re.M)
        if found is None:
            raise RefusedError(
                f"`{self.shown}` does not print {what or 'what is expected'}",
                yours=tail(self.output) or "(no output)",
                expected=what or pattern,
                hint="Keep the lines that the program printed at the start of the exercise.",
            )
        return found

    def number(self, name: str) -> float:
        """Return the number that stands after `name` and one of `=`, `:` or a space; an int where it is whole."""
        text = self.search(rf"\b{re.escape(name)}\s*[=:]?\s*([-+]?\d[\d.]*(?:e[-+]?\d+)?)", f"{name} = a number")[1]
        value = float(text)
        return int(value) if re.fullmatch(r"[-+]?\d+", text) else value


class Bench:
    """What every kind of exercise can do. A kind is a module in `kinds` with a subclass of this, called Bench.

    NEEDS: programs without which nothing can be judged. LANGUAGES: suffix -> language, of files in which the proof
    seeds faults. folder: the copy of the learner's files. isolated: programs are shut in, and can change nothing else.
    """

    NEEDS: tuple[str, ...] = ()
    LANGUAGES: Mapping[str, str] = {
        ".c": "c",
        ".h": "c",
        ".cpp": "cpp",
        ".f90": "fortran",
        ".py": "python",
        ".sh": "bash",
    }

    def __init__(self, exercise: Exercise, box: sandbox.Sandbox) -> None:
        self.exercise = exercise
        self.folder = box.folder
        self.isolated = box.isolated
        self.commands: list[Command] = []
        self.notes: list[str] = []
        self.last: Run | None = None
        self._box = box
        for program in self.NEEDS:
            self.need(program)

    # -- running ----------------------------------------------------------------------------------

    def run(
        self,
        *argv: str | Path,
        ok: bool = True,
        cwd: str = ".",
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        wall: float | None = None,
        shown: str = "",
        mpi: toolchain.Mpi | None = None,
        **limits: Any,
    ) -> Run:
        """Run a command in the copy; refuse when it hangs, is ended at a limit or leaves something running.

        ok: refuse as well when it does not end with 0. env: variables on top of the bench's, shown before the command.
        shown: the command as a learner would type it, where it is another one. mpi: of the ranks that the command
        launches; a hang of theirs is then seen within seconds. limits: fields of proc.Limits.
        """
        words = [str(word) for word in argv]
        if words[0].startswith("./"):
            self.file(str(Path(cwd) / words[0]))
        variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in (env or {}).items())
        place = f"cd {shlex.quote(cwd)} && " if cwd != "." else ""
        text = place + " ".join(part for part in (variables, shown or shlex.join(words)) if part)
        counters = self._box.private / "calls" / str(len(self.commands))
        box_env = self._box.environment() | toolchain.environment()
        if mpi:
            counters.mkdir(parents=True)
            box_env |= watch.Watch.environment(counters, mpi, box_env)
        box_env |= env or {}
        bounds = replace(sandbox.LIMITS, wall=wall or self.exercise.timeout, **limits)
        source = self._box.private / "stdin"
        source.write_text(stdin or "")
        try:
            ending = self._box.run(
                words,
                cwd=cwd,
                env=box_env,
                stdin=source if stdin is not None else "/dev/null",
                limits=bounds,
                watcher=lambda pid: watch.Watch(pid, counters),
            )
        except proc.ProcError as err:
            if shutil.which(words[0]) or "/" in words[0]:
                raise RefusedError(
                    f"`{text}` cannot be started: {err}", hint="Is the program where the check looks for it?"
                ) from err
            self.need(words[0])
            raise
        run = self.last = Run(ending, text)
        self.commands.append(Command(text, describe(ending), ending.wall))
        if ok or ending.ended_by or ending.stayed:
            refuse_ending(run, bounds, self._crashed_at(run))
        return run

    def _crashed_at(self, run: Run) -> str:
        """Return the line in which the program of a crashed rank stood, as far as the backtrace of its MPI tells."""
        for program, address in re.findall(r"\s(\./[\w./-]+)\([^)]*(\+0x[0-9a-f]+)\)", run.output):
            if (self.folder / program).is_file() and shutil.which("addr2line"):
                argv = ["addr2line", "-Cfpse", program, address.removeprefix("+")]
                said = proc.run(argv, cwd=self.folder, limits=proc.Limits(wall=5)).stdout.strip()
                if said and "??" not in said:
                    return re.sub(r" \(discriminator \d+\)", "", said)
        return ""

    def need(self, program: str) -> None:
        """Say that a program is needed. Raises CannotJudgeError where this machine does not have it."""
        if shutil.which(program):
            return
        tool = next((tool for tool in doctor.TOOLS if program in tool.programs), None)
        package = tool.apt if tool else ""
        bring = doctor.apt_line(package) if package else (tool.without if tool else "") or "rankzero doctor"
        raise CannotJudgeError(f"{program} is not on this machine, and the check needs it.\n    {bring}")

    # -- saying what must hold ----------------------------------------------------------------------

    def expect(self, what: str, *, yours: Any, expected: Any, hint: str = "") -> None:
        """Refuse unless `yours` equals `expected`. what: the thing compared, a noun in the field's words."""
        if yours != expected:
            self.refuse(f"{what} is not right", yours=yours, expected=expected, hint=hint)

    def near(self, what: str, *, yours: float, expected: float, within: float, hint: str = "") -> None:
        """Refuse unless two numbers differ by no more than `within`, in their own unit."""
        if not abs(yours - expected) <= within:  # nan is refused
            self.refuse(
                f"{what} is not right", yours=f"{yours:.10g}", expected=f"{expected:.10g} ± {within:g}", hint=hint
            )

    def require(self, holds: object, what: str, *, yours: Any = "", expected: Any = "", hint: str = "") -> None:
        """Refuse, saying `what` is wrong, unless something holds."""
        if not holds:
            self.refuse(what, yours=yours, expected=expected, hint=hint)

    def refuse(
        self, what: str, *, yours: Any = "", expected: Any = "", hint: str = "", output: str | None = None
    ) -> NoReturn:
        """Refuse the exercise: this is the first thing that is wrong. output: None, the default, is the last run's."""
        if output is None:
            output = self.last.output if self.last else ""
        raise RefusedError(what, yours=yours, expected=expected, hint=hint, output=output)

    def note(self, text: str) -> None:
        """Add a sentence to the verdict, whatever it is: what could not be looked at here, and why."""
        self.notes.append(text)

    # -- files ----------------------------------------------------------------------------------------

    def file(self, name: str) -> Path:
        """Return the path of a file in the copy. Refuses when it is not there."""
        path = self.folder / name
        if not path.exists():
            there = sorted(str(one.relative_to(self.folder)) for one in self.folder.rglob("*") if one.is_file())
            given = (self.exercise.folder / "start" / name).exists()
            self.refuse(
                f"there is no {name}",
                yours=", ".join(there[:12]) + (" …" if len(there) > 12 else ""),
                expected=name,
                hint=f"`rankzero reset {self.exercise.name}` brings the start back, and keeps yours beside."
                if given
                else f"Nothing has made {name}. `make` without a name makes the first target of the makefile.",
            )
        return path

    def bring(self, name: str, to: str = "") -> Path:
        """Copy a file or folder of the exercise's judge/ into the copy and return where it is now.

        It keeps its times: for make it may look older than what was built from the one that it replaces.
        """
        source, target = self.exercise.folder / "judge" / name, self.folder / (to or name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
        return target


def tail(text: str, lines: int = TAIL) -> str:
    """Return the last lines of a text."""
    kept = text.strip().splitlines()
    return "\n".join((["…"] if len(kept) > lines else []) + kept[-lines:])


_DECORATION = re.compile(
    r"^[-=]{20,}$|^\[[\w.-]+:\s*\d+\] \[ *\d+\]|^ *\d+ +\S+\(.*\) \[0x|backtrace \(tid|Please see the FAQ"
    r"|^Primary job +terminated normally, but|^a non-zero exit code. Per user-direction"
    r"|^mpirun detected that one or more processes exited|the job to be terminated\. The first process to do so"
    r"|^ *Process name: |^ *Exit code: "  # whichever rank was first, by chance
)
_CONTROL = re.compile(r"([\x00-\x08\x0b-\x1a\x1c-\x1f\x7f])\1*")


def steady(text: str) -> str:
    """Return a text without what differs from run to run: addresses, process ids, temporary names, decoration."""
    lines = []
    text = _CONTROL.sub(lambda run: f"\\x{ord(run[1]):02x}" + (f" ({len(run[0])} times)" * (len(run[0]) > 1)), text)
    for line in text.splitlines():
        if _DECORATION.search(line):
            continue
        line = re.sub(r"\[([\w.-]+):\s*\d+( *:\d+)*\] ?", "", line)
        line = re.sub(r"\[\[\d+,\d+\],(\d+)\]", r"rank \1", line)
        line = re.sub(r"\b0x[0-9a-f]{6,}", "0x…", line)
        line = re.sub(r"/cc\w{6}(?=[.:])", "/cc…", line)  # the compiler's own temporary files
        lines.append(re.sub(r"\b(PID|pid|process)\b([ :=]+)\[?\d+(,\d+)?\]?", r"\1\2…", line).rstrip())
    return "\n".join(lines).strip()


# -- how a program ended, in the field's words ----------------------------------------------------------


def describe(ending: sandbox.Ending) -> str:
    """Return in a few words how a program ended."""
    if ending.ended_by:
        return f"ended by the check: {_LIMIT_NAMES[ending.ended_by]}"
    if ending.returncode < 0:
        return f"killed by {_signal(-ending.returncode)}"
    return f"exit code {ending.returncode}"


_HANGS = {"deadlock": "Deadlock", "no-progress": "No progress"}
_LIMIT_NAMES = {
    "hang": "it hangs",
    "wall": "time is up",
    "processes": "too many processes",
    "memory": "too much memory",
    "output": "endless output",
    "disk": "too much written to disk",
}


def refuse_ending(run: Run, limits: proc.Limits, crashed_at: str = "") -> None:
    """Raise RefusedError, in words that name it, unless a program ended by itself with 0 and left nothing running.

    crashed_at: the line of a crash, where it is known.
    """
    ending, shown = run.ending, run.shown
    stubborn = " It ignores SIGTERM too, with which a scheduler asks a job to end." if ending.ignores_sigterm else ""
    output = tail(steady(ending.output))
    match ending.ended_by:
        case "hang":
            raise RefusedError(
                f"{_HANGS[ending.hang.kind]}: {' '.join(ending.hang.why.split())}{stubborn}",
                yours=ending.hang.text,
                expected="every rank comes to the end",
                hint="For each call that waits, find the call on the other side that should answer it.",
                output=output,
            )
        case "wall":
            raise RefusedError(
                f"`{shown}` was still running after {limits.wall:g} s: an endless loop, or far too slow.{stubborn}",
                yours=ending.where or "still running",
                expected=f"an end within {limits.wall:g} s",
                hint="It stood where *yours* says when its time was up: what would have to happen for it to go on?"
                if ending.where
                else "What would have to happen for it to end? `timeout 5` before the command lets you watch it.",
                output=output,
            )
        case "processes":
            most = limits.totals["processes"]
            raise RefusedError(
                f"`{shown}` had more than {most} processes at a time, a fork bomb, and was ended",
                yours=f"more than {most} processes",
                expected="a few",
                hint="Look for a fork, or a call of itself, in a loop that nothing ends.",
            )
        case "memory":
            most = limits.totals["memory"] // sandbox.MB
            raise RefusedError(
                f"`{shown}` took more than {most} MB of memory and was ended, as a node's out-of-memory killer would",
                yours=f"more than {most} MB",
                expected=f"less than {most} MB",
                hint="Look for an allocation in a loop, or a size computed from something uninitialised.",
                output=output,
            )
        case "output":
            most = limits.totals["output"] // sandbox.MB
            raise RefusedError(
                f"`{shown}` printed more than {most} MB, endless output, and was ended",
                yours=tail(ending.output, 3),
                expected=f"less than {most} MB",
                hint="Look for a print in a loop whose end never comes.",
            )
        case "disk":
            most = limits.totals["disk"] // sandbox.MB
            raise RefusedError(
                f"`{shown}` wrote more than {most} MB of files, which fills a disk or a quota, and was ended",
                yours=f"more than {most} MB",
                expected=f"less than {most} MB",
                hint="Look for a file that is written in a loop whose end never comes.",
            )
    code = ending.returncode
    number = -code if code < 0 else code - 128 if 128 < code < 160 else 0
    if number == signal.SIGXFSZ or "File size limit exceeded" in ending.stderr:
        most = (limits.file_size or 0) // sandbox.MB
        raise RefusedError(
            f"`{shown}` wrote a file of more than {most} MB and was ended",
            yours=f"more than {most} MB",
            expected=f"less than {most} MB",
            hint="Look for a write in a loop whose end never comes.",
        )
    if cause := toolchain.cause_of_death(ending.output):
        raise RefusedError(
            cause + (f", in {crashed_at}" if crashed_at else ""),
            yours=output,
            expected="every rank ends with exit code 0",
            hint="Which index, or which pointer, is used there? `mpirun -n 4 gdb -batch -ex run -ex bt ./program` "
            "shows how each rank got there."
            if "SIG" in cause
            else "Read what that rank printed last.",
            output=output,
        )
    if number:
        raise RefusedError(
            f"`{shown}` was killed by {_signal(number)}",
            yours=output or "(no output)",
            expected="exit code 0",
            hint="`gdb -batch -ex run -ex bt` before the command shows the line."
            if number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)
            else "",
            output=output,
        )
    if ending.stayed:
        raise RefusedError(
            f"`{shown}` ended and left processes running: {', '.join(ending.stayed[:3])}",
            yours=f"{len(ending.stayed)} left running",
            expected="nothing left running",
            hint="What a program starts must end with it: `wait` for it, or end it in a trap.",
            output=output,
        )
    if code:
        raise RefusedError(
            f"`{shown}` ended with exit code {code}",
            yours=output or "(no output)",
            expected="exit code 0",
            hint="*yours* is what it printed: the first line that complains counts."
            if output
            else "It printed nothing. Run it yourself, and look at each step: `bash -x` does that for a script.",
            output=output,
        )


def _signal(number: int) -> str:
    meaning = {
        signal.SIGSEGV: "a segmentation fault: memory that is not the program's",
        signal.SIGBUS: "memory that is not there",
        signal.SIGFPE: "an impossible computation, such as a division of integers by zero",
        signal.SIGABRT: "it called abort, as a failed assertion does",
        signal.SIGILL: "an instruction that this processor does not have",
        signal.SIGXCPU: "its CPU time was up",
        signal.SIGKILL: "killed from outside",
    }
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"{name} ({meaning[number]})" if number in meaning else name
