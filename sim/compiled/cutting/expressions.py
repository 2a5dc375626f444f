"""Expressions of flows, typed: a row becomes its place in a table, and beside it, where it is bound, its record."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from sim.compiled.cutting.needs import Needs
from sim.compiled.cutting.words import Fold, Refused, is_flow, is_lasting, is_policy
from sim.compiled.rows.declaring import Field, Row

BUILT_IN = ("min", "max", "abs", "float")


@dataclass(frozen=True)
class Place:
    """The kind of what is the place of a row of a table."""

    row: str
    perhaps: bool = False  # or -1
    request: bool = False  # or what stands for its request, which is somebody all the same

    @property
    def declared(self) -> type[Row]:
        """The class of such rows."""
        return Row.row_kinds[self.row]


@dataclass(frozen=True)
class Record:
    """The kind of a row within a row."""

    row: str

    @property
    def declared(self) -> type[Row]:
        """The class of such rows."""
        return Row.row_kinds[self.row]


@dataclass(frozen=True)
class Nobody:
    """The kind of None."""


@dataclass(frozen=True)
class State:
    """The kind of `s`."""


Kind = Place | Record | Nobody | State | None
"""None: a number."""


@dataclass
class Scope:
    """One flow being written out: where its names lead."""

    flow: FunctionType
    names: dict[str, str]
    inner: Fold | None = None
    suffix: str = ""
    end: int | None = None  # where a return goes on; None: it ends the whole
    target: str | None = None  # and the name that gets its value
    loops: list[tuple[int, int]] = field(default_factory=list)  # (break, continue)

    def local(self, name: str) -> str:
        """The name in the written function of a local of this flow."""
        return self.names.setdefault(name, name + self.suffix)

    def refuse(self, node: ast.AST, why: str) -> Refused:
        """What is wrong, and where."""
        return Refused(f"{self.flow.__name__}, line {getattr(node, 'lineno', '?')}: {why}")


@dataclass
class Made:
    """One assignment of a local."""

    node: ast.Assign
    again: bool  # it may be made anew at each resumption
    where: str


def parsed(function: Callable[..., Any]) -> ast.FunctionDef:
    """The source of a function, with the lines of its file."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    first = function.__code__.co_firstlineno - 1
    ast.increment_lineno(tree, first)
    return tree


def body_of(tree: ast.FunctionDef) -> list[ast.stmt]:
    """Without its docstring."""
    return tree.body[1:] if ast.get_docstring(tree) is not None else tree.body


def name(text: str) -> ast.Name:
    """A name that is read."""
    return ast.Name(text, ast.Load())


def call(function: str, *arguments: ast.expr) -> ast.Call:
    """A call by name."""
    return ast.Call(name(function), list(arguments), [])


def text_of(node: ast.AST) -> str:
    """What would be written."""
    return ast.unparse(ast.fix_missing_locations(node))


class Expressions:
    """Turns the expressions of flows into those of the written function."""

    def __init__(self, needs: Needs):
        self.needs = needs
        self.kinds: dict[str, Kind] = {}  # of every local
        self.made: dict[str, list[Made]] = {}

    # -- rows ----------------------------------------------------------------------------------------------------------

    def at(self, kind: Place, place: ast.expr) -> ast.expr:
        """The record of a row."""
        table = kind.declared.table
        assert table is not None, kind
        return ast.Subscript(call(self.needs.function(table), name("s")), place, ast.Load())

    def record(self, node: ast.expr, kind: Place | Record) -> ast.expr:
        """The record of a row, which a local knows beside its place unless there may be none."""
        if isinstance(kind, Record):
            return node
        if isinstance(node, ast.Name) and isinstance(self.kinds.get(node.id), Place) and not kind.perhaps:
            return name(f"{node.id}_row")
        return self.at(kind, node)

    def field(self, node: ast.Attribute, scope: Scope) -> tuple[ast.Attribute, Field]:
        """The field that is read or written, and what it is."""
        base, kind = self.value(node.value, scope)
        if not isinstance(kind, Place | Record):
            raise scope.refuse(node, f"{text_of(node.value)} is no row")
        found = kind.declared.fields.get(node.attr)
        if found is None:
            raise scope.refuse(node, f"{kind.row} has no field {node.attr}")
        return ast.Attribute(self.record(base, kind), node.attr, ast.Load()), found

    def attribute(self, node: ast.Attribute, scope: Scope) -> tuple[ast.expr, Kind]:
        """What stands in a field."""
        if isinstance(node.value, ast.Name) and scope.names.get(node.value.id, node.value.id) == "s":
            return ast.Attribute(name("s"), node.attr, ast.Load()), None
        found, its = self.field(node, scope)
        if its.kind == "Ring":
            rings = call(self.needs.named("rings", "sim.compiled.rows.calls"), name("s"))
            return call(self.needs.named("rows_from", "sim.compiled.rows.tables"), rings, found), None
        return found, kind_of(its)

    # -- values --------------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr, scope: Scope) -> tuple[ast.expr, Kind]:
        """An expression as it is written, and its kind."""
        match node:
            case ast.Constant(None):
                return ast.UnaryOp(ast.USub(), ast.Constant(1)), Nobody()
            case ast.Constant(bool() | int() | float() as number):
                return ast.Constant(number), None
            case ast.Name():
                return self.named(node, scope)
            case ast.Attribute():
                return self.attribute(node, scope)
            case ast.Call():
                return self.called(node, scope)
            case ast.IfExp():
                return self.either(node, scope)
            case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
                return self.same(node, scope), None
            case _:
                return self.reckoned(node, scope), None

    def reckoned(self, node: ast.expr, scope: Scope) -> ast.expr:
        """What is made of numbers."""
        match node:
            case ast.Compare():
                return ast.Compare(self.number(node.left, scope), node.ops, self.numbers(node.comparators, scope))
            case ast.BoolOp():
                return ast.BoolOp(node.op, [self.test(part, scope) for part in node.values])
            case ast.BinOp():
                return ast.BinOp(self.number(node.left, scope), node.op, self.number(node.right, scope))
            case ast.UnaryOp():
                return ast.UnaryOp(node.op, self.test(node.operand, scope))
        raise scope.refuse(node, f"no {type(node).__name__} in a flow")

    def test(self, node: ast.expr, scope: Scope) -> ast.expr:
        """What is true or not."""
        value, kind = self.value(node, scope)
        if kind is not None:
            raise scope.refuse(node, f"{text_of(node)} is a row, which has no truth: is it None, or not?")
        return value

    def number(self, node: ast.expr, scope: Scope) -> ast.expr:
        """What is a number."""
        value, kind = self.value(node, scope)
        if kind is not None:
            raise scope.refuse(node, f"{text_of(node)} is no number")
        return value

    def numbers(self, nodes: list[ast.expr], scope: Scope) -> list[ast.expr]:
        """The same of several."""
        return [self.number(node, scope) for node in nodes]

    def same(self, node: ast.Compare, scope: Scope) -> ast.expr:
        """Whether a row is another, or nobody."""
        (left, kind), (right, other) = self.value(node.left, scope), self.value(node.comparators[0], scope)
        if not isinstance(kind, Place):
            raise scope.refuse(node, "`is` asks about rows")
        same = isinstance(node.ops[0], ast.Is)
        if isinstance(other, Nobody) and kind.request:
            return ast.Compare(left, [ast.Eq() if same else ast.NotEq()], [right])
        if isinstance(other, Nobody):
            return ast.Compare(left, [ast.Lt() if same else ast.GtE()], [ast.Constant(0)])
        return ast.Compare(left, [ast.Eq() if same else ast.NotEq()], [right])

    def either(self, node: ast.IfExp, scope: Scope) -> tuple[ast.expr, Kind]:
        """One of two."""
        (then, kind), (other, other_kind) = self.value(node.body, scope), self.value(node.orelse, scope)
        if isinstance(kind, Nobody) and isinstance(other_kind, Place):
            kind = Place(other_kind.row, perhaps=True)
        elif isinstance(other_kind, Nobody) and isinstance(kind, Place):
            kind = Place(kind.row, perhaps=True)
        return ast.IfExp(self.test(node.test, scope), then, other), kind

    def named(self, node: ast.Name, scope: Scope) -> tuple[ast.expr, Kind]:
        """A local, or a number that the module of the flow knows by name."""
        if node.id in scope.names:
            local = scope.names[node.id]
            return name(local), self.kinds.get(local)
        found: Any = scope.flow.__globals__.get(node.id)
        if isinstance(found, int | float) or type(found).__name__ == "int64":
            return name(self.needs.constant(node.id, found)), None
        raise scope.refuse(node, f"{node.id} is not known")

    # -- calls ---------------------------------------------------------------------------------------------------------

    def called(self, node: ast.Call, scope: Scope) -> tuple[ast.expr, Kind]:
        """A call of what a flow may call."""
        if node.keywords:
            raise scope.refuse(node, "no keyword arguments in a flow")
        function = self.function(node.func, scope)
        called = text_of(node.func)
        if called in ("the", "perhaps"):
            kind, place = node.args
            return self.value(place, scope)[0], Place(text_of(kind), perhaps=called == "perhaps")
        if is_lasting(function):
            return self.lasting(function, node, scope)
        if is_flow(function):
            raise scope.refuse(node, f"{called} is a flow, which stands alone or is what a local is given")
        arguments = [self.value(argument, scope) for argument in node.args]
        if is_policy(function):
            return call(self.needs.policy(function), *[self.row_of(*argument) for argument in arguments]), None
        if called in BUILT_IN and function is getattr(builtins, called):
            return call(called, *[given for given, _ in arguments]), None
        if not _of_the_engine(function):
            raise scope.refuse(node, f"{called} is neither a policy nor a function of the engine")
        return self.asked(function, arguments), None

    def asked(self, function: Any, arguments: list[tuple[ast.expr, Kind]]) -> ast.expr:  # noqa: ANN401 - a function
        """A function of the engine is handed places, or the row itself where it asks for one."""
        plain = getattr(function, "py_func", function)
        asks = list(inspect.get_annotations(plain).values()) if isinstance(plain, FunctionType) else []
        given = []
        for number, (node, kind) in enumerate(arguments):
            asked = str(asks[number]).split(" | ") if number < len(asks) else [""]  # for a row of any of these kinds
            wants_row = all(row in Row.row_kinds for row in asked) and not isinstance(kind, State)
            given.append(self.record(node, kind) if wants_row and isinstance(kind, Place) else self.constant(node))
        return call(self.needs.function(function), *given)

    def row_of(self, node: ast.expr, kind: Kind) -> ast.expr:
        """What a policy is handed: the row itself, or a number."""
        return self.record(node, kind) if isinstance(kind, Place | Record) else self.constant(node)

    def constant(self, node: ast.expr) -> ast.expr:
        """A literal that a function is handed gets a name."""
        try:
            value = ast.literal_eval(node)
        except ValueError:
            return node
        return node if isinstance(value, float) else name(self.needs.literal(value))

    def lasting(self, function: FunctionType, node: ast.Call, scope: Scope) -> tuple[ast.expr, Kind]:
        """An expression with a name is put in the place of its call."""
        tree = parsed(function)
        (answer,) = body_of(tree)
        assert isinstance(answer, ast.Return)
        assert answer.value is not None
        names = {}
        for parameter, argument in zip(tree.args.args, node.args, strict=True):
            if not isinstance(argument, ast.Name):
                raise scope.refuse(node, f"{function.__name__} is handed locals only")
            names[parameter.arg] = scope.names.get(argument.id, argument.id)
        return self.value(answer.value, Scope(function, names))

    def function(self, node: ast.expr, scope: Scope) -> Any:  # noqa: ANN401 - whatever stands there
        """What is called."""
        space = scope.flow.__globals__
        if isinstance(node, ast.Name):
            return in_engine(space.get(node.id, getattr(builtins, node.id, None)))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in space:
            return getattr(space[node.value.id], node.attr, None)
        raise scope.refuse(node, f"{text_of(node)} cannot be called")

    # -- what lasts ----------------------------------------------------------------------------------------------------

    def lasts(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression has the same value whenever it is worked out while the flow goes on."""
        match node:
            case ast.Constant():
                return True
            case ast.Name():
                made = self.made.get(scope.names.get(node.id, ""), [])
                return len({text_of(one.node) for one in made}) <= 1 and all(one.again for one in made)
            case ast.Attribute():
                _, kind = self.value(node.value, scope)
                fixed = isinstance(kind, Place | Record) and kind.declared.fields[node.attr].fixed
                return fixed and self.lasts(node.value, scope)
            case ast.Call():
                return is_lasting(self.function(node.func, scope)) and all(self.lasts(one, scope) for one in node.args)
        return False


def kind_of(its: Field) -> Kind:
    """What kind of value stands in a field."""
    if its.about is not None:
        return Place(its.about, perhaps=its.kind != "Reference", request=its.kind == "Caller")
    return Record(its.kind) if its.kind in Row.row_kinds else None


def in_engine(function: Any) -> Any:  # noqa: ANN401 - whatever is called
    """What a word that plug-ins have for a function of the engine stands for; anything else as it is."""
    there = getattr(function, "of_the_engine", None)
    return getattr(importlib.import_module(there[0]), there[1]) if there else function


def _of_the_engine(function: object) -> bool:
    plain = getattr(function, "py_func", function)
    module = getattr(plain, "__module__", None) or type(plain).__module__
    return callable(function) and module.startswith(("sim.compiled.", "sim.chance."))
