"""Written modules: which flows are cut into which, and their text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.compiled.cutting.arranging import Cutter
from sim.compiled.cutting.needs import Needs

WIDTH = 120  # columns of a line

WRITTEN = Path(__file__).parents[1] / "written"
HEAD = '''"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

{about}
"""

from __future__ import annotations

'''


@dataclass(frozen=True)
class Step:
    """One function that is to be written."""

    flow: Any  # a flow, or a fold of flows
    name: str
    decorator: str = "handler"
    phase: str = "phase"  # the field of the task that says where it is resumed
    runs: tuple[str, ...] = ()  # the places at which its task goes on with its program, and does not wait
    ends: bool = False  # its task is over with it
    apart: bool = False  # it is called by its address


@dataclass
class Module:
    """One file of written functions."""

    name: str
    about: str
    steps: Sequence[Step]
    rest: Callable[[Module], str] | None = None  # what is not cut, such as the choice between those that are
    needs: Needs = field(default_factory=Needs)

    def text(self) -> str:
        """Its source."""
        self.needs.named("State", "sim.compiled.rows.state")
        made = [self._function(step) for step in self.steps]
        if self.rest is not None:
            made.append(f"\n\n{self.rest(self)}\n")
        constants = [f"{name} = {text}" for name, text in sorted(self.needs.constants.items())]
        code = "".join(f"{line}\n" for line in constants) + "".join(made)
        used = set(re.findall(r"\w+", code))  # a row of which no field is asked for needs no table
        imports = [(home, sorted(names & used)) for home, names in sorted(self.needs.imports.items())]
        head = HEAD.format(about=self.about)
        head += "\n".join(_import(home, names) for home, names in imports if names) + "\n"
        return head + ("\n" if constants else "") + code

    def _function(self, step: Step) -> str:
        self.needs.named(step.decorator, "sim.compiled.base")
        cut = Cutter(step.flow, step.name, self.needs, step.phase, step.runs, step.ends).cut()
        decorators = f"@{step.decorator}"
        if step.apart:
            decorators = f"@{self.needs.named('by_address', 'sim.compiled.apart')}\n{decorators}"
        return f"\n\n{decorators}\n{cut}\n"


def _import(home: str, names: list[str]) -> str:
    """One name a line where they are too many for one."""
    line = f"from {home} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"from {home} import (", *(f"    {name}," for name in names), ")"])
