"""An attempt comes by an instance of a function, as in `models/serverless.py`."""

from __future__ import annotations

from sim.compiled import spans
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, handler
from sim.compiled.instances import count_request, expire_instances
from sim.compiled.lists import add_last, unlink
from sim.compiled.places import draw_here
from sim.compiled.rows.hosts import draws, hosts, numbers, replicas
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.serverless import (
    accounts,
    holdings,
    instances,
    serverless_functions,
    starts,
    take_instance,
)
from sim.compiled.rows.state import State
from sim.policies import serverless

may_start = serverless.may_start.compiled


@by_address
@handler
def have_instance(s: State, task: int, function: int) -> float:
    """Seconds until the instance that it has from now on is ready; negative: there is none for it."""
    own, row, now = tasks(s)[task], serverless_functions(s)[function], s.now
    host = hosts(s)[replicas(s)[own.replica].host]
    expire_instances(s, function)
    if not has_provisioned(s, function) and not has_other(s, task, function):
        row.throttled += 1
        own.where = host.name
        own.root = 0
        return -1.0
    instance = row.ready.last if row.ready.last >= 0 else row.roomy.last
    its = instances(s)[instance]
    count_request(s, function, instance, 1)
    its.since = now
    if its.active >= row.concurrency:
        if its.provisioned:
            unlink(instances(s), row.ready, instance)
        else:
            unlink(instances(s), row.roomy, instance)
    holdings(s)[task].instance = instance + 1
    if its.ready_at <= now:
        return 0.0
    if s.spans:
        spans.keep_stage(s, task, spans.OTHER, host.name, 0.0, NONE)
    return its.ready_at - now


@handler
def has_provisioned(s: State, function: int) -> bool:
    """Whether a provisioned instance has room."""
    row = serverless_functions(s)[function]
    if row.ready.last < 0 and row.fresh > 0:
        row.fresh -= 1
        instance = take_instance(s)
        its = instances(s)[instance]
        its.ready_at = 0.0
        its.active = 0
        its.provisioned = True
        add_last(instances(s), row.ready, instance)
    if row.ready.last < 0:
        return False
    row.executions += 1
    return True


@handler
def has_other(s: State, task: int, function: int) -> bool:
    """Whether there is another one for it, or one more may be started."""
    row = serverless_functions(s)[function]
    if row.account >= 0 and accounts(s)[row.account].active >= accounts(s)[row.account].most:
        return False
    if row.roomy.last < 0:
        if row.there >= row.limit or not may_start(starts(s)[function], s.now):
            return False
        start_instance(s, task, function)
    if row.provisioned > 0:
        row.spilled += 1
    row.executions += 1
    return True


@handler
def start_instance(s: State, task: int, function: int) -> None:
    """One more, with room for this attempt."""
    own, row = tasks(s)[task], serverless_functions(s)[function]
    row.cold_starts += 1
    row.there += 1
    row.paid_area -= s.now
    instance = take_instance(s)
    takes = draw_here(draws(s), numbers(s), row.cold_start, requests(s)[own.request].id, own.chain)
    instances(s)[instance].ready_at = s.now + takes
    instances(s)[instance].active = 0
    instances(s)[instance].provisioned = False
    add_last(instances(s), row.roomy, instance)
