"""What kind of figure a metric is, for those who compare it: what it can be, and how much of it is the rounding of
floats.
"""

from __future__ import annotations

from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.stats.bounds import Bounds
from sim.stats.paired import ADDITIONS, Nature
from sim.vocabulary import limits_of, unit_of

# additions to the clock on the way of one request, each of which rounds by half a unit in the last place of the time
# that it is
READINGS = 64


def bounds_of(key: str) -> Bounds:
    """What the figure can be."""
    return Bounds(*limits_of(key))


def nature_of(key: str, duration: float, additions: int = ADDITIONS) -> Nature:
    """Of a figure over so many requests.

    A time is the difference of two readings of a clock that goes on to `duration` (s).
    """
    clock = READINGS * duration if unit_of(key) == "s" else 0.0
    return Nature(bounds_of(key), max(additions, ADDITIONS), clock)


def noise_of(key: str, value: float, threshold: float, scenario: Scenario) -> float:
    """What a figure and a threshold may differ by and still be equal."""
    return nature_of(key, scenario.duration).noise_of(value, threshold)


def additions_of(records: Records) -> int:
    """How many attempts, messages and requests the figures of a run are made of."""
    return sum(book.offered for book in records.books)
