"""Which replicas a balancer leaves out for a while: Envoy's outlier detection (outlier_detection_impl.cc), or Kong's
passive health checks; nginx's are in `nginx_peers.py`.

A replica is ejected at the answer of 5xx that is one too many in a row; at the end of each interval those return that
have been out for long enough, those go whose success rate is far below that of the others, and who is not out then is
forgiven one ejection (semantics.md 1.6). What is found is acted upon so many times in a hundred as `enforcing_*` says,
where the share that is out lets it be.

With split errors (putResultWithLocalExternalSplit) calls that get no answer are of local origin and have counts of
their own: one that finds nobody is a failure, one that times out a success, for it was connected, and a failure.

Kong (lua-resty-healthcheck, incr_counter) has four counts of each replica. A report whose threshold is 0 is not heard,
nor a success of one that is wholly healthy. Any other is counted, and a success clears the counts of failures, a
failure that of successes. A count that has come to its threshold makes the replica unhealthy, or wholly healthy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.policies.balancing import AS_KONG, AS_NGINX, BalancingRow, PeerRow
from sim.policies.base import MILLISECONDS, policy, reached
from sim.policies.nginx_peers import hear_as_nginx
from sim.vocabulary import FAILED, Outcome

_FAILED = sum(1 << outcome for outcome in FAILED)  # a 5xx
_SUCCESS = 1 << Outcome.OK | 1 << Outcome.DEGRADED  # 2xx
_HTTP = 1 << Outcome.ERROR | 1 << Outcome.SHED | 1 << Outcome.RATE_LIMITED  # 500, 503, 429
BY_5XX, BY_GATEWAY, BY_LOCAL = 1, 2, 4  # why a replica is ejected: failures in a row
BY_RATE, BY_PERCENTAGE, BY_LOCAL_RATE = 8, 16, 32  # its rates in an interval
_UNREACHABLE, _TIMEOUT = int(Outcome.UNREACHABLE), int(Outcome.TIMEOUT)
_AT_GATEWAY = 1 << Outcome.SHED | 1 << Outcome.TIMEOUT | 1 << Outcome.UNREACHABLE  # 503, 504, 502


@policy
def renew(peer: PeerRow, now: float) -> None:
    """Another replica has come to its place, of which nothing is known."""
    peer.since = now
    peer.current = 0.0
    peer.estimate = 0.0
    peer.stamp = 0.0
    peer.failures = 0
    peer.gateway_failures = 0
    peer.ejected = 0
    peer.ejected_at = 0.0
    peer.ejections = 0
    peer.jitter = 0.0
    peer.local_failures = 0
    peer.local_good = 0
    peer.local_asked = 0
    peer.unejected_at = -math.inf
    peer.good = 0
    peer.asked = 0
    peer.wholly_healthy = 1
    peer.http_failures = 0
    peer.tcp_failures = 0
    peer.timeouts = 0
    peer.successes = 0
    peer.effective = peer.weight
    peer.accessed = 0.0
    peer.checked = 0.0


@policy
def judge(row: BalancingRow, peer: PeerRow, outcome: int, now: float) -> int:
    """Count an answer; of what it was one failure too many, a bit each: of 5xx, of 502, 503 and 504 alone, of calls
    without an answer. 0: of nothing.
    """
    if row.detects == AS_KONG:
        return BY_5XX if peer.ejected == 0 and report(row, peer, outcome) else 0
    if row.detects == AS_NGINX:
        hear_as_nginx(row, peer, outcome, now)
        return 0
    if row.splits == 1:
        if outcome in (_UNREACHABLE, _TIMEOUT):
            return hear_of_no_answer(row, peer, outcome)
        connect(peer)
    peer.asked += 1
    if (_FAILED >> outcome) & 1 == 0:
        peer.good += 1
        peer.failures = 0
        peer.gateway_failures = 0
        return 0
    peer.failures += 1
    peer.gateway_failures = peer.gateway_failures + 1 if (_AT_GATEWAY >> outcome) & 1 == 1 else 0
    too_many = 0
    if peer.gateway_failures == row.gateway_failures:
        peer.gateway_failures = 0
        too_many += BY_GATEWAY
    if peer.failures == row.consecutive:
        peer.failures = 0
        too_many += BY_5XX
    return too_many


@policy
def connect(peer: PeerRow) -> None:
    """It could be reached."""
    peer.local_asked += 1
    peer.local_good += 1
    peer.local_failures = 0


@policy
def hear_of_no_answer(row: BalancingRow, peer: PeerRow, outcome: int) -> int:
    """A call that found nobody, or was connected and timed out; whether it was one too many in a row."""
    if outcome == _TIMEOUT:
        connect(peer)
    peer.local_asked += 1
    peer.local_failures += 1
    if peer.local_failures != row.local_failures:
        return 0
    peer.local_failures = 0
    return BY_LOCAL


@policy
def report(row: BalancingRow, peer: PeerRow, outcome: int) -> bool:
    """The same by the counts of Kong, of one that is not out."""
    if (_SUCCESS >> outcome) & 1 == 1:
        if row.successes > 0 and peer.wholly_healthy == 0:
            peer.successes += 1
            clear_failures(peer)
            peer.wholly_healthy = 1 if peer.successes >= row.successes else 0
        return False
    too_many = False
    if (_HTTP >> outcome) & 1 == 1 and row.http_failures > 0:
        peer.http_failures += 1
        too_many = peer.http_failures >= row.http_failures
    elif outcome == _UNREACHABLE and row.tcp_failures > 0:
        peer.tcp_failures += 1
        too_many = peer.tcp_failures >= row.tcp_failures
    elif outcome == _TIMEOUT and row.timeouts > 0:
        peer.timeouts += 1
        too_many = peer.timeouts >= row.timeouts
    else:
        return False
    peer.successes = 0
    peer.wholly_healthy = 0
    return too_many


@policy
def clear_failures(peer: PeerRow) -> None:
    """It has failed in no way."""
    peer.http_failures = 0
    peer.tcp_failures = 0
    peer.timeouts = 0


@policy
def returns(row: BalancingRow, peer: PeerRow) -> bool:
    """A health check of one that is out has passed: whether it returns."""
    peer.successes += 1
    return row.unejects > 0 and peer.successes >= row.unejects


@policy
def eject(
    row: BalancingRow,
    peers: Sequence[PeerRow],
    alive: Sequence[int],
    replicas: int,
    index: int,
    now: float,
    why: int,
    luck: float,
    longer: float,
) -> bool:
    """Leave it out, every time for longer; whether that is done: not where it is out, or too many would be, or luck
    will not have it. `longer` decides by how many milliseconds it is out longer, all from 0 to the most alike.
    """
    there = ejected = 0
    for other in range(replicas):
        if alive[other] > 0:
            there += 1
            ejected += peers[other].ejected
    peer = peers[index]
    if peer.ejected == 1 or not may_eject(row, ejected, max(1, there)) or 100.0 * luck >= enforced(row, why):
        return False
    peer.ejected = 1
    peer.ejected_at = now
    peer.jitter = math.floor(longer * (row.jitter + 1.0)) / MILLISECONDS
    peer.successes = 0
    if peer.ejections * row.base < max(row.most, row.base) + row.base:
        peer.ejections += 1
    return True


@policy
def enforced(row: BalancingRow, why: int) -> float:
    """How many times in a hundred what is found is acted upon."""
    if why == BY_GATEWAY:
        return row.enforces_gateway
    if why == BY_LOCAL:
        return row.enforces_local
    if why == BY_RATE:
        return row.enforces_rate
    if why == BY_LOCAL_RATE:
        return row.enforces_local_rate
    return row.enforces_percentage if why == BY_PERCENTAGE else row.enforces_5xx


@policy
def may_eject(row: BalancingRow, ejected: int, replicas: int) -> bool:
    """Whether one more may be ejected."""
    return 100.0 * (ejected + 1) / replicas <= row.most_percent or (row.always_one == 1 and ejected == 0)


@policy
def uneject(peer: PeerRow, now: float) -> None:
    """It returns, with nothing against it but how often it was out."""
    peer.ejected = 0
    peer.unejected_at = now
    peer.since = now
    peer.failures = 0
    peer.gateway_failures = 0
    peer.local_failures = 0
    peer.wholly_healthy = 1
    peer.successes = 0
    clear_failures(peer)


@policy
def look(row: BalancingRow, peer: PeerRow, now: float) -> bool:
    """At the end of an interval: whether it returns, having been out for long enough."""
    time = min(row.base * peer.ejections, max(row.most, row.base)) + peer.jitter
    if peer.ejected == 1 and reached(now - peer.ejected_at, time):
        uneject(peer, now)
        return True
    return False


@policy
def forgive(row: BalancingRow, peer: PeerRow, now: float) -> None:
    """At the end of an interval, when all ejections of it are made: who has not been out in it has one less."""
    if peer.ejected == 0 and peer.ejections > 0 and reached(now, peer.unejected_at + row.interval):
        peer.ejections -= 1


@policy
def success_rate_threshold(row: BalancingRow, peers: Sequence[PeerRow], replicas: int, local: int) -> float:
    """Below this success rate (percent, strictly) one is an outlier: mean - factor / 1000 * population deviation.

    Negative where nobody is compared, or too few can be. `local`: 1 for the rates of calls that were answered at all.
    """
    judged, total = 0, 0.0
    if row.compares == 0 or (local == 1 and row.splits == 0):
        return -1.0
    for index in range(replicas):
        if is_compared(peers[index], row.volume, local):
            judged += 1
            total += success_rate(peers[index], local)
    if judged < row.hosts:
        return -1.0
    mean = total / judged
    squares = 0.0
    for index in range(replicas):
        if is_compared(peers[index], row.volume, local):
            squares += (success_rate(peers[index], local) - mean) * (success_rate(peers[index], local) - mean)
    return mean - row.factor / 1000.0 * math.sqrt(squares / judged)


@policy
def is_compared(peer: PeerRow, volume: int, local: int) -> bool:
    """Whether it had so many answers in this interval, and is not out: who is ejected is compared to nobody."""
    return (peer.local_asked if local == 1 else peer.asked) >= volume and peer.ejected == 0


@policy
def failure_percentages_count(row: BalancingRow, peers: Sequence[PeerRow], replicas: int) -> bool:
    """Whether failure percentages are looked at, and enough replicas have one."""
    judged = 0
    for index in range(replicas):
        judged += 1 if is_compared(peers[index], row.failure_volume, 0) else 0
    return row.fails_by_percentage == 1 and judged >= row.failure_hosts


@policy
def fails_too_often(row: BalancingRow, peer: PeerRow) -> bool:
    """Whether its percentage of failures in this interval has come to the threshold."""
    return is_compared(peer, row.failure_volume, 0) and 100.0 - success_rate(peer, 0) >= row.failure_threshold


@policy
def success_rate(peer: PeerRow, local: int) -> float:
    """Percent of its answers in this interval that were good."""
    if local == 1:
        return 100.0 * peer.local_good / peer.local_asked
    return 100.0 * peer.good / peer.asked


@policy
def is_outlier(row: BalancingRow, peer: PeerRow, threshold: float, local: int) -> bool:
    """Whether its success rate is below the threshold."""
    return is_compared(peer, row.volume, local) and success_rate(peer, local) < threshold


@policy
def begin_interval(peer: PeerRow) -> None:
    """Nothing has been asked in it yet."""
    peer.asked = 0
    peer.good = 0
    peer.local_asked = 0
    peer.local_good = 0
