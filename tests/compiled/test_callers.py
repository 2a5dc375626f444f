"""A `handler` has no entry for Python: whoever called one from there would jump to nowhere, and take the process with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CUT = ("flows", "written", "cutting")  # what is cut is read, and never called as it stands
FILES = [path for path in (ROOT / "sim" / "compiled").rglob("*.py") if not set(path.parts) & set(CUT)]
FOR_MACHINE_CODE = ("handler", "inlined")


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def decorators(function: ast.FunctionDef) -> set[str]:
    return {ast.unparse(one).partition("(")[0] for one in function.decorator_list}


HANDLERS = {
    (module_of(path), function.name)
    for path in FILES
    for function in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(function, ast.FunctionDef) and decorators(function) & set(FOR_MACHINE_CODE)
}


def calls_from_python(node: ast.AST) -> Iterator[ast.Call]:
    """Every call outside of what is compiled."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef) and decorators(child) & {*FOR_MACHINE_CODE, "compiled"}:
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from calls_from_python(child)


def called(path: Path, tree: ast.Module, call: ast.Call) -> tuple[str, str]:
    """Module and name of what is called, as far as imports tell."""
    imported = {
        (name.asname or name.name): (node.module or "", name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    if isinstance(call.func, ast.Name):
        return imported.get(call.func.id, (module_of(path), call.func.id))
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        return ".".join(imported.get(call.func.value.id, ("", ""))), call.func.attr
    return "", ""


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_python_calls_no_handler(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [call for call in calls_from_python(tree) if called(path, tree, call) in HANDLERS]
    assert [f"{path.name}:{call.lineno}: {ast.unparse(call.func)}" for call in found] == []


def test_they_are_found():
    assert ("sim.compiled.places", "wait_to_be_accepted") in HANDLERS
    tree = ast.parse("from sim.compiled import places\ndef thaw(s):\n    places.wait_to_be_accepted(s)\n")
    (call,) = calls_from_python(tree)
    assert called(ROOT / "sim" / "compiled" / "control.py", tree, call) in HANDLERS
