"""What the event log is told when the clock stops: what has ended, or changed its state, without anybody having come to
notice.

Both engines ask here, each with its own state.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.policies import breaker as breakers
from sim.policies import library_breakers
from sim.policies.base import passed
from sim.vocabulary import QUIET, EventKind

if TYPE_CHECKING:
    from sim.policies.base import Ring
    from sim.policies.breaker import BreakerRow
    from sim.policies.library_breakers import LibraryRow

TURNED = (EventKind.BREAKER_CLOSED, EventKind.BREAKER_OPENED, EventKind.BREAKER_HALF_OPENED)
"""What is told of a breaker that has changed, by the state that it has now."""


class Late(NamedTuple):
    """An event that is told after it happened."""

    kind: EventKind
    time: float  # s; when it was
    subject: str
    about: str = ""


def in_order(events: NDArray[np.void]) -> NDArray[np.void]:
    """The event log by the time at which things happened; what happened at one instant stays in the order in which it
    was told.
    """
    return events[np.argsort(events["time"], kind="stable")]


def end_of_spell(
    kind: EventKind, going: bool, last: float, now: float, subject: str, about: str = ""
) -> Iterator[Late]:
    """A spell of refusals, the last one at `last`, is over when it has been quiet for long enough."""
    if going and passed(now, last + QUIET):
        yield Late(kind, last, subject, about)


def breaker_by_now(row: BreakerRow, now: float, subject: str, about: str) -> Iterator[Late]:
    """A breaker that was half-open for too long has opened, or is half-open by itself: its row is brought up to now."""
    period = row.period
    breakers.state(row, now)
    yield from _turns(row, period, subject, about)


def library_by_now(row: LibraryRow, ring: Ring, now: float, subject: str, about: str) -> Iterator[Late]:
    """The same of a breaker of a library, and of what the clock alone makes of it."""
    period = row.period
    library_breakers.look(row, ring, now)
    yield from _turns(row, period, subject, about)


def _turns(row: BreakerRow | LibraryRow, before: int, subject: str, about: str) -> Iterator[Late]:
    """The last two changes of state, of those since period `before`."""
    if row.period > before + 1:
        yield Late(TURNED[row.was], row.was_since, subject, about)
    if row.period != before:
        yield Late(TURNED[row.state], row.since, subject, about)


def breaker_forgotten(state: int, now: float, subject: str, about: str) -> Iterator[Late]:
    """A replica dies, and with it what it knew: when it starts again its breaker is closed."""
    if state != breakers.CLOSED:
        yield Late(EventKind.BREAKER_CLOSED, now, subject, about)
