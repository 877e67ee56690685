"""Seeds faults: returns, for a program, the small mistakes that one can make in it, one at a time.

What is looked for is what goes wrong in parallel programs: a comparison, a constant, an operator, the rank in an
expression, an argument of an MPI call (count, peer, root, tag, operation), a statement that is missing. The program
is parsed (tree-sitter), so texts, comments and declarations stay as they are.

Languages: C, C++, Fortran, Python and Bash. No tool from the package index fits: universalmutator 1.0.1 lacks its own
rule files, others know one language only.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import tree_sitter
import tree_sitter_bash
import tree_sitter_c
import tree_sitter_cpp
import tree_sitter_fortran
import tree_sitter_python
from tree_sitter import Node

_T = TypeVar("_T")

LANGUAGES = {
    "bash": tree_sitter.Language(tree_sitter_bash.language()),
    "c": tree_sitter.Language(tree_sitter_c.language()),
    "cpp": tree_sitter.Language(tree_sitter_cpp.language()),
    "fortran": tree_sitter.Language(tree_sitter_fortran.language()),
    "python": tree_sitter.Language(tree_sitter_python.language()),
}
SUFFIXES = {".c": "c", ".cpp": "cpp", ".f90": "fortran", ".py": "python", ".sh": "bash"}
"""Suffix of a file -> its language here."""

COMPARISONS = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "in": "not in", "not in": "in"}
COMPARISONS |= {"is": "is not", "is not": "is"}
COMPARISONS |= {
    "-eq": "-ne",
    "-ne": "-eq",
    "-lt": "-le",
    "-le": "-lt",
    "-gt": "-ge",
    "-ge": "-gt",
    "-n": "-z",
    "-z": "-n",
}
FORTRAN = {"==": "/=", "/=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">"}
ARITHMETIC = {"+": "-", "-": "+", "*": "+", "/": "*", "//": "*", "%": "*", "**": "*", "<<": ">>", ">>": "<<"}
ARITHMETIC |= {"&": "|", "|": "&", "&&": "||", "||": "&&", "and": "or", "or": "and"}
ARITHMETIC |= {".and.": ".or.", ".or.": ".and."}
ASSIGNMENTS = {"+=": "-=", "-=": "+=", "*=": "+=", "/=": "*=", "++": "--", "--": "++"}
OPERATIONS = {"SUM": "MAX", "PROD": "SUM", "MAX": "MIN", "MIN": "MAX", "LAND": "LOR", "LOR": "LAND", "BAND": "BOR"}
OPERATIONS |= {"BOR": "BAND", "MAXLOC": "MINLOC", "MINLOC": "MAXLOC"}

RANKS = {"rank", "my_rank", "myrank", "me", "size", "nprocs"}
"""Names that hold a rank, or the number of ranks, by the course's convention."""

# Which argument of which MPI function is what; see the bindings in the MPI standard.
_SEND = {1: "count", 3: "peer", 4: "tag"}
_REDUCE = {2: "count", 4: "operation"}
_TO_ROOT = {1: "count", 4: "count", 6: "root"}
_TO_ALL = {1: "count", 4: "count"}
ARGUMENTS = {
    **dict.fromkeys(["Send", "Ssend", "Bsend", "Rsend", "Isend", "Issend", "Recv", "Irecv"], _SEND),
    "Sendrecv": {1: "count", 3: "peer", 4: "tag", 6: "count", 8: "peer", 9: "tag"},
    **{key: {0: "peer", 1: "tag"} for key in ["Probe", "Iprobe"]},
    **{key: {1: "count", 3: "root"} for key in ["Bcast", "Ibcast"]},
    **dict.fromkeys(["Reduce", "Ireduce"], _REDUCE | {5: "root"}),
    **dict.fromkeys(["Allreduce", "Iallreduce", "Scan", "Exscan"], _REDUCE),
    **dict.fromkeys(["Gather", "Scatter"], _TO_ROOT),
    **dict.fromkeys(["Allgather", "Alltoall"], _TO_ALL),
    "Comm_split": {1: "color", 2: "key"},
}
KEYWORDS = {"dest": "peer", "source": "peer", "root": "root", "tag": "tag", "op": "operation"}
OFFSETS = {"count": "- 1", "peer": "+ 1", "root": "+ 1", "tag": "+ 1", "color": "+ 1", "key": "+ 1"}


@dataclass(frozen=True)
class Fault:
    """One mistake: the bytes from start to end become `now`. line counts from 1."""

    line: int
    kind: str
    start: int
    end: int
    was: str
    now: str

    def apply(self, text: str) -> str:
        """Return the program with this mistake in it."""
        data = text.encode()
        return (data[: self.start] + self.now.encode() + data[self.end :]).decode()


def faults(text: str, language: str) -> list[Fault]:
    """Return every fault that can be seeded in a program, in the order of the text. language: one of LANGUAGES."""
    source = without_magics(text) if language == "python" else text
    root = tree_sitter.Parser(LANGUAGES[language]).parse(source.encode()).root_node
    found: dict[tuple[int, int, str], Fault] = {}
    for node in _walk(root):
        for kind, part, now in _of(node, language):
            if now != _text(part):
                fault = Fault(part.start_point.row + 1, kind, part.start_byte, part.end_byte, _text(part), now)
                found.setdefault((fault.start, fault.end, fault.now), fault)
    return sorted(found.values(), key=lambda fault: (fault.start, fault.end, fault.now))


def sample(every: Sequence[_T], most: int, seed: str, kind: Callable[[_T], str]) -> list[_T]:
    """Return at most that many, each kind in turn, in their order, the same ones for the same seed."""
    chance = random.Random(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]))
    kinds: dict[str, list[int]] = defaultdict(list)
    for index in chance.sample(range(len(every)), len(every)):
        kinds[kind(every[index])].append(index)
    picked: list[int] = []
    while len(picked) < most and any(kinds.values()):
        picked += [rest.pop() for _, rest in sorted(kinds.items()) if rest][: most - len(picked)]
    return [every[index] for index in sorted(picked)]


def without_magics(cell: str) -> str:
    """Return a notebook's cell as Python: lines for IPython or the shell become comments of the same length."""
    return re.sub(r"^(\s*)(?:[%!]|[A-Za-z_](?=[\w, ]*= *[%!]))", r"\1#", cell, flags=re.M)


_SKIPPED = {"comment", "preproc_include", "import_statement", "import_from_statement", "ERROR"}
_SKIPPED |= {"use_statement", "interface", "variable_declaration", "implicit_statement", "import_statement"}
_STATEMENTS = {"command", "pipeline", "variable_assignment", "list", "redirected_statement", "declaration_command"}
"""What can be left out of a shell script, where it stands in a body and is no condition."""


def _walk(node: Node) -> Iterator[Node]:
    if node.type in _SKIPPED:
        return
    yield node
    for child in node.children:
        yield from _walk(child)


def _of(node: Node, language: str) -> Iterator[tuple[str, Node, str]]:
    """Yield (kind, the part that changes, what it becomes) for the faults of one node."""
    text = _text(node)
    match node.type:
        case "relational_expression":
            for part in node.children_by_field_name("operator"):
                if now := FORTRAN.get(_text(part)):
                    yield "comparison", part, now
        case "assignment_statement" | "subroutine_call" if language == "fortran":
            yield "missing statement", node, "continue"
            if node.type == "subroutine_call":
                yield from _of_call(node)
        case "list" if language == "bash":
            for part in node.children:
                if _text(part) in ("&&", "||"):
                    yield "arithmetic", part, ARITHMETIC[_text(part)]
        case "unary_expression" if language == "bash":
            for part in node.children_by_field_name("operator"):
                if now := COMPARISONS.get(_text(part)):
                    yield "comparison", part, now
        case "number" if text.isdecimal():
            yield "constant", node, str(int(text) + 1)
        case (
            "binary_expression"
            | "binary_operator"
            | "boolean_operator"
            | "comparison_operator"
            | "math_expression"
            | "logical_expression"
        ):
            for part in node.children_by_field_name("operator") + node.children_by_field_name("operators"):
                if now := COMPARISONS.get(_text(part)):
                    yield "comparison", part, now
                elif language == "cpp" and _text(part) in ("<<", ">>"):  # of a stream, and would not compile
                    continue
                elif now := ARITHMETIC.get(_text(part)):
                    yield "arithmetic", part, now
        case "assignment_expression" | "augmented_assignment" | "update_expression":
            for part in node.children_by_field_name("operator"):
                if now := ASSIGNMENTS.get(_text(part)):
                    yield "arithmetic", part, now
        case "number_literal" | "integer" | "float":
            if number := re.match(r"\d+(?:_\d{3})*(\.\d*)?(?![\dxXbB])", text):
                whole = float(number[0]) + 1 if "." in number[0] else int(number[0].replace("_", "")) + 1
                yield "constant", node, f"{whole}{text[number.end() :]}"
        case "identifier" if text in RANKS and _is_value(node):
            yield "rank", node, f"({text} + 1)"
        case "attribute" if text.rsplit(".", 1)[-1] in ("rank", "size") and _is_value(node):
            yield "rank", node, f"({text} + 1)"
        case "call_expression" | "call":
            yield from _of_call(node)
        case "expression_statement":
            statement = node.children[0] if node.children else node
            if statement.type != "string":  # a docstring
                yield "missing statement", node, ";" if text.endswith(";") else "pass"
    if language == "bash" and node.type in _STATEMENTS and node.parent and _is_in_body(node, node.parent):
        yield "missing statement", node, ":"


def _of_call(node: Node) -> Iterator[tuple[str, Node, str]]:
    function = node.child_by_field_name("function") or node.child_by_field_name("subroutine")
    arguments = node.child_by_field_name("arguments") or next(
        (child for child in node.children if child.type == "argument_list"), None
    )
    if function is None or arguments is None:
        return
    known = ARGUMENTS.get(_text(function).removeprefix("MPI_"), {}) if _text(function).startswith("MPI_") else {}
    for index, argument in enumerate(arguments.named_children):
        kind, value = known.get(index), argument
        if argument.type == "keyword_argument" and (part := argument.child_by_field_name("value")):
            kind, value = KEYWORDS.get(_text(argument.child_by_field_name("name"))), part
        if kind == "operation":
            prefix, _, operation = _text(value).rpartition("_" if "_" in _text(value) else ".")
            if operation in OPERATIONS:
                yield "MPI argument", value, _text(value)[: len(prefix) + bool(prefix)] + OPERATIONS[operation]
        elif kind:
            yield "MPI argument", value, f"({_text(value)}) {OFFSETS[kind]}"


def _is_in_body(node: Node, parent: Node) -> bool:
    """Whether a command of a shell script is run for what it does, and not to decide about another."""
    if parent.type in ("program", "do_group", "compound_statement", "subshell", "case_item", "else_clause"):
        return True
    conditions = parent.children_by_field_name("condition")
    return parent.type in ("if_statement", "elif_clause") and node not in conditions


def _is_value(node: Node) -> bool:
    """Whether a name is read here: neither declared, nor assigned, nor handed over to be filled."""
    parent = node.parent
    if parent is not None and parent.type == "argument_list" and parent.parent is not None:
        name = _text(parent.parent.child_by_field_name("subroutine"))
        if name.endswith(("Comm_rank", "Comm_size")):
            return False
    if parent is None or parent.type in ("pointer_expression", "declaration", "parameter_declaration", "attribute"):
        return False
    if parent.type in ("keyword_argument", "pattern_list", "parameters", "for_statement", "for_in_clause"):
        return parent.child_by_field_name("value") == node or parent.child_by_field_name("right") == node
    owner = {"init_declarator": "declarator", "assignment_expression": "left", "assignment": "left"}
    owner |= {
        "assignment_statement": "left",
        "augmented_assignment": "left",
        "update_expression": "argument",
        "call": "function",
    }
    name = owner.get(parent.type)
    return name is None or parent.child_by_field_name(name) != node


def _text(node: Node | None) -> str:
    return node.text.decode() if node is not None and node.text is not None else ""
