"""A scenario file as loaded: its text, its canonical document, and one Scenario per variant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sim.spec.scenario import Scenario
from sim.units import duration, rate_unit


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

    @cached_property
    def rates_per(self) -> str:
        """The unit that rates of the traffic are written in, the finest of several: `m` where they are `2.4/m`; `s`
        where there are none. Figures are told in it.
        """
        patches = [patch for patch in (self.document.get("variants") or {}).values() if isinstance(patch, dict)]
        traffic = [whole.get("traffic") for whole in (self.document, *patches)]
        units = {unit for text in _texts(traffic) if (unit := rate_unit(text)) is not None}
        return min(
            (unit.removeprefix("1") for unit in units), key=lambda unit: (duration(f"1{unit}"), unit), default="s"
        )

    def __repr__(self) -> str:
        return f"<study {self.name}: {', '.join([*self.variants, *(f'--set {setting}' for setting in self.sets)])}>"


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - a document
    """Every text in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
