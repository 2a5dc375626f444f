"""Written modules: which flows are cut into which, and their text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.compiled.cutting.arranging import Cutter
from sim.compiled.cutting.needs import Needs

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
        imports = sorted(self.needs.imports.items())
        constants = sorted(self.needs.constants.items())
        head = HEAD.format(about=self.about)
        head += "\n".join(f"from {home} import {', '.join(sorted(names))}" for home, names in imports) + "\n"
        if constants:
            head += "\n" + "\n".join(f"{name} = {text}" for name, text in constants) + "\n"
        return head + "".join(made)

    def _function(self, step: Step) -> str:
        self.needs.named(step.decorator, "sim.compiled.base")
        return f"\n\n@{step.decorator}\n{Cutter(step.flow, step.name, self.needs).cut()}\n"
