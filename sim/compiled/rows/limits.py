"""Rows of rate limits, of the counters of their keys, and of what is remembered by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Reference, Row
from sim.compiled.rows.tables import Table
from sim.policies.clocked import CLOCKED, ClockedRow
from sim.policies.library_limits import LIBRARY, LibraryRow
from sim.policies.limiter import LIMITER, LimiterRow
from sim.policies.waiting import WAITING, WaitingRow

if TYPE_CHECKING:
    from sim.compiled.rows.hosts import Host


class Limit(Row):
    """A limit. The counters of a key are rows in the table of its family, copies of those from `first` on."""

    last: float  # when it last refused
    timeout: float  # s; how long the answer of its store is waited for
    in_vain: float  # s; for how long a request is held that is refused then
    space: int  # of its keys in `entries`
    per: int  # PER_USER ... in limits.py, of a limit that is not `keyed`
    about: int
    passed: int
    refused: int
    family: int  # PLAIN ... in limits.py
    first: int
    rates: int  # how many it keeps at once, each with a counter of its own
    readers: int  # of a keyed one: of its key, the first in `reader_of`
    reads: int
    conditions: int  # the first in `conditions`: of which requests are counted
    asks: int
    anonymous: int  # SHARED ... in limits.py
    answer: int  # what is refused is answered as this
    tells: int  # EXACT ... in limits.py
    latency: int  # a draw: what a round trip to its store takes
    trips: int
    refusing: int  # outages of it
    hanging: int
    undecided: int  # requests for which there was no answer
    stored: bool  # it has a store
    tolerant: bool  # what that does not decide passes
    by_node: bool  # it reads clocks that are not always right
    in_turn: bool  # its rates are hit one after the other, and count what a later one refuses
    keyed: bool  # it says more than the three keys and the five counters of old
    node: bool  # each replica counts for itself
    limiting: bool


class LimitsStep(Row, fixed=True):
    """The limits that the requests of one route or endpoint must pass."""

    host: Reference[Host]
    first: int  # in `limit_of`
    count: int
    route: int  # index into names: what `per: route` counts it as
    where: int  # index into names
    stored: bool  # some of them are counted in a store


class Condition(Row, fixed=True):
    """A header that must have one of some values."""

    header: int  # the first of its rows in `headers`
    first: int  # of these, in `condition_values`
    count: int


class LibraryCounter(LibraryRow):
    """One that decides as a single library does."""


class ClockedCounter(ClockedRow):
    """One that goes by the clock of the node that asks."""


class WaitingCounter(WaitingRow):
    """One that holds requests until their turn; the limits of callers have a table of their own."""


limits = Table("limits", Limit)
limit_steps = Table("limit_steps", LimitsStep)
limit_of = Table("limit_of", int)
reader_of = Table("reader_of", int)
conditions = Table("conditions", Condition)
condition_values = Table("condition_values", int)
limiters = Table("limiters", LimiterRow, dtype=LIMITER, counted="limiters_size")
ring_of = Table("ring_of", int)
limiter_rings = Table("limiter_rings", float, counted="stamps_size")
library_counters = Table("library_counters", LibraryCounter, dtype=LIBRARY, counted="library_size")
clocked_counters = Table("clocked_counters", ClockedCounter, dtype=CLOCKED, counted="clocked_size")
waiting_counters = Table("waiting_counters", WaitingCounter, dtype=WAITING, counted="waiting_size")
