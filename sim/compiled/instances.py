"""The instances of a function: who leaves one, and when they are gone, as in `models/serverless.py`."""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.base import handler
from sim.compiled.lists import add_last, unlink
from sim.compiled.rows.serverless import accounts, give_back_instance, holdings, instances, serverless_functions
from sim.compiled.rows.state import State
from sim.policies import base

passed = base.passed.compiled


@handler
def leave_instance(s: State, task: int, function: int) -> None:
    """An attempt has ended, with an instance or without."""
    instance = holdings(s)[task].instance - 1
    if instance < 0:
        return
    holdings(s)[task].instance = 0
    row, its = serverless_functions(s)[function], instances(s)[instance]
    if its.provisioned:
        if its.active < row.concurrency:
            unlink(instances(s), row.ready, instance)
        add_last(instances(s), row.ready, instance)
    else:
        if its.active < row.concurrency:
            unlink(instances(s), row.roomy, instance)
        add_last(instances(s), row.roomy, instance)
    count_request(s, function, instance, -1)
    its.since = s.now


@handler
def count_request(s: State, function: int, instance: int, more: int) -> None:
    """Requests in it, and in all that share an account."""
    row, its = serverless_functions(s)[function], instances(s)[instance]
    was = its.active
    its.active += more
    if (was == 0) != (its.active == 0):
        if its.provisioned:
            row.running_provisioned += more
            row.running_provisioned_area -= more * s.now
        else:
            row.running += more
            row.running_area -= more * s.now
    if row.account >= 0 and not its.provisioned:
        accounts(s)[row.account].active += more


@handler
def expire_instances(s: State, function: int) -> None:
    """Those that nobody has used for long are gone since then."""
    row = serverless_functions(s)[function]
    instance = row.roomy.first
    while instance >= 0 and passed(s.now, instances(s)[instance].since + row.idle_timeout):
        following = instances(s)[instance].next
        if instances(s)[instance].active == 0:
            unlink(instances(s), row.roomy, instance)
            row.there -= 1
            row.paid_area += instances(s)[instance].since + row.idle_timeout
            give_back_instance(s, instance)
        instance = following


@handler
def area_of_instances(s: State, function: int) -> float:
    """The integral of how many there are, those left out that nobody has used for long."""
    row = serverless_functions(s)[function]
    area = row.paid_area + row.there * s.now
    instance = row.roomy.first
    while instance >= 0:
        its = instances(s)[instance]
        if its.active == 0:
            area = area - max(0.0, s.now - (its.since + row.idle_timeout))
        instance = its.next
    return area


@compiled
def forget_instances(s: State, function: int) -> None:
    """A crash: nobody is inside any more."""
    expire_instances(s, function)
    row = serverless_functions(s)[function]
    row.paid_area += (row.there - row.provisioned) * s.now
    row.there = row.fresh = row.provisioned
    while row.ready.first >= 0:
        instance = row.ready.first
        unlink(instances(s), row.ready, instance)
        give_back_instance(s, instance)
    while row.roomy.first >= 0:
        instance = row.roomy.first
        unlink(instances(s), row.roomy, instance)
        give_back_instance(s, instance)
