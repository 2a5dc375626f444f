"""From blocks to a function: tests in a row, each for a place where it is resumed or led to."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from sim.compiled.cutting.blocks import Branch, Goto, Graph, Leave, Wait
from sim.compiled.cutting.expressions import Place, Scope, body_of, name, parsed, text_of
from sim.compiled.cutting.lasting import views
from sim.compiled.cutting.needs import Needs
from sim.compiled.cutting.words import Fold, Refused, is_flow
from sim.compiled.cutting.writing import Writer
from sim.compiled.rows.declaring import Row

ANSWERS = "sim.compiled.answers"  # where PARK and AGAIN stand
TO, RESUMED_AT = "to", "pc"
NOWHERE = -1


class Cutter(Writer):
    """Makes one function."""

    def __init__(
        self,
        flow: Any,  # noqa: ANN401 - a flow or a fold of flows
        function: str,
        needs: Needs,
        phase: str = "phase",
        runs: tuple[str, ...] = (),
        ends: bool = False,
        holder: str = "own",
        meant: Mapping[str, str] | None = None,
    ):
        """`phase`: the field of the row `holder` that says where it is resumed; `meant`: by which name the rows are
        known that it calls otherwise.
        """
        super().__init__(needs)
        self.phase, self.runs, self.ends, self.meant = f"{holder}_row.{phase}", runs, ends, meant or {}
        outermost: Any
        outermost, inner = (flow.layers[0], Fold(flow.layers[1:])) if isinstance(flow, Fold) else (flow, None)
        if not is_flow(outermost):
            raise Refused(f"{getattr(outermost, '__name__', outermost)} is no flow")
        self.flow, self.function_name = outermost, function
        self.scope = Scope(outermost, {"s": "s"}, inner)
        self.graph = Graph()
        self.number_of: dict[int, int] = {}  # of blocks, by which they are led to or resumed at
        self.joins: set[int] = set()
        self.resumes = False
        self.back: set[tuple[int, int]] = set()

    def cut(self) -> str:
        """The source of the function."""
        tree = parsed(self.flow)
        parameters = [parameter for parameter in tree.args.args if parameter.arg not in ("s", "inner")]
        for parameter in parameters:
            self._parameter(parameter)
        last = self.write(body_of(tree), self.graph.block(), self.scope)
        if last is not None:
            self.graph.blocks[last].end = Leave(None)
        returns = text_of(tree.returns) if tree.returns is not None else "None"
        body = self._arranged()
        body = self._records(parameters) + body
        read = {part.id for node in body for part in ast.walk(node) if isinstance(part, ast.Name) and is_read(part)}
        body = [kept for node in body if (kept := _Unread(read).visit(node)) is not None]
        answers = "int" if self.resumes or returns == "int" else "bool" if returns == "bool" else "None"
        given = ", ".join(["s: State", *(f"{parameter.arg}: {_type(parameter)}" for parameter in parameters)])
        made: Any = ast.parse(f"def {self.function_name}({given}) -> {answers}:\n    pass").body[0]
        text = ast.get_docstring(tree)
        made.body = [ast.Expr(ast.Constant(text.splitlines()[0])), *body] if text else body
        return text_of(ast.Module([made], []))

    def _parameter(self, parameter: ast.arg) -> None:
        self.scope.names[parameter.arg] = parameter.arg
        told = text_of(parameter.annotation) if parameter.annotation is not None else ""
        told = self.meant.get(told, told)
        self.kinds[parameter.arg] = Place(told) if told in Row.row_kinds else None

    def _records(self, parameters: list[ast.arg]) -> list[ast.stmt]:
        return [node for parameter in parameters for node in self.beside(parameter.arg)]

    # -- the order of blocks -------------------------------------------------------------------------------------------

    def _arranged(self) -> list[ast.stmt]:
        self.graph.shorten()
        resumed = [0, *sorted({wait.to for wait in self.graph.waits()} - {0})]
        order, self.back = self.graph.in_order(resumed)
        if self.back and not self._waits():
            raise Refused(f"{self.flow.__name__}: a loop around a part or a return, in a flow that never waits")
        resumed += [to for to in sorted({to for _, to in self.back}) if to not in resumed]
        phases = self._phases(resumed)
        self.resumes = bool(phases)
        top = views(self, resumed, order, self.back)
        coming = {place: [one for one in order if self._leads(one, place)] for place in order}
        self.joins = {place for place in order if place in phases or len(coming[place]) > 1}
        self.number_of = dict(phases)
        unused = (number for number in range(1 << 10) if number not in phases.values())
        for place in order:
            if place in self.joins and place not in self.number_of:
                self.number_of[place] = next(unused)
        led = ast.parse(f"{TO} = {NOWHERE}").body if any(coming[place] for place in self.joins) else []
        if not self.joins:
            return top + self._written(0)
        if not phases:
            return [*top, *led, *self._first_and_joins(order)]
        rest = [self._resumed(place, place in phases, bool(coming[place])) for place in order if place in self.joins]
        resumed_at = ast.parse(f"{RESUMED_AT} = {self.phase}").body
        return [*top, *resumed_at, *led, *rest, ast.Return(self._answer("PARK"))]  # the last is never reached

    def _first_and_joins(self, order: list[int]) -> list[ast.stmt]:
        """A function without a wait: it begins, and is led on."""
        rest = [self._resumed(place, False, True) for place in order if place in self.joins]
        return [*self._written(0), *rest]

    def _leads(self, one: int, place: int) -> bool:
        return place in self.graph.blocks[one].after() and (one, place) not in self.back

    def _phases(self, resumed: list[int]) -> dict[int, int]:
        """The number of each place where the function is resumed; none where it never waits."""
        given = {0: 0}
        for wait in self.graph.waits():
            if wait.number is not None and given.setdefault(wait.to, wait.number) != wait.number:
                raise Refused(f"{self.flow.__name__}: {wait.name} and another name are one place")
        if len(set(given.values())) < len(given):
            raise Refused(f"{self.flow.__name__}: one name for two places")
        unused = (number for number in range(1 << 10) if number not in given.values())
        numbers = {place: given[place] if place in given else next(unused) for place in resumed}
        return numbers if len(numbers) > 1 else {}

    def _resumed(self, place: int, phase: bool, led: bool) -> ast.If:
        number = self.number_of[place]
        tests = [f"{RESUMED_AT} == {number}"] * phase + [f"{TO} == {number}"] * led
        return ast.If(ast.parse(" or ".join(tests), mode="eval").body, self._written(place), [])

    # -- blocks --------------------------------------------------------------------------------------------------------

    def _written(self, place: int) -> list[ast.stmt]:
        block = self.graph.blocks[place]
        match block.end:
            case Goto(to):
                return block.body + self._follow(place, to)
            case Branch(test, then, other):
                ways = self._follow(place, then), self._follow(place, other)
                return [*block.body, ast.If(test, ways[0] or [ast.Pass()], ways[1])]
            case Wait(to, named):
                answer = "NEXT" if named in self.runs else "ELSEWHERE" if named == "ELSEWHERE" else "PARK"
                return block.body + self._left_at(to, answer)
            case Leave(value):
                return block.body + self._over(value)
        raise AssertionError(f"{self.flow.__name__}: block {place} leads nowhere")

    def _follow(self, place: int, to: int) -> list[ast.stmt]:
        if (place, to) in self.back:
            return self._left_at(to, "AGAIN")
        return ast.parse(f"{TO} = {self.number_of[to]}").body if to in self.joins else self._written(to)

    def _left_at(self, to: int, answer: str) -> list[ast.stmt]:
        return [*ast.parse(f"{self.phase} = {self.number_of[to]}").body, ast.Return(self._answer(answer))]

    def _over(self, value: ast.expr | None) -> list[ast.stmt]:
        """The next time it begins at its beginning."""
        if not self.resumes:
            return [ast.Return(value)] if value is not None or self.joins else []
        if self.ends:
            return [ast.Return(value or self._answer("PARK"))]
        return [*ast.parse(f"{self.phase} = 0").body, ast.Return(value or self._answer("PARK"))]

    def _waits(self) -> bool:
        return any(True for _ in self.graph.waits())

    def _answer(self, word: str) -> ast.expr:
        return name(self.needs.named(word, ANSWERS))


def is_read(node: ast.Name) -> bool:
    """Whether a name is read there."""
    return isinstance(node.ctx, ast.Load)


class _Unread(ast.NodeTransformer):
    """Takes out the records of rows of which nobody asks for a field."""

    def __init__(self, read: set[str]):
        self.read = read

    def visit_Assign(self, node: ast.Assign) -> ast.Assign | None:
        """Leave it out, or as it is."""
        target = node.targets[0]
        unread = isinstance(target, ast.Name) and target.id.endswith("_row") and target.id not in self.read
        return None if unread else node


def _type(parameter: ast.arg) -> str:
    told = text_of(parameter.annotation) if parameter.annotation is not None else ""
    return told if told in ("float", "bool") else "int"
