"""The connection pool: an attempt has a connection to itself; others wait for one, or open one, or are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.chance.chain import link_chain
from sim.chance.table import draw
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, YES, handler
from sim.compiled.calendar import arm, hold, make_ready
from sim.compiled.codes import BULKHEAD_FULL
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.draw_rows import row_of
from sim.compiled.flows.layer import IN_POOL_LINE, OPENING, Layer, Values, Watched, failed, thawed
from sim.compiled.guards import guard_for, places_over_time
from sim.compiled.lists import add_last, unlink
from sim.compiled.rows import calls as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws, numbers
from sim.compiled.rows.running import connections, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.compiled.spans import BULKHEAD, OTHER, keep_stage
from sim.compiled.tasks import OPENED, new_task
from sim.models.guards import distinct
from sim.models.layers.pool import PoolMemory
from sim.policies import connections as policy
from sim.policies.connections import NEW, PoolRow

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Task
    from sim.compiled.flows.layer import Inner
    from sim.compiled.machine import Machine
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.guards import GuardTables
    from sim.models.call import Call as ModelCall
    from sim.models.guards import Guard as ModelGuard
    from sim.models.guards import Guards as ModelGuards

take, put_back, is_whole_after = policy.take.compiled, policy.put_back.compiled, policy.is_whole_after.compiled


@flow
def by_connection(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
    """Get a connection, make the attempt, and give it back or close it."""
    if call.pools:
        if not take_connection(s, own, call):
            if not join_line(s, own, call):
                failed(s, own, call)
                return BULKHEAD_FULL
            yield IN_POOL_LINE
            yield from thawed(s, own, call)
            if not has_connection(s, own, call):
                return own.outcome
        if call.connect >= 0 and must_open(s, own):
            open_connection(s, own, call)
            yield OPENING
            yield from thawed(s, own, call)
            if not has_opened(s, own, call):
                return own.outcome
    outcome = yield from inner(s, own, call)
    if call.pools:
        end_use(s, own, call, outcome)
        own.ticket += 1  # the timer of its wait is stale
    return outcome


@flow
def in_line_too_long(s: State, own: Task, call: Call) -> None:
    """`acquire_timeout` is over; who got a connection in time has the same ticket, and has it."""
    if still_in_line(s, own):
        let_go(s, own, call)
        note_refused(s, own, call)
        own.ticket += 1
        own.outcome = BULKHEAD_FULL
        failed(s, own, call)
        make_ready(s, own)


@flow
def its_connection_is_free(s: State, own: Task, call: Call) -> None:
    """A connection under way is closed; one that it has been given meanwhile is for the next."""
    if call.pools:
        drop_connection(s, own, call)


# -- connections -------------------------------------------------------------------------------------------------------


@by_address
@handler
def take_connection(s: State, task: int, call: int) -> bool:
    """An idle one, or one that must be opened; False: there is none to be had."""
    guard, own = rows.guards(s)[guard_for(s, call, task)], connections(s)[task]
    found = take(rows.pools(s)[guard.pool], rows_from(rows.rings(s), guard.pool_ring), s.now)
    own.must_open = found == NEW
    own.holds = found > 0
    if not own.holds:
        return False
    guard.pool_area -= s.now
    guard.opened += own.must_open
    return True


@handler
def give_back(s: State, task: int, call: int, whole: bool) -> None:
    """To the first who waits, as it is or to be opened anew; else it is idle, or closed."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    connections(s)[task].holds = False
    heir = guard.pool_line.first
    if heir >= 0:
        unlink(tasks(s), guard.pool_line, heir)
        guard.pool_waiting -= 1
        connections(s)[heir].holds = True
        connections(s)[heir].must_open = not whole
        guard.opened += not whole
        make_ready(s, heir)
        return
    put_back(rows.pools(s)[guard.pool], rows_from(rows.rings(s), guard.pool_ring), s.now, whole)
    guard.pool_area += s.now


@by_address
@handler
def end_use(s: State, task: int, call: int, outcome: int) -> None:
    """An attempt has ended so."""
    give_back(s, task, call, is_whole_after(outcome))


@handler
def drop_connection(s: State, task: int, call: int) -> None:
    """Its task is killed."""
    own = connections(s)[task]
    let_go(s, task, call)
    if own.holds:
        give_back(s, task, call, tasks(s)[task].phase == IN_POOL_LINE and not own.must_open)


@handler
def must_open(s: State, task: int) -> bool:
    """Whether the connection of the task is a new one."""
    return bool(connections(s)[task].must_open)


# -- the line ----------------------------------------------------------------------------------------------------------


@by_address
@handler
def join_line(s: State, task: int, call: int) -> bool:
    """Stand in line for a connection; False: nobody may."""
    row, guard = rows.calls(s)[call], rows.guards(s)[guard_for(s, call, task)]
    if row.pool_lane < 0 or 0 <= row.max_pending <= guard.pool_waiting:
        guard.pool_turned_away += 1
        return False
    connections(s)[task].ticket = tasks(s)[task].ticket
    add_last(tasks(s), guard.pool_line, task)
    guard.pool_waiting += 1
    if s.spans:
        keep_stage(s, task, BULKHEAD, rows.targets(s)[row.target].where, 0.0, NONE)
    arm(s, row.pool_lane, task)
    return True


@handler
def still_in_line(s: State, task: int) -> bool:
    """Whether the task stands in line for a connection."""
    own = tasks(s)[task]
    return bool(own.phase == IN_POOL_LINE and not connections(s)[task].holds and has_its_ticket(s, task))


@handler
def has_its_ticket(s: State, task: int) -> bool:
    """Whether what the task waits for has neither been given up nor refused meanwhile."""
    return bool(connections(s)[task].ticket == tasks(s)[task].ticket)


@by_address
@handler
def has_connection(s: State, task: int, call: int) -> bool:
    """Whether it has one behind the wait; one that came too late, in a freeze, goes to the next."""
    if has_its_ticket(s, task):
        return True
    if connections(s)[task].holds:
        give_back(s, task, call, not connections(s)[task].must_open)
    return False


@by_address
@handler
def let_go(s: State, task: int, call: int) -> None:
    """Stand in line no longer; nobody hears of a connection that is being opened."""
    if still_in_line(s, task):
        guard = rows.guards(s)[guard_for(s, call, task)]
        unlink(tasks(s), guard.pool_line, task)
        guard.pool_waiting -= 1
    elif tasks(s)[task].phase == OPENING and connections(s)[task].opener >= 0:
        tasks(s)[connections(s)[task].opener].caller = NOBODY
        connections(s)[task].opener = NOBODY


@handler
def note_refused(s: State, task: int, call: int) -> None:
    """Nobody waits any longer."""
    rows.guards(s)[guard_for(s, call, task)].pool_turned_away += 1


# -- opening -----------------------------------------------------------------------------------------------------------


@by_address
@handler
def open_connection(s: State, task: int, call: int) -> None:
    """Another task comes back when it is open: this one may be given up before."""
    own, row = tasks(s)[task], rows.calls(s)[call]
    chain = link_chain(own.chain, row.salt, own.tries)
    seconds = draw(draws(s), numbers(s), row.connect, requests(s)[own.request].id, chain)
    if s.spans:
        keep_stage(s, task, OTHER, rows.targets(s)[row.target].where, 0.0, NONE)
    opener = new_task(s, own.request, own.chain, own.path, task, own.replica)
    tasks(s)[opener].on_wake = OPENED
    connections(s)[task].opener = opener
    connections(s)[task].ticket = tasks(s)[task].ticket
    hold(s, opener, seconds)


@handler
def has_opened(s: State, task: int, call: int) -> bool:
    """Whether its connection is open; one of an attempt that was given up is there by and by, for the next."""
    if has_its_ticket(s, task):
        return True
    give_back(s, task, call, YES)
    return False


# -- what is watched ---------------------------------------------------------------------------------------------------


@handler
def connections_taken(s: State, first: int, count: int) -> float:
    """Integral of the busy ones."""
    total = 0.0
    for place in range(first, first + count):
        guard = rows.guards(s)[rows.guard_of(s)[place]]
        total += guard.pool_area + rows.pools(s)[guard.pool].busy * s.now
    return total


@handler
def connections_there(s: State, first: int, count: int) -> float:
    """Integral of how many there may be."""
    each = rows.pools(s)[rows.guards(s)[rows.guard_of(s)[first]].pool].size
    return places_over_time(s, first, count, each)


class Pool(Layer):
    """An attempt holds a connection from before it is sent until it is over."""

    name = "pool"
    flow = by_connection
    killed = its_connection_is_free
    expired = in_line_too_long
    tables = ((rows.pools, PoolRow),)
    series = {  # noqa: RUF012 - as it stands in its base
        "places_taken": connections_taken,
        "places": connections_there,
        "in_line": "pool_waiting",
        "opened": "opened",
        "turned_away": "pool_turned_away",
    }

    @staticmethod
    def of_call(call: ModelCall, tables: CallTables, place: int) -> Values:
        """Whether there is one, who may wait for how long, and what opening one takes."""
        its = call.policy.pool
        if its is None:
            return {"connect": NOBODY, "pool_lane": NOBODY}
        connect = tables.places.world.sampler(its.connect, f"{call.site}.connect") if its.connect is not None else None
        return {
            "pools": True,
            "pool_lane": tables.lane(Pool, its.acquire_timeout or None, place),
            "max_pending": its.max_pending,
            "connect": NOBODY if connect is None else row_of(connect),
        }

    @staticmethod
    def of_guard(guard: ModelGuard, tables: GuardTables) -> Values:
        """Its connections."""
        memory = guard.find(PoolMemory)
        if memory is None:
            return {}
        return {"pool": tables.policy(rows.pools, memory.row), "pool_ring": tables.ring(memory.ring)}

    @staticmethod
    def watched(call: ModelCall, guards: ModelGuards) -> Iterator[Watched]:
        """Its connections, in all replicas of the caller together, and who stands in line for one."""
        if call.policy.pool is not None:
            for quantity in Pool.series:
                yield Watched(call.pool_name, quantity, len(distinct(guards)))

    @staticmethod
    def forgotten(machine: Machine, guard: rows.Guard, _name: str, _about: str) -> None:
        """No connection is there."""
        if guard.pool >= 0:
            guard.pool_line.first = guard.pool_line.last = NOBODY
            guard.pool_waiting = 0
            machine.renew(rows.pools, guard.pool)
            rows.pools(machine.s)[guard.pool].idle = 0
