"""To which zone a request goes: Envoy's zone aware routing (load_balancer_impl.cc, zone_aware.rst).

As much as possible stays in the zone of its caller, as long as every replica of the callee has the same share of it:
where a zone has a larger share of the callers than of the callee, only so much stays that the callee's share is met,
and the rest goes to the zones that have a larger share of the callee than of the callers. Callers are taken to have the
same load each. Shares are whole ten-thousandths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.policies.balancing import BalancingRow, PeerRow
from sim.policies.base import policy

ANY = -1
WHOLE = 10_000


@policy
def choose_zone(
    row: BalancingRow,
    peers: Sequence[PeerRow],
    alive: Sequence[int],
    allowed: Sequence[int],
    zones: Sequence[int],
    replicas: int,
    own: int,
    callers_alive: Sequence[int],
    callers_zones: Sequence[int],
    callers: int,
    here: list[int],
    there: list[int],
    u1: float,
    u2: float,
) -> int:
    """The zone of the replica to call, ANY where it does not matter: the caller is in no zone, there are too few
    replicas, or there is a panic among them or among the callers.

    `zones` and `callers_zones` are those of the replicas of callee and caller; `here` and `there` are room for a number
    of each zone.
    """
    if own < 0:
        return ANY
    sending = shares(callers_alive, callers_zones, callers, row.zones, here)
    known = 0
    for index in range(callers):
        known += 1 if callers_alive[index] > 0 else 0
    if sending < row.panic * known or here[own] == 0:
        return ANY
    for index in range(replicas):
        if allowed[index] == 1 and (alive[index] != 1 or peers[index].ejected == 1):
            return ANY
    if shares(allowed, zones, replicas, row.zones, there) < row.least_replicas:
        return ANY
    if there[own] >= here[own] or math.floor(u1 * WHOLE) < there[own] * WHOLE // here[own]:
        return own
    return spill(row.zones, here, there, u2)


@policy
def shares(counted: Sequence[int], zones: Sequence[int], replicas: int, count: int, found: list[int]) -> int:
    """The share of each zone of those that are counted (1), in ten-thousandths; how many these are."""
    for zone in range(count):
        found[zone] = 0
    total = 0
    for index in range(replicas):
        if counted[index] == 1:
            total += 1
            found[zones[index]] += 1
    for zone in range(count):
        found[zone] = WHOLE * found[zone] // max(1, total)
    return total


@policy
def spill(count: int, here: Sequence[int], there: Sequence[int], u: float) -> int:
    """A zone with more of the callee than of the callers, by how much more that is; ANY where rounding leaves none."""
    spare = 0
    for zone in range(count):
        spare += max(0, there[zone] - here[zone])
    left = math.floor(u * spare)
    for zone in range(count):
        more = max(0, there[zone] - here[zone])
        if left < more:
            return zone
        left -= more
    return ANY


@policy
def keep_zone(allowed: list[int], zones: Sequence[int], replicas: int, zone: int) -> None:
    """Nobody outside of a zone may be chosen."""
    for index in range(replicas):
        if zones[index] != zone:
            allowed[index] = 0
