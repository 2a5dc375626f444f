"""A scenario file as loaded: its text, its canonical document, and one Scenario per variant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sim.spec.scenario import Scenario


@dataclass(frozen=True)
class Study:
    """What `load` returns.

    `document` is plain JSON with all files it reads embedded: loading it again gives an equal study.
    """

    name: str
    text: str  # the file as written, for the report
    document: dict[str, Any]
    variants: dict[str, Scenario]  # at least one; the first is the baseline
    file: str = ""  # as given; for messages
    plugins: tuple[str, ...] = field(default=())  # paths of the allowed plug-ins
    question: str = ""  # the first sentence or two of the comment that heads the file
    # the PATH=VALUE that `document` holds already; for the command that repeats a run
    sets: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        return f"<study {self.name}: {', '.join([*self.variants, *(f'--set {setting}' for setting in self.sets)])}>"
