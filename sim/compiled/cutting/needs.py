"""What a written function needs at the head of its module: functions of the engine, policies, constants."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

ROWS = "sim.compiled.rows."
_NUMBERS = {0: "ZERO", 1: "ONE", -1: "NONE"}


class Needs:
    """Collected while flows are cut, for one module."""

    def __init__(self) -> None:
        self.imports: dict[str, set[str]] = {}  # module -> names
        self.constants: dict[str, str] = {}  # name -> what it is

    def function(self, function: Any) -> str:  # noqa: ANN401 - a function, or an object that is called
        """A function of the engine, by the name that its own module gives it."""
        plain = getattr(function, "py_func", function)
        if isinstance(plain, FunctionType):
            return self.named(plain.__name__, plain.__module__)
        for module, home in sorted(sys.modules.items()):
            if module.startswith(ROWS):
                for name, known in vars(home).items():
                    if known is function:
                        return self.named(name, module)
        raise LookupError(f"{function} has no name in {ROWS}*")

    def named(self, name: str, module: str) -> str:
        """A word of the engine that every written function may need."""
        self._import(module, name)
        return name

    def policy(self, function: Any) -> str:  # noqa: ANN401 - a policy
        """The compiled twin of a policy."""
        module, _, room = function.__module__.rpartition(".")
        self._import(module, room)
        name = f"{room}_{function.__name__}"
        self.constants[name] = f"{room}.{function.__name__}.compiled"
        return name

    def constant(self, name: str, value: float) -> str:
        """A number by the name that the flow gives it."""
        if isinstance(value, float):
            text = repr(value) if value not in (float("inf"), -float("inf")) else f'float("{value}")'
        else:
            text = f"{self.named('whole', 'sim.compiled.base')}({int(value)})"
        if self.constants.setdefault(name, text) != text:
            raise ValueError(f"{name} is {self.constants[name]} in one flow, and {text} in another")
        return name

    def literal(self, value: int) -> str:
        """A literal as a constant: machine code is made anew for every literal that a function is handed."""
        if isinstance(value, bool):
            return self.named("YES" if value else "NO", "sim.compiled.base")
        if value in _NUMBERS:
            return self.named(_NUMBERS[value], "sim.compiled.base")
        return self.constant(f"MINUS_{-value}" if value < 0 else f"NUMBER_{value}", value)

    def _import(self, module: str, name: str) -> None:
        self.imports.setdefault(module, set()).add(name)
