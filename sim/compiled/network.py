"""Hops, and who takes an attempt: `models/link.py` and the choices of balancers."""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.chance.keyed import uniform
from sim.chance.table import draw
from sim.compiled.apart import by_address
from sim.compiled.balancing import choose_by_view, hear_of_end
from sim.compiled.base import ZERO, handler, inlined, whole
from sim.compiled.rows.calls import alive, balancer_of, balancers, hops, loads, targets, wire_delays, wire_losses, wires
from sim.compiled.rows.hosts import draws, from_zones, hosts, numbers, replicas, zone_of
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.policies import balancer

LOST = -1.0
ENDPOINT, ROUTE, PUBLICATION, TO_EXCHANGE, TO_LEADER = map(whole, range(5))  # kinds of target

pick = balancer.pick.compiled


@inlined
def hop_delay(s: State, hop: int, entity: int, chain: int) -> float:
    """Seconds that this message travels; LOST if it never arrives."""
    fixed = hops(s)[hop].fixed
    return fixed if fixed >= 0.0 else hop_by_chance(s, hop, entity, chain)


@handler
def hop_by_chance(s: State, hop: int, entity: int, chain: int) -> float:
    """The same where it is not known before."""
    row = hops(s)[hop]
    wire = wires(s)[row.wire]
    if wire.cuts > 0:
        return LOST
    kept = 1.0 - wire.loss
    for index in range(wire.losses):
        kept = kept * (1.0 - wire_losses(s)[row.wire * s.network_faults + index])
    if kept < 1.0 and uniform(draws(s)[row.chance].key, entity, chain) >= kept:
        return LOST
    return travel(s, hop, entity, chain)


@inlined
def hop_between(s: State, hop: int, entity: int, chain: int, here: int, there: int) -> float:
    """The same for a call of one replica by another."""
    fixed = hops(s)[hop].fixed
    return fixed if fixed >= 0.0 else hop_across(s, hop, entity, chain, here, there)


@by_address
@handler
def hop_across(s: State, hop: int, entity: int, chain: int, here: int, there: int) -> float:
    """The same where it is not known before: they may be in different zones, of which account is kept."""
    between = hops(s)[hop].between_zones
    crosses = between >= 0.0 and zone_of(s)[here] != zone_of(s)[there]
    if between >= 0.0:
        from_zones(s)[2 * replicas(s)[there].host + (1 if crosses else 0)] += 1
    seconds = hop_by_chance(s, hop, entity, chain)
    return seconds + between if crosses and seconds >= 0.0 else seconds


@inlined
def answer_delay(s: State, hop: int, task: int, caller: int) -> float:
    """Seconds until the answer of a task is where it is waited for; LOST if it never arrives."""
    fixed = hops(s)[hop].fixed
    return fixed if fixed >= 0.0 else answer_across(s, hop, task, caller)


@by_address
@handler
def answer_across(s: State, hop: int, task: int, caller: int) -> float:
    """The same where it is not known before."""
    own, between = tasks(s)[task], hops(s)[hop].between_zones
    seconds = hop_by_chance(s, hop, requests(s)[own.request].id, own.chain)
    if between >= 0.0 and seconds >= 0.0 and caller >= 0:
        crosses = zone_of(s)[own.replica] != zone_of(s)[tasks(s)[caller].replica]
        seconds += between if crosses else 0.0
    return seconds


@by_address
@compiled
def travel(s: State, hop: int, entity: int, chain: int) -> float:
    """Seconds on the way, for what is not lost."""
    row = hops(s)[hop]
    seconds = row.length
    if row.draw >= 0:
        seconds = draw(draws(s), numbers(s), row.draw, entity, chain)
    wire = wires(s)[row.wire]
    for index in range(wire.delays):
        seconds = seconds + draw(
            draws(s),
            numbers(s),
            wire_delays(s)[row.wire * s.network_faults + index],
            entity,
            link_chain(chain, row.salt, ZERO),
        )
    return seconds


@inlined
def choose(s: State, target: int, caller: int, request: int, chain: int) -> int:
    """The replica that takes this attempt; -1: nobody is there."""
    only = targets(s)[target].only
    if only < 0:
        return choose_among(s, target, caller, request, chain)
    return only if replicas(s)[only].down == 0 else -1


@handler
def choose_among(s: State, target: int, caller: int, request: int, chain: int) -> int:
    """The same where there are several."""
    row = targets(s)[target]
    if row.kind == ROUTE:
        return next_gateway(s, target)
    if row.by_view:
        return choose_by_view(s, target, caller, request, chain)
    index = balancer_of(s)[row.host * s.replica_count + caller]
    active = rows_from(loads(s), row.loads + caller * row.line)
    up = rows_from(alive(s), row.first)
    one, other = 0.0, 0.0
    if row.uniforms > 0:
        one = other = uniform(draws(s)[row.uniform].key, requests(s)[request].id, chain)
    if row.uniforms > 1:
        other = uniform(draws(s)[row.other_uniform].key, requests(s)[request].id, chain)
    place = pick(balancers(s)[index], active, up, row.count, one, other)
    if place < 0:
        return -1
    active[place] += 1
    return row.first + place


@handler
def next_gateway(s: State, target: int) -> int:
    """Clients are spread round robin over the replicas of the gateway that are up; all routes share one round."""
    row = targets(s)[target]
    host = hosts(s)[row.host]
    for _ in range(row.count):
        replica = row.first + host.turn % row.count
        host.turn = (host.turn + 1) % row.count
        if replicas(s)[replica].down == 0:
            return replica
    return -1


@handler
def leave_balancer(s: State, target: int, caller: int, replica: int, outcome: int, began: float) -> None:
    """For the balancer: the attempt that was sent then is over from the caller's point of view.

    A negative outcome: nobody knows how.
    """
    row = targets(s)[target]
    if row.counts:
        loads(s)[row.loads + caller * row.line + replica - row.first] -= 1
        if row.by_view:
            hear_of_end(s, target, caller, replica, outcome, began)
