"""The bulkhead: at most so many attempts at once; others wait in line, if the policy says so, or are turned away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.chance.chain import link_chain
from sim.chance.keyed import uniform
from sim.compiled.apart import by_address
from sim.compiled.base import handler
from sim.compiled.calendar import arm, make_ready
from sim.compiled.codes import BULKHEAD_FULL
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.draw_rows import row_of
from sim.compiled.flows.layer import Layer, Values, Watched, failed, its_guard, thawed
from sim.compiled.guards import places_over_time
from sim.compiled.lists import add_last, unlink
from sim.compiled.rows import calls as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws
from sim.compiled.rows.running import entered, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.compiled.spans import BULKHEAD, keep_stage
from sim.compiled.tasks import IN_BULKHEAD, NOWHERE
from sim.models.guards import distinct
from sim.models.layers.bulkhead import BulkheadMemory
from sim.policies import bulkhead, concurrency
from sim.policies.bulkhead import BulkheadRow
from sim.policies.concurrency_row import ENVOY, ConcurrencyRow
from sim.policies.gradient_controller import BINS

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Task
    from sim.compiled.flows.layer import Inner
    from sim.compiled.machine import Machine
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.guards import GuardTables
    from sim.models.call import Call as ModelCall
    from sim.models.guards import Guard as ModelGuard
    from sim.models.guards import Guards as ModelGuards

leave_places, one_more, room_for = bulkhead.leave.compiled, bulkhead.add_thread.compiled, bulkhead.has_room.compiled
limit_of, hear = concurrency.limit_of.compiled, concurrency.hear.compiled


@flow
def in_bulkhead(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
    """Get a place, make the attempt, and give the place back."""
    if call.bulkhead:
        guard = its_guard(s, call, own)
        own.callee = None
        if call.adaptive:
            look_at_limit(s, guard)
        if guard.line.first is None and bulkhead.enter(guard.bulkhead):
            own.guard = guard
            guard.taken_area -= s.now
            guard.passed += 1
            if call.adaptive:
                note_entry(s, own, guard)
        elif guard.bulkhead.line >= 0 and add_thread(s, guard):
            own.guard = guard
            guard.taken_area -= s.now
            guard.passed += 1
        elif call.bulkhead_lane is None and (guard.bulkhead.line < 0 or not has_room(s, guard)):
            guard.turned_away += 1
            failed(s, own, call)
            return BULKHEAD_FULL
        else:
            if s.spans:
                keep_stage(s, own, BULKHEAD, call.target.where, 0.0, -1)
            wait_at_bulkhead(s, guard, own)
            if call.bulkhead_lane is not None:
                arm(s, call.bulkhead_lane, own)
            yield
            yield from thawed(s, own, call)
            if own.guard is None:
                return own.outcome
    outcome = yield from inner(s, own, call)
    if own.guard is not None:
        if call.adaptive:
            hear_end(s, own, call, outcome)
        leave_bulkhead(s, own)
    return outcome


@flow
def waited_too_long(s: State, own: Task, call: Call) -> None:
    """The longest wait is over; a task that got its place in time holds the guard."""
    if own.guard is None:
        guard = its_guard(s, call, own)
        guard.turned_away += 1
        leave_line(s, own)
        own.ticket += 1
        own.outcome = BULKHEAD_FULL
        failed(s, own, call)
        make_ready(s, own)


@flow
def place_is_free(s: State, own: Task, call: Call) -> None:
    """Its place is free for the next, or its place in the line."""
    if own.waits == IN_BULKHEAD:
        leave_line(s, own)
    if own.guard is not None:
        leave_bulkhead(s, own)


# -- a pool of threads -------------------------------------------------------------------------------------------------


@by_address
@handler
def add_thread(s: State, guard: int) -> bool:
    """One more where its queue is full."""
    return bool(one_more(rows.bulkheads(s)[rows.guards(s)[guard].bulkhead], waiting_at(s, guard)) == 1)


@by_address
@handler
def has_room(s: State, guard: int) -> bool:
    """Whether one more may wait in its queue."""
    return bool(room_for(rows.bulkheads(s)[rows.guards(s)[guard].bulkhead], waiting_at(s, guard)))


@handler
def waiting_at(s: State, guard: int) -> int:
    """How many wait."""
    found = 0
    task = rows.guards(s)[guard].line.first
    while task >= 0:
        found += 1
        task = tasks(s)[task].next
    return found


# -- the line ----------------------------------------------------------------------------------------------------------


@by_address
@handler
def wait_at_bulkhead(s: State, guard: int, task: int) -> None:
    """Stand in line for a place."""
    own = tasks(s)[task]
    own.waits = IN_BULKHEAD
    own.line = guard
    add_last(tasks(s), rows.guards(s)[guard].line, task)


@handler
def leave_line(s: State, task: int) -> None:
    """Stand in it no longer."""
    own = tasks(s)[task]
    own.waits = NOWHERE
    unlink(tasks(s), rows.guards(s)[own.line].line, task)


@by_address
@handler
def leave_bulkhead(s: State, task: int) -> None:
    """Give the task's place to the first who waits for it, or back."""
    own = tasks(s)[task]
    guard = own.guard
    own.guard = NOBODY
    row = rows.guards(s)[guard]
    heir = row.line.first
    if heir >= 0:
        leave_line(s, heir)
        tasks(s)[heir].guard = guard
        row.passed += 1
        make_ready(s, heir)
        return
    leave_places(rows.bulkheads(s)[row.bulkhead])
    row.taken_area += s.now


# -- a limit that adapts -----------------------------------------------------------------------------------------------


@handler
def look_at_limit(s: State, guard: int) -> None:
    """What time has made of it."""
    row = rows.guards(s)[guard]
    ring = rows_from(rows.rings(s), row.concurrency_ring)
    set_limit(s, guard, limit_of(rows.concurrency_limits(s)[row.concurrency], ring, s.now))


@handler
def note_entry(s: State, task: int, guard: int) -> None:
    """The task has a place from now on."""
    entry = entered(s)[task]
    entry.began, entry.inside = s.now, rows.bulkheads(s)[rows.guards(s)[guard].bulkhead].inside


@handler
def hear_end(s: State, task: int, call: int, outcome: int) -> None:
    """An attempt that has a place has ended so: the limit may be another one from now on."""
    own, row = tasks(s)[task], rows.calls(s)[call]
    chain = link_chain(own.chain, row.salt, own.tries)
    luck = uniform(draws(s)[row.luck].key, requests(s)[own.request].id, chain)
    guard, entry = rows.guards(s)[own.guard], entered(s)[task]
    limit, ring = rows.concurrency_limits(s)[guard.concurrency], rows_from(rows.rings(s), guard.concurrency_ring)
    hear(limit, ring, s.now, entry.began, entry.inside, outcome, luck)
    set_limit(s, own.guard, limit_of(limit, ring, s.now))


@handler
def set_limit(s: State, guard: int, limit: int) -> None:
    """There are so many places from now on."""
    row = rows.guards(s)[guard]
    places = rows.bulkheads(s)[row.bulkhead]
    row.places_area += (places.limit - limit) * s.now
    places.limit = limit


# -- what is watched ---------------------------------------------------------------------------------------------------


@handler
def places_taken(s: State, first: int, count: int) -> float:
    """Integral of the places taken."""
    total = 0.0
    for place in range(first, first + count):
        guard = rows.guards(s)[rows.guard_of(s)[place]]
        total += guard.taken_area + rows.bulkheads(s)[guard.bulkhead].inside * s.now
    return total


@handler
def places(s: State, first: int, count: int) -> float:
    """Integral of the places there are."""
    if rows.guards(s)[rows.guard_of(s)[first]].concurrency >= 0:
        return places_that_adapt(s, first, count)
    row = rows.bulkheads(s)[rows.guards(s)[rows.guard_of(s)[first]].bulkhead]
    return places_over_time(s, first, count, row.limit + row.extra)


@handler
def places_that_adapt(s: State, first: int, count: int) -> float:
    """The same where an algorithm sets them."""
    total = 0.0
    for place in range(first, first + count):
        guard = rows.guards(s)[rows.guard_of(s)[place]]
        total += guard.places_area + rows.bulkheads(s)[guard.bulkhead].limit * s.now
    return total


@handler
def in_line(s: State, first: int, count: int) -> float:
    """How many wait for a place."""
    total = 0.0
    for place in range(first, first + count):
        task = rows.guards(s)[rows.guard_of(s)[place]].line.first
        while task >= 0:
            total += 1.0
            task = tasks(s)[task].next
    return total


class Bulkhead(Layer):
    """An attempt holds a place from before it is sent until it is over."""

    name = "bulkhead"
    flow = in_bulkhead
    killed = place_is_free
    expired = waited_too_long
    tables = ((rows.bulkheads, BulkheadRow), (rows.concurrency_limits, ConcurrencyRow))
    series = {  # noqa: RUF012 - as it stands in its base
        "places_taken": places_taken,
        "places": places,
        "in_line": in_line,
        "passed": "passed",
        "turned_away": "turned_away",
    }

    @staticmethod
    def of_call(call: ModelCall, tables: CallTables, place: int) -> Values:
        """Whether there is one, and how long one waits for a place of it."""
        its = call.policy.bulkhead
        longest = its.max_wait if its is not None and its.max_wait > 0 else None
        values = {"bulkhead": its is not None, "bulkhead_lane": tables.lane(Bulkhead, longest, place), "luck": NOBODY}
        if its is not None and its.algorithm:
            luck = row_of(tables.places.world.uniform(f"{call.site}.concurrency"))
            values |= {"adaptive": True, "luck": luck}
        return values

    @staticmethod
    def of_guard(guard: ModelGuard, tables: GuardTables) -> Values:
        """Its places."""
        memory = guard.find(BulkheadMemory)
        if memory is None:
            return {"bulkhead": NOBODY, "concurrency": NOBODY}
        values = {"bulkhead": tables.policy(rows.bulkheads, memory.row), "concurrency": NOBODY}
        if memory.adaptive is not None:
            values["concurrency"] = tables.policy(rows.concurrency_limits, memory.adaptive)
            values["concurrency_ring"] = tables.ring(memory.ring)
        return values

    @staticmethod
    def watched(call: ModelCall, guards: ModelGuards) -> Iterator[Watched]:
        """Its places, in all replicas of the caller together, and who stands in line for one."""
        if call.policy.bulkhead is not None:
            for quantity in Bulkhead.series:
                yield Watched(call.bulkhead_name, quantity, len(distinct(guards)))

    @staticmethod
    def forgotten(machine: Machine, guard: rows.Guard, _name: str, _about: str) -> None:
        """Its places are free."""
        guard.line.first = guard.line.last = NOBODY
        if guard.bulkhead < 0:
            return
        places = rows.bulkheads.array(machine.s)
        before = places[guard.bulkhead]["limit"]
        machine.renew(rows.bulkheads, guard.bulkhead)
        if guard.concurrency >= 0:
            guard.places_area += (before - places[guard.bulkhead]["limit"]) * machine.s.now
            bins = BINS if rows.concurrency_limits.array(machine.s)[guard.concurrency]["kind"] == ENVOY else 1
            rows.rings.array(machine.s)[guard.concurrency_ring : guard.concurrency_ring + bins] = 0.0
            machine.renew(rows.concurrency_limits, guard.concurrency)
