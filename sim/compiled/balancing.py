"""Balancers that go by weights, latencies, hashes or failures: `models/balancing.py` once more."""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.chance.keyed import uniform
from sim.compiled.apart import by_address
from sim.compiled.base import NO, YES, handler, whole
from sim.compiled.codes import REPLICA_EJECTED, REPLICA_RETURNED
from sim.compiled.events import log_at
from sim.compiled.rows.balancing import (
    allowed,
    balancing_rules,
    hash_tables,
    hash_tables_of,
    peers,
    ring_owners,
    ring_points,
    view_of,
    views,
    zones_here,
    zones_there,
)
from sim.compiled.rows.calls import alive, balancers, loads, targets
from sim.compiled.rows.hosts import draws, hosts, replicas, zone_of
from sim.compiled.rows.running import requests
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.policies import balancer, balancing, base, hashing, outliers, zones

BY_NAME, BY_LATENCY = balancing.BY_NAME, balancing.BY_LATENCY
BY_RING, BY_TABLE = balancing.BY_RING, balancing.BY_TABLE

ANY, AS_ENVOY = whole(zones.ANY), whole(balancing.AS_ENVOY)
choose_zone, keep_zone = zones.choose_zone.compiled, zones.keep_zone.compiled
allow, pick_by_name, pick = balancing.allow.compiled, balancer.pick.compiled, balancing.pick.compiled
pick_on_ring, key_of, fill_table = hashing.pick_on_ring.compiled, hashing.key_of.compiled, hashing.fill_table.compiled
observe, renew, judge = balancing.observe.compiled, outliers.renew.compiled, outliers.judge.compiled
eject, look, uneject = outliers.eject.compiled, outliers.look.compiled, outliers.uneject.compiled
success_rate_threshold, is_outlier = outliers.success_rate_threshold.compiled, outliers.is_outlier.compiled
failure_percentages_count = outliers.failure_percentages_count.compiled
returns, fails_too_often = outliers.returns.compiled, outliers.fails_too_often.compiled
forgive = outliers.forgive.compiled
BY_5XX, BY_GATEWAY, BY_LOCAL = map(whole, (outliers.BY_5XX, outliers.BY_GATEWAY, outliers.BY_LOCAL))
BY_RATE, BY_PERCENTAGE = whole(outliers.BY_RATE), whole(outliers.BY_PERCENTAGE)
BY_LOCAL_RATE, NO_LOCAL, ONLY_LOCAL = whole(outliers.BY_LOCAL_RATE), whole(0), whole(1)
begin_interval, reached = outliers.begin_interval.compiled, base.reached.compiled


@by_address
@handler
def choose_by_view(s: State, target: int, caller: int, request: int, chain: int) -> int:
    """The replica that takes this attempt, by what its caller knows; -1: nobody is there."""
    row = targets(s)[target]
    place = view_of(s)[row.host * s.replica_count + caller]
    view = views(s)[place]
    view.made = True
    look_around(s, place)
    up = rows_from(alive(s), row.first)
    if allow(balancing_rules(s)[view.rule], rows_from(peers(s), view.peers), up, allowed(s), row.count, s.now) == 0:
        return -1
    zone = ANY
    if balancing_rules(s)[view.rule].zones > 0:
        zone = keep_to_zone(s, target, place, caller, request, chain)
    index = pick_one(s, target, place, request, chain, zone)
    loads(s)[view.loads + index] += 1
    return row.first + index


@handler
def keep_to_zone(s: State, target: int, place: int, caller: int, request: int, chain: int) -> int:
    """Allow only those of one zone, which is that of the caller where that is even; ANY where zones do not matter."""
    row, view, host = targets(s)[target], views(s)[place], replicas(s)[caller].host
    if zone_of(s)[caller] < 0:
        return ANY
    rule, entity = balancing_rules(s)[view.rule], requests(s)[request].id
    theirs, first = rows_from(zone_of(s), row.first), hosts(s)[host].first
    zone = choose_zone(
        rule,
        rows_from(peers(s), view.peers),
        rows_from(alive(s), row.first),
        allowed(s),
        theirs,
        row.count,
        zone_of(s)[caller],
        rows_from(alive(s), first),
        rows_from(zone_of(s), first),
        hosts(s)[host].count,
        zones_here(s),
        zones_there(s),
        uniform(draws(s)[row.zone_uniform].key, entity, chain),
        uniform(draws(s)[row.other_zone_uniform].key, entity, chain),
    )
    if zone >= 0:
        keep_zone(allowed(s), theirs, row.count, zone)
    return zone


@handler
def pick_one(s: State, target: int, place: int, request: int, chain: int, zone: int) -> int:
    """One of those that are allowed, which are of one zone or of ANY."""
    row = targets(s)[target]
    view = views(s)[place]
    rule = balancing_rules(s)[view.rule]
    entity = requests(s)[request].id
    if rule.kind == BY_TABLE:
        return look_into_table(s, place, row.count, key_of(requests(s)[request].user, entity))
    if rule.kind == BY_RING:
        key = key_of(requests(s)[request].user, entity)
        points, owners = rows_from(ring_points(s), view.points), rows_from(ring_owners(s), view.points)
        return pick_on_ring(points, owners, view.size, key, allowed(s))
    one = uniform(draws(s)[row.uniform].key, entity, chain)
    other = uniform(draws(s)[row.other_uniform].key, entity, chain)
    active = rows_from(loads(s), view.loads)
    if rule.kind == BY_NAME:
        return pick_by_name(balancers(s)[view.plain + zone + 1], active, allowed(s), row.count, one, other)
    known = rows_from(peers(s), view.peers)
    return pick(rule, known, active, allowed(s), row.count, s.now, one, other)


@handler
def look_into_table(s: State, place: int, replicas: int, key: int) -> int:
    """The replica that has this key; the table is made anew where others may be chosen than those it was made of."""
    view = views(s)[place]
    table, made_of = rows_from(hash_tables(s), view.places), rows_from(hash_tables_of(s), view.made_of)
    same = YES
    for index in range(replicas):
        if made_of[index] != allowed(s)[index]:
            same = NO
            made_of[index] = allowed(s)[index]
    if not same:
        offsets, skips = rows_from(ring_points(s), view.points), rows_from(ring_owners(s), view.points)
        fill_table(table, view.size, offsets, skips, allowed(s), replicas)
    return table[key % view.size]


@by_address
@handler
def hear_of_end(s: State, target: int, caller: int, replica: int, outcome: int, began: float) -> None:
    """An attempt is over; a negative outcome: nobody knows how."""
    row = targets(s)[target]
    index = replica - row.first
    place = view_of(s)[row.host * s.replica_count + caller]
    view = views(s)[place]
    look_around(s, place)
    seconds = s.now - began
    if outcome < 0 or s.now - seconds < replicas(s)[replica].returned:
        return  # that was another one, at the same place
    rule = balancing_rules(s)[view.rule]
    peer = peers(s)[view.peers + index]
    if rule.kind == BY_LATENCY:
        observe(peer, seconds, s.now, rule.decay)
    if rule.detects > 0:
        why = judge(rule, peer, outcome, s.now)
        if why & BY_GATEWAY > 0:
            eject_one(s, place, index, s.now, BY_GATEWAY)
        if why & BY_5XX > 0:
            eject_one(s, place, index, s.now, BY_5XX)
        if why & BY_LOCAL > 0:
            eject_one(s, place, index, s.now, BY_LOCAL)


@handler
def look_around(s: State, place: int) -> None:
    """What Envoy does at the end of every interval that is over by now: nothing has happened in between."""
    view = views(s)[place]
    meet_newcomers(s, place)
    rule = balancing_rules(s)[view.rule]
    count = hosts(s)[view.host].count
    known = rows_from(peers(s), view.peers)
    while rule.detects == AS_ENVOY and reached(s.now, view.next_look):
        at = view.next_look
        view.next_look += rule.interval
        for index in range(count):
            if look(rule, known[index], at):
                log_at(s, at, REPLICA_RETURNED, view.subject + index, view.about, 0.0)
        by_percentage = failure_percentages_count(rule, known, count)
        compare_rates(s, place, at, NO_LOCAL, BY_RATE)
        for index in range(count):
            if by_percentage and fails_too_often(rule, known[index]):
                eject_one(s, place, index, at, BY_PERCENTAGE)
        if rule.splits == 1:
            compare_rates(s, place, at, ONLY_LOCAL, BY_LOCAL_RATE)
        for index in range(count):
            forgive(rule, known[index], at)
            begin_interval(known[index])


@handler
def compare_rates(s: State, place: int, at: float, local: int, why: int) -> None:
    """Eject those whose success rate is far below that of the others."""
    view = views(s)[place]
    rule, count = balancing_rules(s)[view.rule], hosts(s)[view.host].count
    known = rows_from(peers(s), view.peers)
    threshold = success_rate_threshold(rule, known, count, local)
    for index in range(count):
        if is_outlier(rule, known[index], threshold, local):
            eject_one(s, place, index, at, why)


@handler
def meet_newcomers(s: State, place: int) -> None:
    """Who has come back is another one."""
    view = views(s)[place]
    host = hosts(s)[view.host]
    for index in range(host.count):
        peer = peers(s)[view.peers + index]
        at = replicas(s)[host.first + index].returned
        if at > peer.since:
            was_out = peer.ejected
            renew(peer, at)
            if was_out == 1:
                log_at(s, at, REPLICA_RETURNED, view.subject + index, view.about, 0.0)


@handler
def eject_one(s: State, place: int, index: int, at: float, why: int) -> None:
    """Leave a replica out, where that may be."""
    view = views(s)[place]
    host = hosts(s)[view.host]
    known, up = rows_from(peers(s), view.peers), rows_from(alive(s), host.first)
    luck = longer = 0.0
    if balancing_rules(s)[view.rule].chance == 1:
        luck = uniform(draws(s)[view.ejecting].key, view.entity, view.drawn)
        longer = uniform(draws(s)[view.ejecting].key, view.entity, view.drawn + 1)
        view.drawn += 2
    if eject(balancing_rules(s)[view.rule], known, up, host.count, index, at, why, luck, longer):
        log_at(s, at, REPLICA_EJECTED, view.subject + index, view.about, 0.0)


@compiled
def check_passed(s: State, place: int, index: int) -> None:
    """A health check of a replica has passed: it returns, where this caller has ejected it."""
    look_around(s, place)
    view = views(s)[place]
    peer = peers(s)[view.peers + index]
    if peer.ejected == 1 and returns(balancing_rules(s)[view.rule], peer):
        uneject(peer, s.now)
        log_at(s, s.now, REPLICA_RETURNED, view.subject + index, view.about, 0.0)


@handler
def healthy_replicas(s: State, host: int) -> float:
    """How many replicas of a host may be chosen, by their health checks."""
    row = hosts(s)[host]
    found = 0
    for index in range(row.count):
        if alive(s)[row.first + index] == 1:
            found += 1
    return float(found)


@handler
def ejected_on_average(s: State, host: int) -> float:
    """How many replicas of a host are left out now, as its callers see it on average."""
    row = hosts(s)[host]
    out, those = 0, 0
    for caller in range(s.replica_count):
        place = view_of(s)[host * s.replica_count + caller]
        if place < 0 or not views(s)[place].made:
            continue
        those += 1
        for index in range(row.count):
            if alive(s)[row.first + index] > 0:
                out += peers(s)[views(s)[place].peers + index].ejected
    return out / max(1, those)
