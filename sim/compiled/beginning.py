"""What the models have planned and made ready at time 0, in the calendar and the ready queue of the compiled engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled import calendar
from sim.compiled.clients import begin_users, first_arrival

if TYPE_CHECKING:
    from sim.compiled.machine import Machine


def begin(machine: Machine) -> None:
    """Consumers, relays and users are ready, in the order in which the models have made them.

    Then what the calendar holds.
    """
    _make_ready(machine)
    _plan(machine)


def _make_ready(machine: Machine) -> None:
    wiring, world, membership = machine.wiring, machine.wiring.world, machine.control.membership
    members = {id(member.task): place for place, member in enumerate(wiring.members)}
    listeners = {id(consumer.task): place for consumer, place in wiring.channel_at.items() if consumer.up}
    relays = {id(outbox.task): place for place, outbox in enumerate(wiring.outboxes) if outbox.task is not None}
    for task in world.env.ready:
        if id(task) in members:
            membership.begin_member(members[id(task)])
        elif id(task) in listeners:
            membership.listeners.begin(listeners[id(task)])
        else:
            membership.begin_relay(relays[id(task)])
    for place, workload in enumerate(world.workloads):
        _let_users_in(machine, place, workload.spec.arrivals.population)


def _let_users_in(machine: Machine, workload: int, users: int) -> None:
    begun = 0
    while begun < users:
        if machine.s.must_grow:
            machine.grow()
        begun = begin_users(machine.s, workload, begun, users)


def _plan(machine: Machine) -> None:
    s, world = machine.s, machine.wiring.world
    sources = {workload.signal: place for place, workload in enumerate(world.workloads) if hasattr(workload, "signal")}
    planned = sorted(world.env.calendar)
    for time, rank, number, event in planned:
        if event is world.observer.ticker:
            what = int(calendar.TICK)
        elif event in sources:
            first_arrival(s, sources[event])
            what = calendar.ARRIVAL | sources[event] << calendar.KIND_BITS
        else:
            what = calendar.ORDER | machine.faults.plan(event) << calendar.KIND_BITS
        s.sequence = number
        calendar.push(s, time, rank, what)
    s.sequence = max((number for _, _, number, _ in planned), default=0) + 1
