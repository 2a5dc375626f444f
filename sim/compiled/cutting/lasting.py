"""What is read behind a wait and was set before it: made anew at each resumption where it lasts, refused elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from sim.compiled.cutting.expressions import Place, text_of
from sim.compiled.cutting.words import Refused
from sim.compiled.cutting.writing import Writer


def views(writer: Writer, resumed: list[int], order: list[int], back: set[tuple[int, int]]) -> list[ast.stmt]:
    """The locals that are made at the top of each resumption; nothing else makes them any more."""
    asked = _asked(writer, resumed, order, back)
    top: list[ast.stmt] = []
    same: dict[str, str] = {}  # what a view is made of -> its name
    for local in [local for local in writer.made if local in asked]:
        made = writer.made[local]
        if len({text_of(one.node) for one in made}) != 1 or not all(one.again for one in made):
            why = f"{local} would have to outlive a wait: keep it in a field, or work it out of what lasts"
            raise Refused(f"{made[0].where}: {why}")
        if same.setdefault(text_of(made[0].node.value), local) == local:
            top += [made[0].node, *writer.beside(local)]
    _forget(writer, asked, same)
    return top


def _asked(writer: Writer, resumed: list[int], order: list[int], back: set[tuple[int, int]]) -> set[str]:
    """The locals that are alive where the flow is resumed, and those that these are made of."""
    blocks = writer.graph.blocks
    used = {place: uses(blocks[place].nodes()) for place in order}
    live = {place: set(used[place][0]) for place in order}
    for _ in order:
        for place in reversed(order):
            for to in blocks[place].after():
                if (place, to) not in back:
                    live[place] |= live[to] - used[place][1]
    asked = {local.removesuffix("_row") for place in resumed for local in live[place]} & set(writer.made)
    while True:
        values = [one.node.value for local in asked for one in writer.made[local]]
        nodes = [part for value in values for part in ast.walk(value) if isinstance(part, ast.Name)]
        more = {part.id.removesuffix("_row") for part in nodes} & set(writer.made)
        if more <= asked:
            return asked
        asked |= more


def _forget(writer: Writer, asked: set[str], same: dict[str, str]) -> None:
    """Take out of the blocks what the views have made; two views of one thing are one."""
    drop, renamed = set(), {}
    for local in asked:
        made = writer.made[local][0].node
        drop |= {text_of(node) for node in (made, *writer.beside(local))}
        first = same[text_of(made.value)]
        if first != local:
            renamed[local] = first
            if isinstance(writer.kinds[local], Place):
                renamed[f"{local}_row"] = f"{first}_row"
    for block in writer.graph.blocks:
        block.body = [node for node in block.body if text_of(node) not in drop]
        for node in block.nodes():
            for part in ast.walk(node):
                if isinstance(part, ast.Name):
                    part.id = renamed.get(part.id, part.id)


def uses(body: Iterable[ast.AST]) -> tuple[set[str], set[str]]:
    """The names that are read before they are written, and those that are written on every way."""
    read: set[str] = set()
    written: set[str] = set()
    for node in body:
        if isinstance(node, ast.If | ast.While | ast.For):
            asks = node.iter if isinstance(node, ast.For) else node.test
            (first, always), (second, likewise) = uses(node.body), uses(node.orelse)
            own = {node.target.id} if isinstance(node, ast.For) and isinstance(node.target, ast.Name) else set()
            read |= (_names(asks, ast.Load) | (first - own) | second) - written
            written |= always & likewise if isinstance(node, ast.If) else set()
        else:
            read |= _names(node, ast.Load) - written
            written |= _names(node, ast.Store)
    return read, written


def _names(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, context)}
