"""A run without rows: how many requests and messages there were of each kind, in cells whose number does not grow with
the number of requests.

A cell is an interval of arrival (or of departure) and a bucket of time, and the few words that metrics tell apart.
Intervals and buckets have an edge wherever some figure draws a line (see `Plan`), so that what is counted by such lines
is exact; only the times themselves are known no closer than a bucket, which is less than 1 % of them. What is *not*
here: single requests (but the slowest), users, items, places of failure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.records.buckets import departure_lines

Floats = NDArray[np.float64]

# buckets of time between one power of two and the next: all that is in one is within 0.8 % of any place in it
PER_OCTAVE = 128
SHORTEST = 2.0**-20  # s, a microsecond; times up to this are one bucket, but for 0, which is one of its own
POINTS = 1000  # of the series by which a run is seen to settle, whatever its duration

ANSWERS = np.dtype(
    [("interval", "i4"), ("source", "i2"), ("route", "i2"), ("outcome", "i1"), ("bucket", "i4"), ("count", "i8")]
)
"""Requests by their answer; `bucket` is that of the response, the last one where there was no answer."""

ORDERS = np.dtype(
    [
        ("interval", "i4"),
        ("source", "i2"),
        ("route", "i2"),
        ("outcome", "i1"),
        ("pending", "?"),
        ("bucket", "i4"),
        ("count", "i8"),
    ]
)
"""Requests of which effects are expected, by their completion; `bucket` is the last one where they are incomplete."""

LEDGER = np.dtype([("outcome", "i1"), ("pending", "?"), ("charges", "u1"), ("reservations", "u1"), ("count", "i8")])
"""Requests by what happened to money and goods."""

DEPARTURES = np.dtype(
    [("interval", "i4"), ("source", "i2"), ("route", "i2"), ("outcome", "i1"), ("bucket", "i4"), ("count", "i8")]
)
"""Answers by the moment at which they came: `interval` is one of departure, `bucket` lies between the limits that a
response is judged by.
"""

COMPLETIONS = np.dtype([("interval", "i4"), ("route", "i2"), ("count", "i8")])
"""Orders by the moment of their last effect, whatever the client was told."""

DELIVERIES = np.dtype(
    [("topic", "i2"), ("group", "i2"), ("how", "i1"), ("deliveries", "i2"), ("late", "?"), ("count", "i8")]
)
"""Messages, once for every group; `late`: they ended after the warm-up."""

OVER_TIME = np.dtype([("opened", "i8"), ("kept", "i8")])
"""What happened to orders since the tick before: answered well; answered well and, by now, complete as well."""

SETTLING = np.dtype([("count", "i8"), ("total", "f8")])
"""Answers in one thousandth of the run, and the sum of their responses in seconds."""


@dataclass(frozen=True)
class Plan:
    """The lines that a summary must be able to draw. All in seconds."""

    duration: float
    warmup: float
    ticks: Floats  # (t,) of the time series
    moments: Floats  # (m,) edges of the intervals of arrival, from 0 to the duration
    edges: Floats  # (e,) upper ends of the buckets of time
    departures: Floats  # (d,) edges of the intervals of departure
    limits: Floats  # (l,) those of the edges that a response is judged by

    @classmethod
    def of(
        cls,
        duration: float,
        warmup: float,
        ticks: Iterable[float],
        moments: Iterable[float],
        limits: Iterable[float],
        departures: Iterable[float] = (),
    ) -> Plan:
        """With an edge at each of these moments of arrival, at each of these limits of a time, and at each of these
        moments of departure.
        """
        its_ticks, its_limits = np.array([*ticks], dtype=np.float64), np.unique(np.array([*limits], dtype=np.float64))
        wanted, leaving = (_within(duration, [0.0, warmup, duration, *its]) for its in (moments, departures))
        octaves = math.ceil(math.log2(max(duration, 1.0) / SHORTEST)) + 1
        steps = (1.0 + np.arange(PER_OCTAVE) / PER_OCTAVE) * SHORTEST
        ladder = np.concatenate([[0.0], *(steps * 2.0**octave for octave in range(octaves))])
        edges = np.unique([*ladder, *its_limits])
        return cls(duration, warmup, its_ticks, wanted, edges, departure_lines(leaving, duration), its_limits)


def _within(duration: float, moments: list[float]) -> Floats:
    """Those that fall into the run, each once, in ascending order."""
    wanted = np.array(moments)
    return np.unique(wanted[(wanted >= 0.0) & (wanted <= duration)])


@dataclass(frozen=True)
class Summary:
    """What is known of the requests and messages of a run that kept no rows."""

    moments: Floats  # (m,) s; interval i is [moments[i], moments[i + 1]), the last begins at the duration
    edges: Floats  # (e,) s; bucket i is (edges[i - 1], edges[i]], bucket e is of what never happened
    leaving: Floats  # (d,) s; interval i of departure is [leaving[i], leaving[i + 1]), the last begins at the duration
    limits: Floats  # (l,) s; bucket i of a departure is (limits[i - 1], limits[i]], bucket l lies beyond them all
    answers: NDArray[np.void]  # ANSWERS
    orders: NDArray[np.void]  # ORDERS
    departures: NDArray[np.void]  # DEPARTURES
    completions: NDArray[np.void]  # COMPLETIONS
    ledger: NDArray[np.void]  # LEDGER
    deliveries: NDArray[np.void]  # DELIVERIES
    over_time: NDArray[np.void]  # (t,) OVER_TIME, one row for each tick of the run
    settling: NDArray[np.void]  # (1000,) SETTLING
    # (0,) or (1,) REQUEST: who waited longest for an answer of those that arrived after the warm-up; the first by id of
    # equals
    slowest: NDArray[np.void]
    last_end: Floats  # by Outcome: s; when the last such request had its answer; nan: none had
    digests: tuple[str, str]  # of the rows of requests and of messages that were not kept

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        return sum(getattr(self, name).nbytes for name in SUMMARY_ARRAYS)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return sum(
            table.size
            for table in (self.answers, self.orders, self.departures, self.completions, self.ledger, self.deliveries)
        )

    @property
    def resolution(self) -> float:
        """Seconds: how finely moments of arrival are known everywhere."""
        return float(np.diff(self.moments).max())

    @cached_property
    def arrivals(self) -> Floats:
        """(m,) s; the moment that stands for an interval of arrival: its middle, and never its end."""
        begins, ends = self.moments, np.append(self.moments[1:], self.moments[-1])
        middle = begins + (ends - begins) / 2
        return np.where(ends > begins, np.minimum(middle, np.nextafter(ends, -np.inf)), begins)

    @cached_property
    def arrival_widths(self) -> Floats:
        """(m,) s; how long each interval of arrival is; the last has no length."""
        return np.diff(self.moments, append=self.moments[-1])

    @cached_property
    def times(self) -> Floats:
        """(e + 1,) s; the time that stands for a bucket: its middle; nan for the last."""
        below = np.append(self.edges[0], self.edges[:-1])
        return np.append(below + (self.edges - below) / 2, np.nan)

    @cached_property
    def within(self) -> Floats:
        """(l + 1,) s; the limit that the response of a departure is just within, by its bucket; inf beyond them all."""
        return np.append(self.limits, np.inf)

    @cached_property
    def widths(self) -> Floats:
        """(e + 1,) s; how wide each bucket is; nan for the last."""
        return np.append(np.diff(self.edges, prepend=self.edges[0]), np.nan)


SUMMARY_ARRAYS = tuple(field.name for field in fields(Summary) if field.name != "digests")
"""The fields of a Summary that are arrays."""
