"""Choices of a balancer that knows more than `balancer.py`: weights, latencies, who is ejected. One row per replica.

smooth weighted round robin   nginx (ngx_http_upstream_round_robin.c): current += weight of each, the largest is
                              taken (of equals the first), and loses the sum. Weights 5, 1, 1 give a a b a c a a.
weighted least connections    nginx (ngx_http_upstream_least_conn_module.c): the fewest active per weight; equals
                              take turns by their smooth weights
peak EWMA                     Finagle (PeakEwma.scala): a slower answer than the estimate replaces it, a faster one
                              moves it; load = estimate * (active + 1); of two at random the lower one. No estimate
                              and something active: a huge load
outlier detection             Envoy (outlier_detection_impl.cc; semantics.md 1.6)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sim.policies.base import reached

PENALTY = 1e9  # s; a load above all that are known


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
    ejected: bool = False
    ejected_at: float = 0.0
    ejections: int = 0  # how many times the base time it is out
    unejected_at: float = -math.inf
    good: int = 0  # answers in this interval
    asked: int = 0


def smooth_round_robin(peers: Sequence[PeerRow], those: Sequence[int], weights: Sequence[float]) -> int:
    """The next of those that may be chosen; `weights` are theirs now."""
    best, total = -1, 0.0
    for index, weight in zip(those, weights, strict=True):
        peers[index].current += weight
        total += weight
        if best < 0 or peers[index].current > peers[best].current:
            best = index
    if best >= 0:
        peers[best].current -= total
    return best


def least_connections(
    peers: Sequence[PeerRow], those: Sequence[int], weights: Sequence[float], loads: Sequence[int]
) -> int:
    """Of those with the fewest active requests per weight the next by their smooth weights."""
    least = min((loads[index] / weight for index, weight in zip(those, weights, strict=True)), default=0.0)
    alike = [(i, weight) for i, weight in zip(those, weights, strict=True) if loads[i] / weight <= least * (1 + 1e-12)]
    return smooth_round_robin(peers, [index for index, _ in alike], [weight for _, weight in alike])


def peak_ewma(
    peers: Sequence[PeerRow], those: Sequence[int], loads: Sequence[int], now: float, decay: float, u1: float, u2: float
) -> int:
    """Of two different ones at random the lower load; of equals the first."""
    first = int(u1 * len(those))
    if len(those) == 1:
        return those[first]
    second = int(u2 * (len(those) - 1))
    second += second >= first
    a, b = those[first], those[second]
    return a if load_of(peers[a], loads[a], now, decay) <= load_of(peers[b], loads[b], now, decay) else b


def load_of(peer: PeerRow, active: int, now: float, decay: float) -> float:
    """Latency times requests under way, this one counted."""
    observe(peer, 0.0, now, decay)
    if peer.estimate == 0.0 and active > 0:
        return PENALTY + active
    return peer.estimate * (active + 1)


def observe(peer: PeerRow, latency: float, now: float, decay: float) -> None:
    """A latency: the estimate jumps up to it, and comes down with the time that has passed."""
    weight = math.exp(-max(now - peer.stamp, 0.0) / decay)
    peer.estimate = latency if latency > peer.estimate else peer.estimate * weight + latency * (1.0 - weight)
    peer.stamp = now


def share_of_slow_start(peer: PeerRow, now: float, window: float) -> float:
    """The share of its weight that a replica gets: max(10 %, t / window), aggression 1."""
    return 1.0 if reached(now, peer.since + window) else max(0.1, (now - peer.since) / window)


def may_eject(ejected: int, hosts: int, most_percent: float, always_one: bool) -> bool:
    """Whether one more may be ejected."""
    return 100.0 * (ejected + 1) / hosts <= most_percent or (always_one and ejected == 0)


def eject(peer: PeerRow, now: float, base: float, most: float) -> None:
    """It is out; every time for longer."""
    peer.ejected, peer.ejected_at = True, now
    if peer.ejections * base < max(most, base) + base:
        peer.ejections += 1


def is_over(peer: PeerRow, now: float, base: float, most: float) -> bool:
    """Whether it has been out for long enough."""
    return reached(now - peer.ejected_at, min(base * peer.ejections, max(most, base)))


def uneject(peer: PeerRow, now: float) -> None:
    """It is back, with a clean record."""
    peer.ejected, peer.unejected_at, peer.since = False, now, now
    peer.failures = peer.gateway_failures = 0


def forgive(peer: PeerRow, now: float, interval: float) -> None:
    """An interval after its return without another ejection."""
    if not peer.ejected and peer.ejections > 0 and reached(now, peer.unejected_at + interval):
        peer.ejections -= 1


def success_rate_threshold(rates: Sequence[float], factor: float) -> float:
    """Below this success rate (percent, strictly) one is an outlier: mean - factor / 1000 * population deviation."""
    mean = math.fsum(rates) / len(rates)
    deviation = math.sqrt(math.fsum((rate - mean) ** 2 for rate in rates) / len(rates))
    return mean - factor / 1000.0 * deviation
