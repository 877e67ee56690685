"""`make lint`: the project is clean, each tool finds its fault, and a tool that is missing is never passed over."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from rankzero import places, proc

LINT = (places.ROOT / "ci" / "lint.sh").read_text(encoding="utf-8")
TOOLS = re.search(r"^all='(.*)'$", LINT, re.MULTILINE)[1].split()


def lint(root: Path, *tools: str, ci: bool = True, path: str | None = None) -> proc.Result:
    """Run ci/lint.sh in a tree."""
    env = {**os.environ, "CI": "1" if ci else "", **({"PATH": path} if path else {})}
    return proc.run(["sh", "ci/lint.sh", *tools], cwd=root, env=env, limits=proc.Limits(wall=120))


@pytest.fixture
def tree(tmp_path) -> Path:
    """A small clean copy of the project: what lint itself consists of, and the tools."""
    root = tmp_path / "a tree"
    floor = [f"src/rankzero/{name}.py" for name in ("__init__", "places", "proc", "_reaper")]
    settings = [".clang-format", ".yamllint", ".gitignore", "pyproject.toml"]
    for name in ["ci/lint.sh", "ci/files.py", "ci/words.py", *settings, *floor]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(places.ROOT / name, root / name)
    (root / ".venv").symlink_to(places.VENV)
    return root


def write(root: Path, name: str, text: str) -> None:
    """Write a file of the tree, with its folders."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def notebook(source: str) -> str:
    """A notebook of one code cell."""
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": source}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def test_the_project_is_clean():
    result = lint(places.ROOT)
    assert result.ok, result.stdout + result.stderr
    assert [line.split()[1] for line in result.stdout.splitlines()] == TOOLS


# What is refused stands here in pieces, so that this file is not refused itself.
FAULTS = [
    ("ruff", "src/rankzero/bad.py", '"""Unused."""\n\nimport os\n', "F401"),
    ("ruff", "notebooks/99_bad.ipynb", notebook("import os"), "F401"),
    (
        "ruff",
        "src/rankzero/bad.py",
        '"""Blind."""\n\ntry:\n    print()\n' + "except " + "Exception:\n    print()\n",
        "BLE001",
    ),
    ("ruff", "src/rankzero/bad.py", '"""Bare."""\n\ntry:\n    print()\nexcept:\n    print()\n', "E722"),
    ("format", "src/rankzero/bad.py", '"""Loose."""\n\nx = {  "a":1}\n', "bad.py"),
    ("clang-format", "c_examples/bad/bad.c", "int main(){return 0;}\n", "bad.c"),
    ("clang-format", "pmpi/bad.c", "int main(){return 0;}\n", "bad.c"),
    ("shellcheck", "ci/bad.sh", "#!/bin/sh\nrm $1\n", "SC2086"),
    ("shellcheck", "ci/bad", "#!/usr/bin/env bash\nrm $1\n", "SC2086"),
    ("shellcheck", ".ci/run", "rm $1\n", "SC2148"),
    ("yamllint", "bad.yml", "a: 1\na: 2\n", "duplication"),
    ("codespell", "chapters/bad.md", "This is t" + "eh end.\n", "bad.md"),
    ("codespell", "notebooks/99_bad.ipynb", notebook("# t" + "eh end"), "99_bad.ipynb"),
    ("workflows", ".github/workflows/bad.yml", "on: push\njobs: {a: {steps: 1}}\n", "bad.yml"),
    ("gitlab", "ci/.gitlab-ci.yml", "job: {script: {a: 1}}\n", ".gitlab-ci.yml"),
    ("citation", "CITATION.cff", "cff-version: 1.2.0\n", "CITATION.cff"),
    ("words", "ci/bad.sh", "#!/bin/sh\nrm x |" + "| true\n", "ci/bad.sh:2:"),
    ("words", "Makefile", "x:\n\trm x |" + "| true\n", "Makefile:2:"),
    ("words", "chapters/bad.md", "See /home/" + "somebody/x.\n", "chapters/bad.md:1:"),
    ("words", "chapters/bad.md", "See /r" + "oot/x.\n", "chapters/bad.md:1:"),
    ("words", "bad.txt", "from https://py" + "pi.org/simple\n", "bad.txt:1:"),
    ("words", "bad.txt", "deb http://deb.deb" + "ian.org/debian\n", "bad.txt:1:"),
    ("words", "src/rankzero/bad.py", "import sub" + "process\n", "src/rankzero/bad.py:1:"),
    ("words", "src/rankzero/bad.py", "x = 1  # no" + "qa: BLE001\n", "src/rankzero/bad.py:1:"),
    ("words", "bad.txt", "space at the end \n", "bad.txt:1:"),
    ("words", "bad.txt", "no line feed", "bad.txt:1:"),
    ("words", "bad.txt", "<" * 7 + " HEAD\n", "bad.txt:1:"),
]


def test_every_tool_is_shown_to_find_a_fault():
    assert {tool for tool, *_ in FAULTS} == set(TOOLS)


@pytest.mark.parametrize(("tool", "name", "text", "said"), FAULTS, ids=[f"{fault[0]}-{fault[1]}" for fault in FAULTS])
def test_a_fault_is_found(tree, tool, name, text, said):
    write(tree, name, text)
    result = lint(tree, tool)
    assert result.returncode == 1, result.stdout
    assert f"FAIL  {tool}" in result.stdout
    assert said in result.stdout
    assert result.stdout.endswith(f"failed: {tool}\n")


def test_the_path_of_this_checkout_is_refused(tree):
    write(tree, "notebooks/99_bad.ipynb", notebook(f"# ran in {tree}/notebooks"))
    result = lint(tree, "words")
    assert "holds a path of this machine" in result.stdout
    assert result.returncode == 1


def test_a_reason_on_the_line_lets_it_pass(tree):
    write(tree, "ci/good.sh", "#!/bin/sh\nrm x |" + "| true  # lint-ok: shown as what not to do\n")
    assert lint(tree, "words").ok


def test_all_tools_run_although_one_fails(tree):
    write(tree, "ci/bad.sh", "#!/bin/sh\nrm $1 |" + "| true\n")
    result = lint(tree)
    assert result.returncode == 1
    assert [line.split()[1] for line in result.stdout.splitlines() if line[:4] in ("ok  ", "FAIL")] == TOOLS
    assert {"shellcheck", "words"} <= set(result.stdout.splitlines()[-1].removeprefix("failed: ").split())


def test_a_missing_tool_is_said_and_fails_in_ci(tree, tmp_path):
    write(tree, "ci/good.sh", '#!/bin/sh\nrm -- "$1"\n')
    (tree / ".venv").unlink()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name in ("sh", "dirname", "mktemp", "rm", "sed", "tr", "wc", "xargs", "grep"):
        (bin_folder / name).symlink_to(shutil.which(name))
    (bin_folder / "python3").symlink_to(sys.executable)
    at_home = lint(tree, "shellcheck", "words", ci=False, path=str(bin_folder))
    assert at_home.ok, at_home.stdout
    assert "--    shellcheck    not checked: shellcheck is not installed here" in at_home.stdout
    assert at_home.stdout.endswith("not checked: shellcheck\n")
    in_ci = lint(tree, "shellcheck", "words", ci=True, path=str(bin_folder))
    assert in_ci.returncode == 1
    assert in_ci.stdout.endswith("failed: shellcheck\n")


def test_another_version_of_clang_format_is_not_used(tree, tmp_path):
    write(tree, "c_examples/good/good.c", "int main(void) {\n    return 0;\n}\n")
    assert lint(tree, "clang-format").ok
    (tree / ".venv").unlink()
    write(tree, ".venv/bin/clang-format", "#!/bin/sh\necho clang-format version 19.1.0\n")
    (tree / ".venv/bin/clang-format").chmod(0o755)
    result = lint(tree, "clang-format")
    assert result.returncode == 1
    assert "not the 14.0.6" in result.stdout


def test_an_unknown_tool_is_misuse(tree):
    result = lint(tree, "pylint")
    assert result.returncode == 2
    assert "no tool is called pylint" in result.stderr


def test_pre_commit_calls_the_same_tools_and_downloads_nothing():
    config = yaml.safe_load((places.ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert {hook["language"] for hook in hooks} == {"system"}
    called = []
    for hook in hooks:
        assert hook["entry"].startswith("sh ci/lint.sh ")
        called += hook["entry"].split()[2:]
    assert sorted(called) == sorted(TOOLS)


def test_pre_commit_refuses_a_fault(tree, tmp_path):
    write(tree, "ci/bad.sh", "#!/bin/sh\nrm $1\n")
    shutil.copy(places.ROOT / ".pre-commit-config.yaml", tree)
    env = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "cache"), "GIT_CONFIG_GLOBAL": os.devnull, "CI": "1"}
    for command in (["git", "init", "--quiet"], ["git", "add", "."]):
        proc.run(command, cwd=tree, env=env, check=True)
    pre_commit = places.VENV / "bin" / "pre-commit"
    result = proc.run([pre_commit, "run", "shellcheck"], cwd=tree, env=env)
    assert result.returncode == 1
    assert "SC2086" in result.stdout
    assert proc.run([pre_commit, "run", "clang-format"], cwd=tree, env=env).ok
