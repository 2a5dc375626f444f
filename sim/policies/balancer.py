"""The load balancer of one caller over the replicas of one callee: it knows only what this caller knows.

    round_robin    the next replica that is up
    random         each replica that is up with equal chance; uses u1
    least_request  the fewest active requests of this caller, all replicas looked at; ties go round, so that they do not
                   all meet at replica 0
    power_of_two   Envoy's LEAST_REQUEST: two picks with replacement among those that are up, by u1 and u2, the one with
                   fewer active requests; a tie: the first. Of two replicas it takes the busier one in a quarter of all
                   cases (envoy, least_request.proto; semantics.md 9)
    two_choices    nginx's `random two least_conn`: the same with two that are not the same; a tie: the second
                   (ngx_http_upstream_random_module.c)

Left out: health checks; weights, slow start, outliers and panic thresholds are in `balancing.py`. `up` is what the
caller is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.policies.base import dtype_of, policy
from sim.spec.balancing import LoadBalancing

ROUND_ROBIN = 0
RANDOM = 1
LEAST_REQUEST = 2
POWER_OF_TWO = 3
TWO_CHOICES = 4

UNIFORMS = (0, 1, 0, 2, 2)  # how many uniforms `pick` reads, by kind

_KINDS = {
    "round_robin": ROUND_ROBIN,
    "random": RANDOM,
    "least_request": LEAST_REQUEST,
    "power_of_two": POWER_OF_TWO,
    "two_choices": TWO_CHOICES,
}
COUNTING = ("least_request", "power_of_two", "two_choices")  # those that must hear when a request is over


@dataclass(slots=True)
class BalancerRow:
    """One caller's balancer."""

    kind: int = ROUND_ROBIN
    next: int = 0  # replica at which the next look begins (round_robin, least_request)


BALANCER = dtype_of(BalancerRow)


def new_balancer(kind: LoadBalancing, start: int = 0) -> BalancerRow:
    """A balancer that begins its round at replica `start`: callers that all start at 0 march in step."""
    return BalancerRow(_KINDS[kind], start)


@policy
def pick(row: BalancerRow, loads: Sequence[int], up: Sequence[int], n: int, u1: float, u2: float) -> int:
    """The index of the replica to call, of n; -1 when none is up.

    `loads`: this caller's active requests at each, `up`: 1 or 0.
    """
    if row.kind == ROUND_ROBIN:
        if row.next < n and up[row.next]:  # nearly always: no loop, no further call
            row.next += 1
            return row.next - 1
        return round_robin(row, up, n)
    if row.kind == LEAST_REQUEST:
        return least_request(row, loads, up, n)
    first = uniform_pick(up, n, u1)
    if row.kind == RANDOM or first < 0:
        return first
    if row.kind == TWO_CHOICES:
        second = another(up, n, u2, first)
        return first if loads[second] > loads[first] else second
    second = uniform_pick(up, n, u2)
    if loads[second] < loads[first]:
        return second
    return first


@policy
def round_robin(row: BalancerRow, up: Sequence[int], n: int) -> int:
    """The first that is up, from `next` on."""
    at = row.next
    for _ in range(n):
        if at >= n:
            at = 0
        if up[at]:
            row.next = at + 1
            return at
        at += 1
    return -1


@policy
def least_request(row: BalancerRow, loads: Sequence[int], up: Sequence[int], n: int) -> int:
    """The first of those with the smallest load, from `next` on; an idle one ends the search."""
    at = row.next
    best = -1
    for _ in range(n):
        if at >= n:
            at = 0
        if up[at] and (best < 0 or loads[at] < loads[best]):
            best = at
            if loads[at] <= 0:
                break
        at += 1
    if best >= 0:
        row.next = best + 1
    return best


@policy
def uniform_pick(up: Sequence[int], n: int, u: float) -> int:
    """One of those that are up, each with equal chance; -1 when none is. When all are up this is int(u * n).

    When the first pick is down, the rest of u, uniform and independent of it, picks among those that are up.
    """
    if n <= 0:
        return -1
    first = int(u * n)
    if up[first]:
        return first
    standing = 0
    for i in range(n):
        if up[i]:
            standing += 1
    if standing == 0:
        return -1
    left = int((u * n - first) * standing)
    for i in range(n):
        if up[i]:
            if left == 0:
                return i
            left -= 1
    return -1


@policy
def another(up: Sequence[int], n: int, u: float, first: int) -> int:
    """One of those that are up, each with equal chance, but not `first`, which is; `first` where there is no other."""
    others = -1
    for i in range(n):
        if up[i]:
            others += 1
    left = int(u * others)
    for i in range(n):
        if up[i] and i != first:
            if left == 0:
                return i
            left -= 1
    return first
