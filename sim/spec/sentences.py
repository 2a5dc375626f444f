"""The sentence that says what a field means: the docstring under it, read from the source when somebody asks.

`duration: Length` with a docstring under it is told so in the schema, in an editor's hover text, and in the reference.
A plug-in writes its sentences in the same way.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from sim.spec.base import Spec

_FULL = 100  # columns without the indentation: less than this, and one more word would have found room in 120


@cache
def sentences_of(cls: type[Spec]) -> dict[str, str]:
    """Field -> its sentence, those of the classes that it is made of included; without those fields that have none."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, Spec) and base is not Spec:
            found |= dict(_written(base))
    return {name: text for name, text in found.items() if name in cls.model_fields}


def _written(cls: type[Spec]) -> Iterator[tuple[str, str]]:
    try:
        lines, _ = inspect.findsource(sys.modules[cls.__module__])
        tree = _classes_in("".join(lines)).get(cls.__qualname__)
    except (KeyError, OSError, TypeError, SyntaxError):  # its source is not at hand: it came from another machine
        return
    for field, after in pairwise(tree.body if tree is not None else ()):  # None: a class made by a program
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())


@cache
def _classes_in(source: str) -> dict[str, ast.ClassDef]:
    """The classes of a module by their `__qualname__`. For a class alone `inspect` parses its whole module."""
    return dict(_named(ast.parse(source), ""))


def _named(node: ast.AST, inside: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield inside + child.name, child
            yield from _named(child, f"{inside}{child.name}.")
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _named(child, f"{inside}{child.name}.<locals>.")
        elif not isinstance(child, ast.expr):
            yield from _named(child, inside)


def unwrapped(text: str) -> str:
    """A docstring as editors show it: a line that was broken because it was full goes on, all others end where they do.

    So lists and tables stay as they are, and so does a line of its own for each word.
    """
    lines = text.split("\n")
    joined = lines[:1]
    for before, line in pairwise(lines):
        full = len(before) + len(line.split(" ")[0]) > _FULL
        if before.strip() and line and not line.startswith((" ", "* ", "- ")) and full:
            joined[-1] += f" {line}"
        else:
            joined.append(line)
    return "\n".join(joined)
