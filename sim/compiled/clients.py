"""Traffic: `models/workload.py` once more."""

from __future__ import annotations

import math

from sim.chance.arrivals import fill_arrivals
from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.chance.keyed import uniform
from sim.chance.people import person_of
from sim.chance.popularity import rank
from sim.chance.table import draw
from sim.compiled.apart import by_address
from sim.compiled.base import CHUNK, NO, YES, ZERO, handler, inlined, whole
from sim.compiled.calendar import ARRIVAL, ORDINARY, make_ready, put_lone_timer, schedule
from sim.compiled.codes import TIMEOUT, UNREACHABLE
from sim.compiled.deadlines import forget_deadline
from sim.compiled.ending import stop
from sim.compiled.gateway import asks_for_others
from sim.compiled.limits import meets
from sim.compiled.network import ROUTE, choose
from sim.compiled.rows.calls import hops, targets
from sim.compiled.rows.declaring import ITS_REQUEST, NOBODY
from sim.compiled.rows.hosts import draws, numbers
from sim.compiled.rows.programs import think_ops
from sim.compiled.rows.running import flows, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.compiled.rows.traffic import (
    buffers,
    doors,
    narrower_routes,
    pieces,
    populations,
    recordings,
    shares,
    sources,
    thresholds,
    workloads,
)
from sim.compiled.spans import keep_sent
from sim.compiled.tasks import ARRIVE, GO_ON, abandon, answered, new_request, new_task
from sim.policies import retry_after
from sim.spec.visit import MOST_REQUESTS

heard_by_client = retry_after.heard_by_client.compiled


@compiled
def first_arrival(s: State, workload: int) -> None:
    """Make the first arrivals of an open source; the calendar has the event of the first."""
    row = workloads(s)[workload]
    row.buffered = fill_arrivals(
        sources(s), pieces(s), recordings(s), row.source, rows_from(buffers(s), workload * CHUNK), CHUNK
    )
    row.taken = 1
    row.due = buffers(s)[workload * CHUNK]


@compiled
def begin_users(s: State, workload: int, user: int, users: int) -> int:
    """Make users ready, this one and those after it, while there is room for them; how many there are then."""
    row = workloads(s)[workload]
    while user < users and not s.must_grow:
        task = new_task(s, NOBODY, 0, 0, NOBODY, row.caller)
        own = tasks(s)[task]
        own.on_wake = GO_ON
        own.pc = row.pc
        own.user = user
        own.paced = -math.inf
        if s.spans:
            flows(s)[task].number = -1  # each becomes a flow with each request
        make_ready(s, task)
        user += 1
    return user


@inlined
def next_arrival(s: State, workload: int) -> None:
    """Schedule the next arrival of an open source, if there is one."""
    row = workloads(s)[workload]
    if row.taken == row.buffered:
        row.buffered = fill_arrivals(
            sources(s), pieces(s), recordings(s), row.source, rows_from(buffers(s), workload * CHUNK), CHUNK
        )
        row.taken = 0
        if row.buffered == 0:
            return
    row.due = buffers(s)[workload * CHUNK + row.taken]
    row.taken += 1
    schedule(s, ORDINARY, row.due - s.now, ARRIVAL, workload)


@handler
def arrival(s: State, workload: int) -> int:
    """A request of an open source arrives. The task to be woken, an attempt that is at its door; -1: there is none."""
    row = workloads(s)[workload]
    request = make_request(s, workload, row.arrived, row.due)
    next_arrival(s, workload)
    if row.patient:
        task = new_task(s, request, ZERO, ZERO, NOBODY, row.caller)
        tasks(s)[task].on_wake = GO_ON
        tasks(s)[task].pc = row.pc
        make_ready(s, task)
        return -1
    request_row = requests(s)[request]
    target = doors(s)[request_row.door].target
    replica = choose(s, target, row.caller, request, ZERO)
    if replica < 0:
        request_row.outcome = UNREACHABLE
        request_row.where = targets(s)[target].where
        answered(s, request)
        return -1
    child = attempt(s, request, ITS_REQUEST, replica, ZERO)
    if child >= 0:
        tasks(s)[child].held = 1
    return child


@handler
def begin_request(s: State, workload: int, number: int, time: float) -> int:
    """The same, for those who are not on every request's way."""
    return make_request(s, workload, number, time)


@inlined
def make_request(s: State, workload: int, number: int, time: float) -> int:
    """A logical request: what is asked for, by whom, about what."""
    row = workloads(s)[workload]
    request = new_request(s)
    made = requests(s)[request]
    entity = row.base | number
    made.id = entity
    made.arrival = time
    made.source = row.name
    door = row.first_door
    if row.route_rows >= 0:
        door += int(recordings(s)[row.route_rows + number])
    elif row.doors > 1:
        luck = uniform(draws(s)[row.mix].key, entity, ZERO)
        index = 0
        while index < row.doors - 1 and luck >= thresholds(s)[door + index]:
            index += 1
        door += index
    made.door = door
    made.route = doors(s)[door].route
    made.needs = doors(s)[door].needs
    if row.user_rows >= 0:
        made.user = int(recordings(s)[row.user_rows + number])
    elif row.users >= 0:
        made.user = who(s, row.users, entity)
    if row.items >= 0:
        made.item = who(s, row.items, entity)
    if doors(s)[door].narrowers > 0 and row.visiting < 0:
        tell_apart(s, request)
    row.arrived += 1
    return request


@by_address
@handler
def tell_apart(s: State, request: int) -> None:
    """The first narrower route behind the door that asks for what the request carries; else that of the door."""
    made = requests(s)[request]
    sent = doors(s)[made.door]
    for place in range(sent.narrower, sent.narrower + sent.narrowers):
        route = narrower_routes(s)[place]
        good = YES
        for condition in range(route.first, route.first + route.count):
            if not meets(s, condition, request):
                good = NO
                break
        if good:
            made.door = route.door
            made.route = doors(s)[route.door].route
            made.needs = doors(s)[route.door].needs
            return


@handler
def who(s: State, population: int, entity: int) -> int:
    """The number of the user or item that falls to this entity: its rank, behind those of the populations before."""
    row = populations(s)[population]
    return row.number + rank(
        uniform(row.key, entity, ZERO), row.count, row.exponent, row.step, rows_from(shares(s), row.first), row.size
    )


@inlined
def attempt(s: State, request: int, caller: int, replica: int, tries: int) -> int:
    """One attempt at the door; -1: a black hole has swallowed it."""
    row = requests(s)[request]
    door = doors(s)[row.door]
    if hops(s)[door.hop].fixed < 0.0:
        return -1
    child = new_task(s, request, link_chain(0, ZERO, tries), ZERO, caller, replica)
    made = tasks(s)[child]
    made.mark = door.mark
    made.back = door.hop
    made.on_wake = ARRIVE
    made.entry = targets(s)[door.target].entry
    row.alive += 1
    return child


@inlined
def send_attempt(s: State, task: int) -> None:
    """Send the next attempt to the replica at the door that was chosen for it."""
    own = tasks(s)[task]
    child = attempt(s, own.request, task, own.callee, own.tries)
    if child >= 0:
        own.child = child
        make_ready(s, child)
    if s.spans:
        keep_sent(s, task, child, targets(s)[doors(s)[requests(s)[own.request].door].target].where, own.tries)


@handler
def told_to_client(s: State, request: int, outcome: int) -> float:
    """For how long an answer asks to wait, s."""
    row = requests(s)[request]
    return float(heard_by_client(outcome, row.told_by, row.retry_after))


OF_A_VISIT = whole(MOST_REQUESTS)


@by_address
@handler
def bear(s: State, task: int, workload: int) -> float:
    """Wait for an answer as long as whoever asks is made to; until when that is, s.

    A person is a user, or somebody with a visit, or one of those who stay; else each request is somebody's.
    """
    own, row = tasks(s)[task], workloads(s)[workload]
    asked = requests(s)[own.request]
    person = asked.user
    if person < 0:
        person = person_of(asked.id, OF_A_VISIT if row.visiting >= 0 else ZERO, row.staying)
    until = s.now + min(row.bears, draw(draws(s), numbers(s), row.own_patience, person, ZERO))
    put_lone_timer(s, task, own.ticket, until, workload)
    return until


@handler
def client_timed_out(s: State, task: int, workload: int) -> None:
    """The client's patience is over: a gateway stops, a service does not know, and goes on."""
    own = tasks(s)[task]
    if own.child >= 0:
        child = own.child
        tasks(s)[child].caller = NOBODY
        target = targets(s)[doors(s)[requests(s)[own.request].door].target]
        tells = workloads(s)[workload].tells
        if tells:
            forget_deadline(s, child)
        if target.kind == ROUTE and asks_for_others(s, child):
            abandon(s, child)
        elif target.kind == ROUTE or tells:
            stop(s, child, target.host, tells, TIMEOUT)
        else:
            abandon(s, child)
        own.child = -1
    own.ticket += 1
    own.outcome = TIMEOUT
    own.where = workloads(s)[workload].name
    make_ready(s, task)


@handler
def thinking_time(s: State, task: int, op: int) -> float:
    """How long a user of a closed population thinks before his next request, or waits so as to keep his pace, s."""
    row = think_ops(s)[op]
    own = tasks(s)[task]
    pause = draw(draws(s), numbers(s), row.draw, workloads(s)[row.workload].base | own.user, ZERO)
    if row.pacing > 0.0:
        pause = max(pause, own.paced + row.pacing - s.now)
        own.paced = s.now + pause
    return pause
