"""From the flow of a plug-in to a function: its rows declared, its flow cut, the text run as a module of its own."""

from __future__ import annotations

import hashlib
import inspect
import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

from sim.chance.compiler import compiled_apart
from sim.compiled.cutting.arranging import Cutter
from sim.compiled.cutting.needs import Needs
from sim.compiled.cutting.words import Refused, fold
from sim.compiled.plugins.around import step_of_plugin
from sim.compiled.rows.declaring import Row, RowType
from sim.compiled.rows.plugins import FRAME_BYTES, STEP_BYTES, PluginFrame, PluginStep, plugin_frames, plugin_steps
from sim.compiled.rows.tables import View
from sim.errors import PluginError
from sim.models.flows import Frame, StepFlow, StepRow
from sim.spec.plugins import text_of

NUMBERS = {"int": "int", "float": "float", "bool": "bool", "Part": "int", "Chance": "int", "Total": "int"}
RINGS = ("Memory", "Shared")
ROWS = {"PluginStep": STEP_BYTES, "PluginFrame": FRAME_BYTES}
# what these say is part of the digest of the engine, or never changes
TRUSTED = ("math", "builtins", "sim.policies", "sim.chance", "sim.vocabulary")


@dataclass(frozen=True)
class CutFlow:
    """A function made of a flow, and the rows that it is about."""

    function: Callable[..., int]
    step: type[PluginStep]
    kinds: dict[str, str]  # of the fields of its step, as the plug-in says them


@cache
def cut(declared: StepFlow) -> CutFlow:
    """Cut it. PluginError: it is no flow, or its rows are none."""
    home = declared.flow.__module__
    step, kinds = _row(declared.row, StepRow, PluginStep, home)
    frame, _ = _row(declared.frame, Frame, PluginFrame, home)
    needs = _Needs({f"steps_of_{step.__name__}": View(plugin_steps, step)})
    needs.given[f"frames_of_{frame.__name__}"] = View(plugin_frames, frame)
    meant = {"PluginStep": step.__name__, "PluginFrame": frame.__name__}
    try:
        cutter = Cutter(fold(step_of_plugin, declared.flow), "step", needs, holder="frame", meant=meant)
        body = cutter.cut()
    except (Refused, LookupError, ValueError) as why:
        raise PluginError(f"{_place(declared.flow)}: the flow cannot be cut: {why}") from None
    return CutFlow(_made(needs, body, home), step, kinds)


class _Needs(Needs):
    """What a function of a plug-in needs besides: tables and policies that no module of the engine has."""

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__()
        self.given = given
        self.policies: list[Callable[..., Any]] = []

    def function(self, function: Any) -> str:  # noqa: ANN401 - a function, or a table
        for name, known in self.given.items():
            if known is function:
                return name
        return super().function(function)

    def policy(self, function: Any) -> str:  # noqa: ANN401 - a policy
        if function.__module__.startswith("sim."):
            return super().policy(function)
        self.policies.append(function)
        name = f"policy_{function.__name__}"
        self.given[name] = function.compiled
        return name

    def text(self, body: str) -> str:
        """The source of the module."""
        self.named("State", "sim.compiled.rows.state")
        imports = [f"from {home} import {', '.join(sorted(names))}" for home, names in sorted(self.imports.items())]
        constants = [f"{name} = {text}" for name, text in sorted(self.constants.items())]
        return "\n".join(["from __future__ import annotations", *imports, *constants, "", "", body, ""])


def _row(said: type[Any], base: type[Any], root: type[Row], home: str) -> tuple[type[Any], dict[str, str]]:
    """The row class of the engine for one of a plug-in."""
    kinds: dict[str, str] = {}
    for cls in reversed(said.__mro__[: said.__mro__.index(base)]):
        kinds |= inspect.get_annotations(cls)
    known = {name: "Ring" if kind in RINGS else NUMBERS.get(str(kind)) for name, kind in kinds.items()}
    if strange := [name for name, kind in known.items() if kind is None]:
        expected = ", ".join([*NUMBERS, *RINGS])
        raise PluginError(f"{said.__name__}.{strange[0]}: found {kinds[strange[0]]}, expected one of {expected}")
    name = f"{said.__name__}_of_{home.replace('.', '_')}"  # rows of all kinds are known by name
    try:
        made: Any = RowType(name, (root,), {"__annotations__": known}, size=ROWS[root.__name__])
    except TypeError as why:
        raise PluginError(f"{said.__name__}: {why}") from None
    return made, kinds


def _made(needs: _Needs, body: str, home: str) -> Callable[..., int]:
    """Run the text; its function, compiled under a digest of all that it is made of."""
    text = needs.text(body)
    digest = hashlib.sha256("\0".join([text, text_of(str(sys.modules[home].__file__))]).encode())
    frozen = [_frozen(policy) for policy in needs.policies]
    digest.update(repr(frozen).encode())
    name = f"sim_flow_{digest.hexdigest()[:16]}"
    module = ModuleType(name)
    sys.modules[name] = module  # numba finds the globals of what it has kept there
    vars(module).update(needs.given)
    linecache.cache[f"<{name}>"] = (len(text), None, text.splitlines(keepends=True), f"<{name}>")
    exec(compile(text, f"<{name}>", "exec"), vars(module))
    known = all(values is not None for values in frozen)
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "error_model": "numpy"}
    made: Callable[..., int] = compiled_apart(vars(module)["step"], name if known else None, **options)
    return made


def _frozen(policy: Any) -> list[tuple[str, object]] | None:  # noqa: ANN401 - a function
    """The numbers from elsewhere that machine code of a policy would hold; None where it is made of more than that.

    Another function of the plug-in is looked through, for its own text is part of the digest.
    """
    found: list[tuple[str, object]] = []
    todo, seen = [policy], set()
    while todo:
        function = todo.pop()
        if function in seen:
            continue
        seen.add(function)
        for name in _names(function.__code__) & set(function.__globals__):
            value = function.__globals__[name]
            home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "builtins")
            if isinstance(value, int | float | str):
                found.append((name, value))
            elif isinstance(value, FunctionType) and home == policy.__module__:
                todo.append(value)
            elif not str(home).startswith(TRUSTED):
                return None
    return sorted(found, key=repr)


def _names(code: CodeType) -> set[str]:
    inside = [_names(part) for part in code.co_consts if isinstance(part, CodeType)]
    return set(code.co_names).union(*inside)


def _place(flow: Callable[..., Any]) -> str:
    return f"{flow.__code__.co_filename}:{flow.__code__.co_firstlineno}"
