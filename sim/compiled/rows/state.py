"""What the compiled engine knows at one moment: one record of numbers, which knows where the tables are.

A function of the engine is handed the record (`s`): to pass one pointer instead of seventy arrays is what keeps
compilation short (2.5 times) and calls cheap. In plain Python it is an object with the same fields, which machine
code takes for the record.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import from_dtype
from numpy.typing import NDArray

from sim.compiled.rows import (
    addresses,
    balancing,
    caches,
    calls,
    composed,
    events,
    gateway,
    hosts,
    idempotency,
    identities,
    limits,
    lines,
    locks,
    logs,
    plugins,
    producers,
    programs,
    queues,
    records,
    running,
    sagas,
    serverless,
    traffic,
    watched,
)
from sim.compiled.rows.declaring import Row, parts_of, row_at
from sim.compiled.rows.tables import BUFFERS, LAYOUT, POOLS, TABLES, Account, AnyTable, Count, Memory, Rows, Table

ROOMS = (
    addresses,
    balancing,
    caches,
    calls,
    composed,
    events,
    gateway,
    hosts,
    idempotency,
    identities,
    limits,
    lines,
    locks,
    logs,
    plugins,
    producers,
    programs,
    queues,
    records,
    running,
    sagas,
    serverless,
    traffic,
    watched,
)
"""All modules that declare tables: here all of them are known."""


class State(Row):
    """The time, what comes next, and what is counted for the whole run."""

    now: float
    fixed_delay: float  # s; the usual length of a hop
    buckets_per_second: float  # of the wheel
    reach: float  # how many buckets off an event may be
    warmup: float
    slow: float  # s; who was answered sooner is no exemplar of the slowest

    sequence: int  # of the next event
    heap_size: int  # events in it
    fixed_size: int
    fixed_first: int
    fixed_mask: int
    near_size: int  # in the wheel
    near_free: int  # the first free row
    bucket: int  # of the first event
    wheel_mask: int
    wheel_words: int
    ready_size: int  # tasks and requests in the queue
    ready_first: int
    ready_mask: int
    current: int  # the task that goes on when there is more room; -1: none
    order: int  # what Python is to do
    errand: int  # what it is to do in the midst of a turn, before anything else; -1: nothing
    tick: int  # observations made
    last_tick: int
    next_message: int
    requests_made: int
    drifted: int  # flows that went on by themselves
    calls_made: int  # of those with a total timeout
    entries_count: int
    entries_most: int
    entries_size: int
    limiters_count: int
    limiters_size: int
    limiters_most: int
    library_count: int
    library_size: int
    library_most: int
    clocked_count: int
    clocked_size: int
    clocked_most: int
    waiting_count: int
    waiting_size: int
    waiting_most: int
    stamps_count: int
    stamps_size: int
    stamps_most: int
    cpu_events: int
    cpu_events_most: int
    replica_count: int
    series_count: int
    network_faults: int
    deepest: int
    deepest_frame: int
    largest_batch: int
    name_of_queues: int  # index into names: what stands in the place of a group
    waits_begun: int  # for confirms
    redeliveries: int  # redeliveries in place since Python looked
    spans: int  # of which requests they are kept
    next_flow: int
    lucky: int  # who has a larger lot is no exemplar of the sample
    must_grow: bool
    tells: bool  # somebody is told until when its answer is waited for

    @classmethod
    def new(cls) -> State:
        """A state with empty tables."""
        memory = Memory(np.zeros(1, STATE), None)
        s = row_at(cls, memory, 0)
        memory.state = s
        return s

    @property
    def data(self) -> memoryview:
        """The record, for machine code."""
        return self._memory.bytes

    @property
    def _numba_type_(self) -> Any:  # noqa: ANN401 - a type of numba
        return STATE_TYPE

    @property
    def tables(self) -> dict[str, Rows[Any]]:
        """All tables by name, for plain Python."""
        return self._memory.tables

    def size_of(self, table: AnyTable) -> int:
        """Rows of a table."""
        return self.tables[table.name].size

    def take(self, table: Table[Any]) -> NDArray[Any]:
        """The array of a table, which is put back, or another in its place, before anything else is done."""
        array: NDArray[Any] = self.tables.pop(table.name).memory.array
        return array

    def put(self, table: Table[Any], array: NDArray[Any]) -> None:
        """Put an array in the place of a table; the interpreter finds it there."""
        array = np.ascontiguousarray(array, table.dtype)
        self.tables[table.name] = Rows(table, Memory(array, self))
        self._memory.array["addresses"][0, table.place] = array.ctypes.data
        if table.counted:
            setattr(self, table.counted, array.shape[0])
        if table.width:
            setattr(self, table.width, array.shape[1])


def _layout() -> np.dtype[Any]:
    own = [(name, dtype) for name, (dtype, _) in parts_of(State.dtype).items()]
    parts = (("accounts", Account, POOLS), ("counts", Count, BUFFERS))
    words = [(name, "i8", (row.dtype.itemsize // 8 * len(tables),)) for name, row, tables in parts]
    state = np.dtype([*own, *words, ("addresses", "i8", (len(TABLES),))], align=True)
    places = {name: offset for name, (_, offset) in parts_of(state).items()}
    LAYOUT.accounts, LAYOUT.counts, LAYOUT.addresses = (places[name] for name in ("accounts", "counts", "addresses"))
    LAYOUT.must_grow = places["must_grow"]
    return state


STATE = _layout()
STATE_TYPE = from_dtype(STATE)
