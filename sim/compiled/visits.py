"""People with several requests, and the virtual users of a load generator, as `models/workload.py` has them."""

from __future__ import annotations

from sim.chance.keyed import uniform
from sim.chance.table import draw
from sim.compiled.answers import NEXT
from sim.compiled.apart import by_address
from sim.compiled.base import ZERO, handler, whole
from sim.compiled.calendar import make_ready
from sim.compiled.clients import begin_request, next_arrival, tell_apart
from sim.compiled.codes import DEGRADED, OK, REFUSED
from sim.compiled.counting import times
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws, numbers
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.traffic import (
    doors,
    give_back_visit,
    journeys,
    take_visit,
    virtual_users,
    visiting_rules,
    visits,
    workloads,
)
from sim.compiled.tasks import GO_ON, new_task
from sim.spec.visit import MOST_REQUESTS

MOST = whole(MOST_REQUESTS)


@by_address
@handler
def arrival_apart(s: State, workload: int) -> None:
    """Somebody comes who has several requests, or needs a virtual user: with none free it is dropped."""
    row = workloads(s)[workload]
    dropped = 0
    if row.virtual >= 0:
        dropped = virtual_users(s)[row.virtual].dropped
        if not take_virtual_user(s, row.virtual):
            next_arrival(s, workload)
            return
    if row.visiting >= 0:
        visitor(s, workload, dropped)
        return
    request = begin_request(s, workload, row.arrived + dropped, row.due)
    next_arrival(s, workload)
    go(s, workload, new_task(s, request, ZERO, ZERO, NOBODY, row.caller))


@handler
def take_virtual_user(s: State, virtual: int) -> bool:
    """Whether one is free for this arrival, which has it then; else one more is there from now on, if there may be."""
    row = virtual_users(s)[virtual]
    if row.busy < row.there:
        row.busy += 1
        return True
    row.dropped += 1
    if row.there < row.most:
        row.there += 1
    return False


@handler
def iteration_over(s: State, workload: int) -> int:
    """Its virtual user is free again."""
    virtual_users(s)[workloads(s)[workload].virtual].busy -= 1
    return NEXT


@handler
def go(s: State, workload: int, task: int) -> None:
    """The task of a client begins with its program."""
    tasks(s)[task].on_wake = GO_ON
    tasks(s)[task].pc = workloads(s)[workload].pc
    make_ready(s, task)


@handler
def visitor(s: State, workload: int, dropped: int) -> None:
    """Somebody comes, with the first of several requests, and so many before have been dropped."""
    row = workloads(s)[workload]
    number = (row.visits + dropped) * MOST
    row.visits += 1
    request = request_of(s, workload, number, 0, row.due)
    next_arrival(s, workload)
    task = new_task(s, request, ZERO, ZERO, NOBODY, row.caller)
    new = take_visit(s)
    visit = visits(s)[new]
    visit.number = number
    visit.place = 0
    visit.user = requests(s)[request].user
    if doors(s)[requests(s)[request].door].narrowers > 0:
        tell_apart(s, request)
    visit.count = requests_of(s, workload, row.base | number)
    tasks(s)[task].visit = new
    go(s, workload, task)


@handler
def requests_of(s: State, workload: int, entity: int) -> int:
    """How many requests somebody sends who stays to the end."""
    rule = visiting_rules(s)[workloads(s)[workload].visiting]
    if rule.steps > 0:
        return rule.steps
    return min(max(1, times(s, rule.requests, entity, ZERO)), MOST)


@handler
def request_of(s: State, workload: int, number: int, place: int, time: float) -> int:
    """The request at this place of a visit: that step of a journey, or what it happens to be."""
    row = workloads(s)[workload]
    request = begin_request(s, workload, number + place, time)
    rule = visiting_rules(s)[row.visiting]
    if rule.steps > 0:
        made = requests(s)[request]
        made.door = row.first_door + journeys(s)[rule.first + place]
        made.route = doors(s)[made.door].route
        made.needs = doors(s)[made.door].needs
    return request


@handler
def goes(s: State, task: int, workload: int) -> bool:
    """Whether somebody goes after an answer: at the end, or before it after a failure."""
    own = tasks(s)[task]
    row = workloads(s)[workload]
    visit = visits(s)[own.visit]
    rule = visiting_rules(s)[row.visiting]
    gone = visit.place + 1 >= visit.count
    if own.outcome not in (OK, DEGRADED, REFUSED):
        entity = row.base | (visit.number + visit.place)
        if uniform(draws(s)[rule.patience].key, entity, ZERO) < rule.leaves:
            row.left += not gone
            gone = True
    visit.place += 1
    if gone:
        give_back_visit(s, own.visit)
        own.visit = NOBODY
    return gone


@handler
def pause_between(s: State, task: int, workload: int) -> float:
    """How long somebody thinks before the next request, s."""
    row = workloads(s)[workload]
    visit = visits(s)[tasks(s)[task].visit]
    think = visiting_rules(s)[row.visiting].think
    return draw(draws(s), numbers(s), think, row.base | (visit.number + visit.place), ZERO)


@handler
def next_of_visit(s: State, task: int, workload: int) -> int:
    """The next request of the same user."""
    visit = visits(s)[tasks(s)[task].visit]
    request = request_of(s, workload, visit.number, visit.place, s.now)
    requests(s)[request].user = visit.user
    if doors(s)[requests(s)[request].door].narrowers > 0:
        tell_apart(s, request)
    return request
