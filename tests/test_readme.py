"""README and its companions: the map of the tree is true, links hold, commands exist."""

import re
import sys

import pytest
import yaml

from rankzero import cli, places

sys.path.insert(0, str(places.ROOT / "ci"))

import files

PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def text_of(name: str) -> str:
    return (places.ROOT / name).read_text(encoding="utf-8")


def test_the_map_names_what_is_at_the_top_of_the_tree_and_nothing_else():
    block = re.search(r"holds this map to the top of the tree -->\n```\n(.*?)```", text_of("README.md"), re.DOTALL)[1]
    named = [name for line in block.splitlines() for name in re.split(r"\s{4,}", line, maxsplit=1)[0].split()]
    top = set()
    for path in files.project_files():
        first, slash, _ = path.partition("/")
        if slash or not first.startswith("."):  # files that only tools look for are left out
            top.add(first + slash)
    assert sorted(named) == sorted(top)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_that_are_there(page):
    for target in re.findall(r"\]\(([^)#]+)", text_of(page)):
        assert target.startswith("https://") or (places.ROOT / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page):
    makefile = re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE)
    fenced = re.findall(r"^ *```sh\n(.*?)```", text_of(page), re.MULTILINE | re.DOTALL)
    code = "\n".join([*fenced, *re.findall(r"`([^`\n]+)`", text_of(page))])
    for target in re.findall(r"\bmake ([a-z]+)", code):
        assert target in makefile, f"make {target}"
    for verb in re.findall(r"\brankzero ([a-z]+)", code):
        assert verb in cli.VERBS, f"rankzero {verb}"


def test_lessons_and_exercises_take_seven_steps_at_most():
    for section in ("Add a lesson", "Add an exercise"):
        body = re.search(rf"^## {section}\n(.*?)(?=^## )", text_of("CONTRIBUTING.md"), re.MULTILINE | re.DOTALL)[1]
        steps = re.findall(r"^(\d)\. ", body, re.MULTILINE)
        assert steps == [str(number) for number in range(1, len(steps) + 1)]
        assert 1 <= len(steps) <= 7


def test_what_was_run_where_names_every_platform():
    rows = re.search(r"^## What was run where\n(.*?)(?=^## )", text_of("README.md"), re.MULTILINE | re.DOTALL)[1]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.strip().splitlines()[2:]]
    assert all(len(row) == 5 for row in cells)
    assert [row for row in cells if not row[2] or not row[3] or not row[4]] == [], "say what was run, or `not run`"


def test_versions_and_licences_agree():
    citation = yaml.safe_load(text_of("CITATION.cff"))
    project = text_of("pyproject.toml")
    assert f'version = "{citation["version"]}"' in project
    assert f'license = "{citation["license"]}"' in project
    assert "BSD 3-Clause License" in text_of("LICENSE").splitlines()[0]
    assert "Creative Commons Attribution 4.0 International Public\nLicense" in text_of("LICENSE-TEXT")
    assert "Section 8 -- Interpretation." in text_of("LICENSE-TEXT")


def test_the_messages_that_it_explains_are_those_that_the_code_gives():
    table = re.search(r"^\| you see \|.*?\n\n", text_of("README.md"), re.MULTILINE | re.DOTALL)[0]
    code = "".join(text_of(path) for path in files.project_files() if path.startswith("src/") or path == "Makefile")
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # a message that goes on in the next line
    rows = table.strip().splitlines()[2:]
    assert rows
    for row in rows:
        for words in re.findall(r"`([^`]+)`", row.split("|")[1]):
            assert words in code, words
