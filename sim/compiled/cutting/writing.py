"""A flow, and all flows that it delegates to, become one graph of blocks."""

from __future__ import annotations

import ast
from typing import Any

from sim.compiled.cutting.blocks import Branch, Goto, Graph, Leave, Wait
from sim.compiled.cutting.expressions import (
    Expressions,
    Kind,
    Made,
    Nobody,
    Place,
    Record,
    Scope,
    body_of,
    kind_of,
    name,
    parsed,
    text_of,
)
from sim.compiled.cutting.words import Fold, is_flow
from sim.models.flows import ELSEWHERE


def waits(node: ast.AST) -> bool:
    """Whether there is a wait in it."""
    return any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(node))


def jumps(node: ast.AST) -> bool:
    """Whether it may lead elsewhere than behind itself."""
    away = ast.Return if isinstance(node, ast.While | ast.For) else ast.Break | ast.Continue | ast.Return
    return any(isinstance(part, away) for part in ast.walk(node))


class Writer(Expressions):
    """Writes statements into blocks, from block to block."""

    graph: Graph
    parts = 0  # that were written out

    # -- control -------------------------------------------------------------------------------------------------------

    def write(self, body: list[ast.stmt], here: int | None, scope: Scope) -> int | None:
        """Write statements, beginning in block `here`; the block in which to go on, None where nothing follows."""
        for node in body:
            if here is None:
                raise scope.refuse(node, "nothing ever comes here")
            here = self.write_one(node, here, scope)
        return here

    def write_one(self, node: ast.stmt, here: int, scope: Scope) -> int | None:
        """One statement."""
        if not (waits(node) or jumps(node) or self.has_parts(node, scope)):
            self.graph.blocks[here].body += self.statement(node, scope)
            return here
        match node:
            case ast.Return():
                self.leave(node, here, scope)
            case ast.Break() | ast.Continue():
                self.graph.blocks[here].end = Goto(scope.loops[-1][isinstance(node, ast.Continue)])
            case ast.Expr(ast.Yield(value)):
                return self.wait(node, value, here, scope)
            case ast.Expr(ast.YieldFrom(ast.Call() as part)) | ast.Expr(ast.Call() as part):
                return self.delegate(part, None, here, scope, waits(node))
            case ast.Assign([ast.Name(target)], ast.YieldFrom(ast.Call() as part) | (ast.Call() as part)):
                return self.delegate(part, scope.local(target), here, scope, waits(node))
            case ast.If():
                return self.branch(node, here, scope)
            case ast.While():
                return self.loop(node, here, scope)
            case _:
                raise scope.refuse(node, f"a wait or a flow inside of {type(node).__name__}")
        return None

    def has_parts(self, node: ast.AST, scope: Scope) -> bool:
        """Whether a flow is called in it."""
        calls = [part for part in ast.walk(node) if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)]
        return any(is_flow(self.function(part.func, scope)) for part in calls)

    def wait(self, node: ast.stmt, place: ast.expr | None, here: int, scope: Scope) -> int:
        """Leave, and come back behind it."""
        known = scope.flow.__globals__.get(place.id) if isinstance(place, ast.Name) else None
        if place is not None and known is None:
            raise scope.refuse(node, "a yield tells nothing but the name of its place")
        after = self.graph.block()
        named = place.id if isinstance(place, ast.Name) else None
        number = None if known is None or known is ELSEWHERE else int(known)
        self.graph.blocks[here].end = Wait(after, named, number)
        return after

    def branch(self, node: ast.If, here: int, scope: Scope) -> int | None:
        """Either, or: both ways lead to one end."""
        then, other, end = self.graph.block(), self.graph.block(), self.graph.block()
        self.graph.blocks[here].end = Branch(self.test(node.test, scope), then, other)
        last = [self.write(node.body, then, scope), self.write(node.orelse, other, scope)]
        for place in last:
            if place is not None:
                self.graph.blocks[place].end = Goto(end)
        return end if last != [None, None] else None

    def loop(self, node: ast.While, here: int, scope: Scope) -> int | None:
        """Again and again."""
        head, inside, end = self.graph.block(), self.graph.block(), self.graph.block()
        self.graph.blocks[here].end = Goto(head)
        forever = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self.graph.blocks[head].end = Goto(inside) if forever else Branch(self.test(node.test, scope), inside, end)
        scope.loops.append((end, head))
        last = self.write(node.body, inside, scope)
        scope.loops.pop()
        if last is not None:
            self.graph.blocks[last].end = Goto(head)
        left = not forever or any(isinstance(part, ast.Break) for part in ast.walk(node))
        return end if left else None

    def leave(self, node: ast.Return, here: int, scope: Scope) -> None:
        """The flow is over, with what it answers."""
        value: ast.expr | None = None
        kind: Kind = None
        if node.value is not None and (waits(node) or self.has_parts(node.value, scope)):
            part = node.value.value if isinstance(node.value, ast.YieldFrom) else node.value
            if not isinstance(part, ast.Call):
                raise scope.refuse(node, "a flow stands alone or is what a local is given")
            target = scope.local("result")
            here = self.delegate(part, target, here, scope, waits(node))
            value, kind = name(target), self.kinds.get(target)
        elif node.value is not None:
            value, kind = self.value(node.value, scope)
        self.finish(value, kind, node, here, scope)

    def finish(self, value: ast.expr | None, kind: Kind, node: ast.AST, here: int, scope: Scope) -> None:
        """Go on behind the part that is over, or leave the whole."""
        block = self.graph.blocks[here]
        if scope.end is None:
            block.end = Leave(value)
            return
        if scope.target is not None and value is not None:
            block.body += self.bind(scope.target, value, kind, node, scope, again=False)
        block.end = Goto(scope.end)

    def delegate(self, part: ast.Call, target: str | None, here: int, scope: Scope, waiting: bool) -> int:
        """A part is written out in its place."""
        made = self.part(part, scope)
        tree = parsed(made.flow)
        if waits(tree) is not waiting:
            raise scope.refuse(part, f"{text_of(part.func)} {'never waits' if waiting else 'waits: yield from it'}")
        self.parts += 1
        made.suffix, made.end, made.target = f"_{self.parts}", self.graph.block(), target
        for argument, parameter in zip(part.args, tree.args.args, strict=False):
            if isinstance(argument, ast.Name) and argument.id in scope.names:
                made.names[parameter.arg] = scope.names[argument.id]
            else:
                value, kind = self.value(argument, scope)
                local, again = made.local(parameter.arg), self.lasts(argument, scope)
                self.graph.blocks[here].body += self.bind(local, value, kind, argument, scope, again=again)
        last = self.write(body_of(tree), here, made)
        if last is not None:
            self.graph.blocks[last].end = Goto(made.end)
        return made.end

    def part(self, part: ast.Call, scope: Scope) -> Scope:
        """The flow that is meant: a flow by its name, the outermost of a fold, or the next layer."""
        called, inner = text_of(part.func), None
        found: Any = scope.inner if called == "inner" else self.function(part.func, scope)
        if isinstance(found, Fold) and found.layers:
            found, inner = found.layers[0], Fold(found.layers[1:])
        if not is_flow(found):
            raise scope.refuse(part, f"{called} is no flow")
        return Scope(found, {"s": "s"}, inner)

    # -- statements ----------------------------------------------------------------------------------------------------

    def statement(self, node: ast.stmt, scope: Scope) -> list[ast.stmt]:
        """One that neither waits nor leads elsewhere."""
        match node:
            case ast.Assign([ast.Name(local)]):
                value, kind = self.value(node.value, scope)
                again = self.lasts(node.value, scope)
                return self.bind(scope.local(local), value, kind, node, scope, again=again)
            case ast.Assign([ast.Attribute() as target]):
                value, kind = self.value(node.value, scope)
                return [ast.Assign([self.place(target, kind, scope)], value)]
            case ast.AugAssign(ast.Attribute() as target):
                return [ast.AugAssign(self.place(target, None, scope), node.op, self.number(node.value, scope))]
            case ast.AugAssign(ast.Name(local)):
                added = ast.BinOp(name(scope.local(local)), node.op, self.number(node.value, scope))
                return self.bind(scope.local(local), added, None, node, scope, again=False)
            case ast.Expr():
                return [ast.Expr(self.value(node.value, scope)[0])]
            case ast.If() | ast.While():
                then, other = self.statements(node.body, scope), self.statements(node.orelse, scope)
                return [type(node)(self.test(node.test, scope), then or [ast.Pass()], other)]
            case ast.For(ast.Name(local), ast.Call(ast.Name("range"), bounds)):
                self.kinds[scope.local(local)] = None
                over = ast.Call(name("range"), self.numbers(bounds, scope), [])
                inside = self.statements(node.body, scope)
                return [ast.For(ast.Name(scope.local(local), ast.Store()), over, inside, [])]
            case ast.Pass() | ast.Break() | ast.Continue():
                return [node]
        raise scope.refuse(node, f"no {type(node).__name__} in a flow")

    def statements(self, body: list[ast.stmt], scope: Scope) -> list[ast.stmt]:
        """The same of several."""
        return [made for node in body for made in self.statement(node, scope)]

    def bind(
        self, local: str, value: ast.expr, kind: Kind, node: ast.AST, scope: Scope, *, again: bool
    ) -> list[ast.stmt]:
        """A local gets a value; one that is a row gets its record as well, unless there may be none."""
        known = self.kinds.get(local, kind)
        if isinstance(kind, Nobody) and isinstance(known, Place) and known.perhaps:
            kind = known
        if isinstance(kind, Nobody | Record) or kind != known:
            raise scope.refuse(node, f"{local} is given {_told(kind)}, and elsewhere {_told(known)}")
        self.kinds[local] = kind
        made = ast.Assign([ast.Name(local, ast.Store())], value)
        self.made.setdefault(local, []).append(Made(made, again, f"{scope.flow.__name__}, line {_line(node)}"))
        return [made, *self.beside(local)]

    def beside(self, local: str) -> list[ast.stmt]:
        """The record of a local that is a row."""
        kind = self.kinds.get(local)
        if not isinstance(kind, Place) or kind.perhaps:
            return []
        return [ast.Assign([ast.Name(f"{local}_row", ast.Store())], self.at(kind, name(local)))]

    def place(self, node: ast.Attribute, given: Kind, scope: Scope) -> ast.Attribute:
        """A field that is written."""
        if isinstance(node.value, ast.Name) and scope.names.get(node.value.id) == "s":
            return ast.Attribute(name("s"), node.attr, ast.Store())
        found, its = self.field(node, scope)
        if its.fixed:
            raise scope.refuse(node, f"{node.attr} is fixed")
        takes = kind_of(its)
        fits = takes == given if not isinstance(takes, Place) else _fits(takes, given)
        if not fits:
            raise scope.refuse(node, f"{node.attr} is given {_told(given)}, expected {_told(takes)}")
        found.ctx = ast.Store()
        return found


def _fits(takes: Place, given: Kind) -> bool:
    return (isinstance(given, Nobody) and takes.perhaps) or (isinstance(given, Place) and given.row == takes.row)


def _told(kind: Kind) -> str:
    if isinstance(kind, Place):
        return f"a {kind.row}" + (", or nobody" if kind.perhaps else "")
    return "a number" if kind is None else "nobody" if isinstance(kind, Nobody) else "part of a row"


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)
