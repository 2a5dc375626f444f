"""Choices of a balancer that knows more than `balancer.py`: weights, latencies, who is ejected. One row per replica.

smooth weighted round robin   nginx (ngx_http_upstream_round_robin.c): current += weight of each, the largest is
                              taken (of equals the first), and loses the sum. Weights 5, 1, 1 give a a b a c a a.
weighted least connections    nginx (ngx_http_upstream_least_conn_module.c): the fewest active per weight; equals
                              take turns by their smooth weights
peak EWMA                     Finagle (PeakEwma.scala): a slower answer than the estimate replaces it, a faster one
                              moves it; load = estimate * (active + 1); of two at random the lower one, of equals
                              the second (P2CPick.scala). No estimate and something active: a huge load
ring hash, Maglev             in `hashing.py`

Who is left out for a while is decided in `outliers.py`, and as nginx does in `nginx_peers.py`.

`peers` are the rows of all replicas, `allowed` says of each whether it may be chosen (1 or 0), `loads` how many of this
caller's requests it has; all begin at replica 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sim.policies.balancer import BalancerRow, new_balancer
from sim.policies.base import dtype_of, policy, reached
from sim.policies.nginx_peers import chosen_as_nginx, effective_weight, live_peers, unsuccessful
from sim.policies.pauses import whole_milliseconds
from sim.spec.balancing import Balancing, OutlierDetection, is_plain

BY_NAME = 0  # as `balancer.py` does it
BY_WEIGHT = 1
FEWEST_BY_WEIGHT = 2
BY_LATENCY = 3
BY_RING = 4
BY_TABLE = 5

_KINDS = {"peak_ewma": BY_LATENCY, "ring_hash": BY_RING, "maglev": BY_TABLE}

PENALTY = 1e9  # s; a load above all that are known
FAILING = 2  # in `alive`, which is else 1 or 0: it is there, but its health checks have failed
AS_ENVOY, AS_KONG, AS_NGINX = 1, 2, 3
NEVER = 1 << 60  # failures in a row: nobody has as many


@dataclass(slots=True)
class BalancingRow:
    """What is said of one callee. Times in seconds."""

    kind: int = BY_NAME
    decay: float = 10.0
    slow_start: float = -1.0  # negative: there is none
    panic: float = 0.5  # the share of replicas below which nobody is left out
    detects: int = 0  # whose way to leave out outliers (AS_ENVOY, AS_KONG, AS_NGINX); 0: none. What follows is of that
    consecutive: int = NEVER  # answers of 5xx in a row
    gateway_failures: int = NEVER  # of 502, 503, 504
    interval: float = 10.0
    base: float = 30.0  # of the first ejection
    most: float = 300.0  # of any
    most_percent: float = 10.0
    always_one: int = 0
    compares: int = 1  # whether success rates are compared
    hosts: int = 5  # that it takes
    volume: int = 100  # requests of each
    factor: float = 1900.0  # thousandths of a deviation
    fails_by_percentage: int = 0  # whether failure percentages are looked at
    failure_threshold: float = 85.0
    failure_hosts: int = 5
    failure_volume: int = 50
    chance: int = 0  # whether what is found is acted upon now and then, or ejections differ in length
    jitter: float = 0.0  # ms, whole ones, by which an ejection may be longer
    enforces_5xx: float = 100.0  # percent of the times, as the next five
    enforces_gateway: float = 100.0
    enforces_rate: float = 100.0
    enforces_percentage: float = 100.0
    enforces_local: float = 100.0
    enforces_local_rate: float = 100.0
    splits: int = 0  # whether calls without an answer have counts of their own
    local_failures: int = NEVER  # of these in a row
    zones: int = 0  # that there are, where it takes heed of them
    least_replicas: int = 6  # that it takes for that
    unejects: int = 1  # so many health checks that pass do; 0: they do not
    http_failures: int = 0  # as Kong: thresholds, 0 is off
    tcp_failures: int = 0
    timeouts: int = 0
    successes: int = 0
    failing: int = 0  # as nginx: the outcomes that are failures, a bit each
    fails: int = 0  # that take a replica out; 0: none do
    fail_timeout: float = 10.0


@dataclass(slots=True)
class PeerRow:
    """What one balancer knows of one replica. Times in seconds."""

    weight: float = 1.0
    current: float = 0.0  # of the smooth round robin
    since: float = -math.inf  # it came back
    estimate: float = 0.0  # peak EWMA of the latency
    stamp: float = 0.0  # when it was brought up to date
    failures: int = 0  # answers of 5xx in a row
    gateway_failures: int = 0  # of 502, 503, 504
    ejected: int = 0  # whether it is left out
    ejected_at: float = 0.0
    ejections: int = 0  # how many times the base time it is out
    jitter: float = 0.0  # and by how much longer
    local_failures: int = 0  # calls without an answer in a row
    local_good: int = 0  # successes of these in this interval: connections
    local_asked: int = 0
    unejected_at: float = -math.inf
    good: int = 0  # answers in this interval
    asked: int = 0
    wholly_healthy: int = 1  # as Kong: no failure has been counted since it became so
    http_failures: int = 0
    tcp_failures: int = 0
    timeouts: int = 0
    successes: int = 0  # of calls; while it is out, of health checks
    effective: float = 1.0  # as nginx: what failures have left of its weight
    accessed: float = 0.0  # the whole second of its last failure
    checked: float = 0.0  # likewise, or of its choice after it was out
    backup: int = 0  # whether it is one


BALANCING, PEER = dtype_of(BalancingRow), dtype_of(PeerRow)


def new_balancing(spec: Balancing, zones: int = 0, rises: int = 1) -> BalancingRow:
    """The row of what is said, where there are so many zones, and `rises` checks make a replica healthy again."""
    row = BalancingRow(_kind(spec), spec.decay, spec.slow_start or -1.0, spec.panic_threshold)
    if (kong := spec.passive_health_checks) is not None:
        row.detects, row.unejects, row.most_percent = AS_KONG, rises, 100.0
        row.panic = spec.panic_threshold if "panic_threshold" in spec.model_fields_set else 0.0
        row.http_failures, row.tcp_failures = kong.http_failures, kong.tcp_failures
        row.timeouts, row.successes = kong.timeouts, kong.successes
    if (nginx := spec.nginx) is not None:
        row.detects, row.most_percent, row.panic = AS_NGINX, 100.0, 0.0
        row.fails, row.fail_timeout = nginx.max_fails, nginx.fail_timeout
        row.failing = unsuccessful(nginx)
    if spec.zone_aware is not None:
        row.zones, row.least_replicas = zones, spec.zone_aware.min_cluster_size
    rule = spec.outlier_detection
    if rule is not None:
        row.detects, row.interval = AS_ENVOY, rule.interval
        row.consecutive = NEVER if rule.consecutive_5xx is None else rule.consecutive_5xx
        row.gateway_failures = NEVER if rule.consecutive_gateway_failure is None else rule.consecutive_gateway_failure
        row.base, row.most = rule.base_ejection_time, rule.max_ejection_time
        row.most_percent = rule.max_ejection_percent
        row.always_one, row.compares = int(rule.always_eject_one_host), int(rule.success_rate)
        row.hosts, row.volume = rule.success_rate_minimum_hosts, rule.success_rate_request_volume
        row.factor = rule.success_rate_stdev_factor
        row.fails_by_percentage = int(rule.failure_percentage)
        row.failure_threshold, row.failure_hosts = (
            rule.failure_percentage_threshold,
            rule.failure_percentage_minimum_hosts,
        )
        row.failure_volume = rule.failure_percentage_request_volume
        row.unejects = int(rule.successful_active_health_check_uneject_host)
        _enforce(row, rule)
    return row


def _enforce(row: BalancingRow, rule: OutlierDetection) -> None:
    row.jitter = whole_milliseconds(rule.max_ejection_time_jitter)
    row.enforces_5xx, row.enforces_gateway = rule.enforcing_consecutive_5xx, rule.enforcing_consecutive_gateway_failure
    row.enforces_rate, row.enforces_percentage = rule.enforcing_success_rate, rule.enforcing_failure_percentage
    row.enforces_local = rule.enforcing_consecutive_local_origin_failure
    row.enforces_local_rate = rule.enforcing_local_origin_success_rate
    row.splits = int(rule.split_external_local_origin_errors)
    if row.splits and rule.consecutive_local_origin_failure is not None:
        row.local_failures = rule.consecutive_local_origin_failure
    row.chance = int(rule.draws)


def _kind(spec: Balancing) -> int:
    if not is_plain(spec.policy):
        return _KINDS[spec.policy]
    if not spec.weights and spec.slow_start is None and spec.nginx is None:
        return BY_NAME
    return BY_WEIGHT if spec.policy == "round_robin" else FEWEST_BY_WEIGHT


def new_plain(spec: Balancing, start: int) -> BalancerRow:
    """Whose turn it is, from replica `start` on, where the choice is BY_NAME; of other policies nobody asks."""
    return new_balancer(spec.policy if is_plain(spec.policy) else "round_robin", start)


def new_peers(spec: Balancing, replicas: int) -> list[PeerRow]:
    """A row of each replica, of which nothing is known yet."""
    weights = spec.weights or (1,) * replicas
    rows = [PeerRow(weight=float(weights[index]) if index < len(weights) else 1.0) for index in range(replicas)]
    for index, row in enumerate(rows):
        row.effective = row.weight
        row.backup = int(spec.nginx is not None and index in spec.nginx.backup)
    return rows


# -- who may be chosen -------------------------------------------------------------------------------------------------


@policy
def allow(
    row: BalancingRow, peers: Sequence[PeerRow], alive: Sequence[int], allowed: list[int], replicas: int, now: float
) -> int:
    """Mark those that are there, not failing and not ejected; all that are there, where too few would be left. How many
    they are: nobody, where all are left out and there is no panic (Envoy, with a threshold of 0: no healthy host).
    """
    if row.detects == AS_NGINX:
        left = live_peers(row, peers, alive, allowed, replicas, now, 0)
        return left if left > 0 else live_peers(row, peers, alive, allowed, replicas, now, 1)
    there = left = 0
    for index in range(replicas):
        allowed[index] = 1 if alive[index] == 1 and peers[index].ejected == 0 else 0
        there += 1 if alive[index] > 0 else 0
        left += allowed[index]
    if left == there or left >= row.panic * there:
        return left
    for index in range(replicas):
        allowed[index] = 1 if alive[index] > 0 else 0
    return there


# -- choices -----------------------------------------------------------------------------------------------------------


@policy
def pick(
    row: BalancingRow,
    peers: Sequence[PeerRow],
    loads: Sequence[int],
    allowed: Sequence[int],
    replicas: int,
    now: float,
    u1: float,
    u2: float,
) -> int:
    """The next by weight or by latency, of those that are allowed; there is at least one."""
    if row.kind == BY_LATENCY:
        return peak_ewma(row, peers, loads, allowed, replicas, now, u1, u2)
    most = math.inf
    if row.kind == FEWEST_BY_WEIGHT:
        most = least_load(row, peers, loads, allowed, replicas, now)
    return smooth_round_robin(row, peers, loads, allowed, replicas, now, most)


@policy
def smooth_round_robin(
    row: BalancingRow,
    peers: Sequence[PeerRow],
    loads: Sequence[int],
    allowed: Sequence[int],
    replicas: int,
    now: float,
    most: float,
) -> int:
    """The next of those that are allowed, and have no more than `most` active requests per weight."""
    best, total = -1, 0.0
    for index in range(replicas):
        if allowed[index] == 0:
            continue
        weight = weight_of(row, peers[index], now)
        if loads[index] / weight > most:
            continue
        if row.detects == AS_NGINX:
            weight = effective_weight(peers[index])
        peers[index].current += weight
        total += weight
        if best < 0 or peers[index].current > peers[best].current:
            best = index
    if best >= 0:
        peers[best].current -= total
        if row.detects == AS_NGINX:
            chosen_as_nginx(row, peers[best], now)
    return best


@policy
def least_load(
    row: BalancingRow,
    peers: Sequence[PeerRow],
    loads: Sequence[int],
    allowed: Sequence[int],
    replicas: int,
    now: float,
) -> float:
    """The fewest active requests per weight, with what the noise of floats adds."""
    least = math.inf
    for index in range(replicas):
        if allowed[index] == 1:
            least = min(least, loads[index] / weight_of(row, peers[index], now))
    return least * (1.0 + 1e-12)


@policy
def weight_of(row: BalancingRow, peer: PeerRow, now: float) -> float:
    """The weight of a replica now: a share of it while it starts slowly."""
    return peer.weight if row.slow_start < 0.0 else peer.weight * share_of_slow_start(peer, now, row.slow_start)


@policy
def share_of_slow_start(peer: PeerRow, now: float, window: float) -> float:
    """The share of its weight that a replica gets: max(10 %, t / window), aggression 1."""
    return 1.0 if reached(now, peer.since + window) else max(0.1, (now - peer.since) / window)


@policy
def peak_ewma(
    row: BalancingRow,
    peers: Sequence[PeerRow],
    loads: Sequence[int],
    allowed: Sequence[int],
    replicas: int,
    now: float,
    u1: float,
    u2: float,
) -> int:
    """Of two different ones at random the lower load; of equals the second (P2CPick.scala asks `a < b`)."""
    those = 0
    for index in range(replicas):
        those += allowed[index]
    one = math.floor(u1 * those)
    first = nth(allowed, replicas, one)
    if those == 1:
        return first
    other = math.floor(u2 * (those - 1))
    second = nth(allowed, replicas, other + 1 if other >= one else other)
    load = load_of(peers[first], loads[first], now, row.decay)
    return first if load < load_of(peers[second], loads[second], now, row.decay) else second


@policy
def nth(allowed: Sequence[int], replicas: int, number: int) -> int:
    """The n-th of those that are allowed, from 0."""
    left = number
    for index in range(replicas):
        if allowed[index] == 1:
            if left == 0:
                return index
            left -= 1
    return -1


@policy
def load_of(peer: PeerRow, active: int, now: float, decay: float) -> float:
    """Latency times requests under way, this one counted."""
    observe(peer, 0.0, now, decay)
    if peer.estimate == 0.0 and active > 0:
        return PENALTY + active
    return peer.estimate * (active + 1)


@policy
def observe(peer: PeerRow, latency: float, now: float, decay: float) -> None:
    """A latency: the estimate jumps up to it, and comes down with the time that has passed."""
    weight = math.exp(-max(now - peer.stamp, 0.0) / decay)
    peer.estimate = latency if latency > peer.estimate else peer.estimate * weight + latency * (1.0 - weight)
    peer.stamp = now
