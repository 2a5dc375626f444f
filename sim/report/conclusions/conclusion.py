"""What a conclusion is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.report.frame.blocks import Line


@dataclass(frozen=True)
class Conclusion:
    """The answer in one sentence, and the points that it stands on or that temper it."""

    sentence: str
    points: Sequence[Line] = ()
