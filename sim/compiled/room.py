"""Room: how tables grow, and when. It is looked after between two operations of the interpreter, and nowhere else.

Whoever takes a row of a pool, or appends one, asks for more while there is a reserve (`must_grow`), and the
interpreter returns to Python before its next operation. A reserve is an eighth of its table, and never less than what
one operation can take at most: what that is, and what can be needed for all there is of something (a note of every
task that waits in a freeze, a span of every attempt that ends in a crash), stands here. Where an operation should
take more than that, it ends in an error and not in the memory of another table.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.compiled.memory import move_entries
from sim.compiled.rows.declaring import CACHE_LINE, NOBODY, aligned, aligned_zeros
from sim.compiled.rows.events import (
    Event,
    fixed_delay_queue,
    heap,
    near_events,
    ready,
    timer_lanes,
    timers,
    used,
    wheel,
)
from sim.compiled.rows.gateway import Entry, entries, old_entries
from sim.compiled.rows.limits import (
    clocked_counters,
    library_counters,
    limiter_rings,
    limiters,
    ring_of,
    waiting_counters,
)
from sim.compiled.rows.locks import claims
from sim.compiled.rows.logs import deliveries, keys_of_records, lacks, messages, segments, shipments
from sim.compiled.rows.producers import (
    batches,
    produce_requests,
    produced_records,
    producer_settings,
    producer_wakes,
    requested_batches,
)
from sim.compiled.rows.queues import channels, letters, publications, queue_deliveries, queue_timers
from sim.compiled.rows.records import (
    candidate_records,
    event_records,
    message_records,
    request_records,
    span_records,
    stage_records,
)
from sim.compiled.rows.running import notes, requests, span_notes, stage_notes, tasks
from sim.compiled.rows.tables import POOLS, TABLES, AnyTable
from sim.compiled.rows.traffic import workloads
from sim.compiled.tasks import FREE

if TYPE_CHECKING:
    from sim.compiled.rows.state import State
    from sim.compiled.wiring import Wiring

LARGE = 1 << 20  # rows of a table that grows more slowly from there on
LEAST_RESERVE = 64  # rows
PIECE = 1 << 26  # bytes that are copied at once
RECORDS = 1 << 16  # finished rows that are handed over at once
EVENTS = 1 << 10  # the same of the event log
CANDIDATES = 1 << 10  # requests that may be exemplars
WORD = 64  # buckets of the wheel that one whole number has a bit for
PLANNED = 64  # events beside those of tasks, timers, messages and traffic
STAGES_OF_ONE = 64  # stages that one operation writes at most, but of messages
REQUESTED = (
    lacks, shipments, messages, segments, keys_of_records, batches, tasks, produce_requests, requested_batches,
    producer_wakes,
)  # fmt: skip
BUFFERS = (request_records, message_records, event_records, span_records, stage_records, candidate_records)


class Room:
    """Keeps all tables of one run large enough."""

    def __init__(self, s: State, wiring: Wiring) -> None:
        self.s = s
        self.keeps_exemplars = wiring.scenario.record.spans == "exemplars"
        self.orders = wiring.orders
        self.differ = any(traffic.patience is not None for traffic in wiring.scenario.traffic.values())
        self.groups = max([len(topic.groups) for topic in wiring.topic_at], default=0)
        self.at_once: dict[AnyTable, int] = {  # rows that one operation takes at most, where that is not a handful
            tasks: wiring.assembler.widest + 4,
            messages: wiring.log_tables.largest_batch + 2,
            segments: wiring.log_tables.largest_batch + 2,
            keys_of_records: wiring.log_tables.largest_batch + 2,
            lacks: (wiring.log_tables.largest_batch + 2) * wiring.log_tables.most_copies,
            shipments: (wiring.log_tables.largest_batch + 2) * wiring.log_tables.most_copies,
            letters: wiring.queue_tables.most_at_once + 2,
            publications: wiring.queue_tables.largest_batch + 2,
            produced_records: wiring.log_tables.largest_batch + 2,
        }
        self.stand_ins = wiring.producer_tables.most_at_once
        self.copies = wiring.log_tables.most_copies
        self.produces = wiring.producer_tables.brokers > 0
        self.spread = wiring.sender_tables.spread
        self.largest_route = wiring.sender_tables.largest_route
        self.counters = wiring.limit_tables.most  # one request may bring new counters for every limit
        self.stamps = sum(wiring.limit_tables.stamps) + wiring.limit_tables.clocked_stamps

    def begin(self) -> None:
        """All pools are free."""
        for table in POOLS:
            self._link_free(table, 0)
        self.make()

    def make(self) -> None:
        """Make room wherever it is short. What was appended is handed over before."""
        s = self.s
        for table in POOLS:
            self._grow_pool(table)
        # A delivery for each group of every message that there may be, which outlives them: what becomes readable needs
        # no look at room.
        while s.size_of(deliveries) < self.groups * s.size_of(messages):
            self._lengthen(deliveries)
        while s.cpu_events >= s.cpu_events_most:
            s.cpu_events_most *= 2
        self._for_what_is_remembered()
        self._for_events()
        self._for_records()
        s.must_grow = False

    # -- pools ---------------------------------------------------------------------------------------------------------

    def _grow_pool(self, table: AnyTable) -> None:
        """Until the reserve is free."""
        if table in (stage_notes, span_notes) and not self.keeps_exemplars:
            return
        while table.account(self.s).left <= (reserve := self._reserve(table)):
            self._lengthen(table)
        table.account(self.s).reserve = reserve

    def _reserve(self, table: AnyTable) -> int:
        """Where fewer are free, the table grows: no operation takes more."""
        s = self.s
        if table in (notes, span_notes):
            # all who wait for anything may have to be noted at once, all attempts may be stopped at once
            return s.size_of(tasks)
        if table is stage_notes:
            return self._most_stages()
        if table is deliveries:
            return 0  # there is one for each group of every message
        if table in (queue_deliveries, queue_timers):
            return s.size_of(letters)  # all that waits may be handed out at once
        least = max(LEAST_RESERVE, s.size_of(table) // 8, self.at_once.get(table, 0))
        if self.produces and table in REQUESTED:
            return max(least, self._most_produced(table))
        if table is letters:  # all that waits may be given up at once, and each come to several queues
            return max(least, s.size_of(table) * (self.spread - 1) // self.spread)
        return least

    def _most_produced(self, table: AnyTable) -> int:
        """Of what producers send at once: each record is written at most once, and goes into one batch at most."""
        s = self.s
        if table in (messages, batches, segments, keys_of_records):
            return s.size_of(produced_records)
        if table in (lacks, shipments):
            return s.size_of(produced_records) * self.copies
        if table is tasks:  # somebody stands in for each batch that waits for replicas
            return min(self.stand_ins, s.size_of(batches)) + self.at_once[tasks]
        return s.size_of(batches)

    def _lengthen(self, table: AnyTable) -> None:
        old = self.s.size_of(table)
        for own in (table, *(other for other in TABLES.values() if other.beside is table)):
            if own is table or self.s.size_of(own) > 1:  # one row: what it is about is not kept in this run
                self.s.put(own, longer(self.s.take(own)))
        self._link_free(table, old)

    def _link_free(self, table: AnyTable, first: int) -> None:
        """Put the rows from `first` on before the free ones."""
        account, array = table.account(self.s), table.array(self.s)
        array["next"][first:-1] = np.arange(first + 1, array.size)
        array["next"][-1] = account.free if first else NOBODY
        if table is tasks:
            array["life"][first:] = FREE
        account.free = first
        account.left += array.size - first

    # -- what is remembered by key -------------------------------------------------------------------------------------

    def _for_what_is_remembered(self) -> None:
        s = self.s
        if s.entries_count >= s.entries_most:
            s.put(old_entries, entries.array(s))
            s.put(entries, Entry.zeros(2 * s.size_of(entries)))
            move_entries(s, s.size_of(old_entries))
            s.put(old_entries, Entry.zeros(1))
        s.entries_most = s.size_of(entries) // 2
        if s.limiters_count + self.counters > s.size_of(limiters):
            s.put(limiters, longer(s.take(limiters)))
            s.put(ring_of, longer(s.take(ring_of)))
        while s.stamps_count + self.stamps > s.size_of(limiter_rings):
            s.put(limiter_rings, longer(s.take(limiter_rings)))
        if s.library_count + self.counters > s.size_of(library_counters):
            s.put(library_counters, longer(s.take(library_counters)))
        if s.clocked_count + self.counters > s.size_of(clocked_counters):
            s.put(clocked_counters, longer(s.take(clocked_counters)))
        if s.waiting_count + self.counters > s.size_of(waiting_counters):
            s.put(waiting_counters, longer(s.take(waiting_counters)))
        s.library_most = s.size_of(library_counters) - self.counters
        s.clocked_most = s.size_of(clocked_counters) - self.counters
        s.waiting_most = s.size_of(waiting_counters) - self.counters
        s.limiters_most = s.size_of(limiters) - self.counters
        s.stamps_most = s.size_of(limiter_rings) - self.stamps

    # -- events --------------------------------------------------------------------------------------------------------

    def _for_events(self) -> None:
        """What is bounded by the sizes of other things."""
        s = self.s
        pending: tuple[AnyTable, ...] = (
            tasks, tasks, messages, deliveries, timer_lanes, workloads,
            letters, queue_deliveries, queue_timers, shipments, channels, channels, channels, channels,
            produce_requests, produce_requests, producer_wakes, producer_settings, producer_settings, claims,
        )  # fmt: skip
        # Every task, timer lane, message and delivery has at most one event pending; cores that drop jobs one after the
        # other push one for each.
        told = s.size_of(timers) if s.tells or self.differ else 0  # each may have an event of its own
        told += s.size_of(publications) * self.largest_route  # until each of its queues has it
        most = told + sum(map(s.size_of, pending)) + s.cpu_events_most + len(self.orders) + PLANNED
        if most > s.size_of(heap):
            s.put(heap, resized(heap.array(s)[: s.heap_size], most * 5 // 4))
        of_producers = 2 * s.size_of(produce_requests) + s.size_of(producer_wakes)
        size = _power_of_two(s.size_of(tasks) + s.size_of(queue_deliveries) + of_producers + 1)
        if size > s.size_of(fixed_delay_queue):
            s.put(fixed_delay_queue, _unrolled(fixed_delay_queue.array(s), s.fixed_first, s.fixed_size, size))
            s.fixed_first, s.fixed_mask = 0, size - 1
        size = _power_of_two(s.size_of(tasks) + s.size_of(requests) + 2)
        if size > s.size_of(ready):
            s.put(ready, _unrolled(ready.array(s), s.ready_first, s.ready_size, size))
            s.ready_first, s.ready_mask = 0, size - 1

    def new_wheel(self, buckets: int, buckets_per_second: float) -> None:
        """An empty wheel."""
        s = self.s
        s.buckets_per_second, s.reach = buckets_per_second, float(buckets - 2)
        s.wheel_mask, s.wheel_words = buckets - 1, buckets // WORD - 1
        s.put(wheel, np.full(buckets, NOBODY))
        s.put(used, np.zeros(buckets // WORD, np.int64))
        events = Event.zeros(buckets // 2)
        events["next"][:-1] = np.arange(1, events.size)  # all are free
        s.put(near_events, events)
        s.near_free = 0

    # -- records -------------------------------------------------------------------------------------------------------

    def _for_records(self) -> None:
        s = self.s
        self._for_appended(request_records, RECORDS, s.size_of(requests))
        self._for_appended(message_records, RECORDS, s.size_of(deliveries) + s.size_of(letters))
        # with each message that comes or ends a disk may be full, or not any more
        self._for_appended(event_records, EVENTS, PLANNED + s.size_of(tasks) + 2 * s.size_of(letters))
        if not s.spans:
            return
        exemplars = self.keeps_exemplars
        self._for_appended(span_records, RECORDS, s.size_of(span_notes if exemplars else tasks))
        self._for_appended(stage_records, RECORDS, s.size_of(stage_notes) if exemplars else self._most_stages())
        if exemplars:
            self._for_appended(candidate_records, CANDIDATES, s.size_of(requests))

    def _for_appended(self, table: AnyTable, most: int, at_once: int) -> None:
        """They are handed over when there are `most`; one operation writes so many at most."""
        if self.s.size_of(table) < most + at_once:
            old = table.array(self.s)[: table.count(self.s).count]
            self.s.put(table, resized(old, most + at_once))
        count = table.count(self.s)
        count.most, count.size = most, self.s.size_of(table)

    def _most_stages(self) -> int:
        """How many one operation writes at most.

        Of a batch that is committed one for each delivery, of what becomes readable three.
        """
        of_queues = 4 * self.s.size_of(letters)
        return STAGES_OF_ONE + 3 * self.s.size_of(deliveries) + self.s.size_of(messages) + of_queues


def longer(array: NDArray[Any]) -> NDArray[Any]:
    """Twice as long, or by a quarter where twice would be much.

    Nobody else may have a view of the array. Where nobody has, and the system can lengthen its memory without copying
    it, it is not copied: the rows of a million users take hundreds of megabytes.
    """
    size = array.shape[0] + (array.shape[0] if array.shape[0] < LARGE else array.shape[0] // 4)
    if array.base is None or array.base.dtype != np.uint8:
        return resized(array, size)
    shape, dtype, room = (size, *array.shape[1:]), array.dtype, array.base
    begin, used = array.ctypes.data - room.ctypes.data, array.nbytes
    del array
    with suppress(ValueError):  # somebody looks at it
        room.resize(CACHE_LINE + math.prod(shape) * dtype.itemsize)
        found = aligned(room, shape, dtype)
        if found.ctypes.data - room.ctypes.data == begin:
            return found
    return resized(room[begin : begin + used].view(dtype).reshape(-1, *shape[1:]), size)


def resized(array: NDArray[Any], size: int) -> NDArray[Any]:
    """A copy with zeros behind it; what is not used yet takes no memory."""
    grown = aligned_zeros((size, *array.shape[1:]), array.dtype)
    # records are slow to copy field by field; between two pieces an interruption is heard
    old, new = (whole.reshape(-1).view(np.uint8) for whole in (array, grown))
    for first in range(0, array.nbytes, PIECE):
        last = min(first + PIECE, array.nbytes)
        new[first:last] = old[first:last]
    return grown


def _unrolled(ring: NDArray[Any], first: int, count: int, size: int) -> NDArray[Any]:
    """A larger ring with the same in it, from its beginning."""
    return resized(ring[(first + np.arange(count)) & (ring.size - 1)], size)


def _power_of_two(size: int) -> int:
    return 1 << math.ceil(math.log2(size))
