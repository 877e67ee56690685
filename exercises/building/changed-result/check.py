"""Holds when ./budget sums what it is given, sees what is missing, and does so in an optimised loop."""

import math
import platform
import re
from pathlib import Path

from rankzero.exercises.bench import Run
from rankzero.exercises.kinds.build import Bench

UNSEEN = ("step_0300.txt", "step_0400.txt", "swamped.txt", "subnormal.txt")
STACK = {"x86_64": r"\(%r[bs]p\)", "aarch64": r"\[(?:sp|x29)\b"}
"""What an instruction that reads or writes a variable in memory looks like, where each has a place there."""


def check(bench: Bench) -> None:
    bench.run("make", "-s", "clean")
    bench.make()
    bench.file("budget")
    for name in UNSEEN:
        bench.bring(name, f"data/{name}")
    for name in ("step_0100.txt", "swamped.txt", "step_0300.txt", "step_0200.txt", "step_0400.txt"):
        judge_numbers(bench, f"data/{name}")
    judge_small_numbers(bench, "data/subnormal.txt")
    judge_loop(bench)


def judge_numbers(bench: Bench, file: str) -> None:
    """Compare what the program says about a file with what is in it."""
    cells = [float(word) for word in bench.file(file).read_text().split()]
    there = [value for value in cells if not math.isnan(value)]
    run = budget(bench, file)
    bench.expect(
        f"the number of missing cells in {file}",
        yours=run.number("missing"),
        expected=len(cells) - len(there),
        hint="Something lets the compiler believe that no number is ever NaN, and isnan() is then always false. "
        "`gcc -Q --help=optimizers`, with your flags before it, shows -ffinite-math-only.",
    )
    bench.near(
        f"the sum of {file}",
        yours=run.number("sum"),
        expected=math.fsum(there),
        within=1e-9,
        hint="The compensation is lost. In which order were the numbers added that `lost` is made of? Something lets "
        "the compiler choose: `gcc -Q --help=optimizers`, with your flags before it, shows -fassociative-math.",
    )
    bench.expect(
        f"the largest magnitude in {file}",
        yours=run.number("largest"),
        expected=max(abs(value) for value in there),
        hint="It was right at the start of the exercise: what did you change in `largest`?",
    )


def judge_small_numbers(bench: Bench, file: str) -> None:
    """Refuse when the process takes subnormal numbers for zero."""
    cells = [float(word) for word in bench.file(file).read_text().split()]
    there = [value for value in cells if not math.isnan(value)]
    run = budget(bench, file)
    hint = (
        "All numbers in it are below 2.2e-308, subnormal, and the process takes them for zero. gcc does that when it "
        "*links* with -Ofast or -ffast-math: it adds crtfastmath.o, which runs before main. Link without these flags."
    )
    bench.expect(f"the number of missing cells in {file}", yours=run.number("missing"), expected=1)
    for what, name, expected in (("sum", "sum", math.fsum(there)), ("largest magnitude", "largest", max(there))):
        bench.near(f"the {what} of {file}", yours=run.number(name), expected=expected, within=1e-315, hint=hint)


def budget(bench: Bench, file: str) -> Run:
    """Run the program on a file, and say when it is not one of the learner's."""
    own = "   # the check's own data" if Path(file).name in UNSEEN else ""
    return bench.run("./budget", file, shown=f"./budget {file}{own}")


def judge_loop(bench: Bench) -> None:
    """Refuse when the variables of the loop live in memory, as they do without optimisation."""
    stack = STACK.get(platform.machine())
    if stack is None:
        bench.note(f"whether the loop is optimised: the check cannot read the instructions of {platform.machine()}")
        return
    functions: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in bench.run("objdump", "-d", "--no-show-raw-insn", "-j", ".text", "budget", output=1 << 20).lines:
        if head := re.fullmatch(r"[0-9a-f]+ <([\w.]+)>:", line):
            lines = functions.setdefault(head[1], [])
        elif re.match(r"\s+[0-9a-f]+:\s", line):
            lines.append(line)
    # Where the function was merged into its caller, the caller is looked at; in a stripped program, all of it.
    named = [name for wanted in ("compensated_sum", "main") for name in functions if name.split(".")[0] == wanted]
    name = named[0] if named else ""
    code = functions[name] if name else [line for one in functions.values() for line in one]
    memory = sum(1 for line in code if re.search(stack, line))
    if 3 * memory <= len(code):
        return
    middle = code[max(0, len(code) // 2 - 5) :][:10]
    bench.refuse(
        "the loop of the sum is not optimised: its variables are in memory, not in registers",
        yours=f"{memory} of {len(code)} instructions of {name or 'the program'} read or write the stack",
        expected="a third at most; `objdump -d budget` shows them",
        hint="Without optimisation, or with volatile variables, each line of C loads, computes and stores. Keep -O2 or "
        "-O3, and take back only the promise that changes the result.",
        output="\n".join([f"from the middle of {name or 'the program'}:", *(line.strip() for line in middle)]),
    )
