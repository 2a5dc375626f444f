"""A function that is read in one look: its body, without signature and docstring, has at most forty lines."""

from __future__ import annotations

import ast

import pytest
from heads import ROOT

MOST = 40
LONGER = {  # the interpreter, whose choices are one place in machine code
    ("sim/compiled/interpreter.py", "run"),
    ("sim/compiled/interpreter.py", "go_on"),
}
WRITTEN = {ROOT / "sim/compiled/written", ROOT / "sim/builder/written"}  # by a program
SOURCES = [path for path in sorted((ROOT / "sim").rglob("*.py")) if not WRITTEN & set(path.parents)]


def longer(path):
    """Functions of a file whose bodies are longer."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if body and node.end_lineno - body[0].lineno + 1 > MOST:
                yield path.relative_to(ROOT).as_posix(), node.name


@pytest.mark.parametrize("folder", sorted({path.parent for path in SOURCES}), ids=lambda path: path.name)
def test_functions_are_read_in_one_look(folder):
    assert {found for path in SOURCES if path.parent == folder for found in longer(path)} <= LONGER


def test_the_list_is_not_stale():
    assert {found for path in SOURCES for found in longer(path)} == LONGER
