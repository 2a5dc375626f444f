"""Which replica has a key: the next point on a ring, or a place in a table.

ring hash   every replica has points on a circle, and a key goes to the next one that may be chosen (Envoy, ketama)
Maglev      each replica fills the places of a table in an order of its own, (offset + j * skip) modulo the size, a
            place in turn until none is left; so shares differ by one place at most (Eisenbud et al., NSDI 2016, section
            3.4; Envoy's maglev_lb.cc, where the size is 65537 unless said). The table is made of those that may be
            chosen, anew whenever these are others, as Envoy does.

A key is that of a user, or of a request without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sim.chance.keyed import spread, stream_number
from sim.policies.base import policy

OF_USER = 1  # spaces of keys
OF_REQUEST = 2


def ring_of(name: str, replicas: int, size: int) -> tuple[list[int], list[int]]:
    """The points of all replicas of a service on a circle of 2**63, in order, and whose each is."""
    each = max(1, size // replicas)
    points = sorted((stream_number(f"{name}[{i}]_{k}") >> 1, i) for i in range(replicas) for k in range(each))
    return [point for point, _ in points], [index for _, index in points]


@policy
def key_of(user: int, request: int) -> int:
    """Where the key of a request lies on the circle: that of its user, or its own where it has none."""
    key: int = spread(OF_USER, user) if user >= 0 else spread(OF_REQUEST, request)
    return key


@policy
def pick_on_ring(points: Sequence[int], whose: Sequence[int], size: int, key: int, allowed: Sequence[int]) -> int:
    """The replica of the first point from the key on that is allowed; there is at least one."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if points[middle] < key:
            low = middle + 1
        else:
            high = middle
    for step in range(size):
        at = low + step
        index = whose[at - size if at >= size else at]
        if allowed[index] == 1:
            return index
    return -1


def orders_of(name: str, replicas: int, size: int) -> tuple[list[int], list[int]]:
    """In which order the replicas of a service fill a table: the offset and the skip of each."""
    names = [f"{name}[{index}]" for index in range(replicas)]
    offsets = [stream_number(own) % size for own in names]
    return offsets, [stream_number(f"{own} skip") % (size - 1) + 1 for own in names]


@policy
def fill_table(
    table: list[int], size: int, offsets: Sequence[int], skips: Sequence[int], allowed: Sequence[int], replicas: int
) -> None:
    """Fill the table with those that are allowed; there is at least one. What they have tried stands behind it."""
    for place in range(size):
        table[place] = -1
    for index in range(replicas):
        table[size + index] = 0
    filled = 0
    while filled < size:
        for index in range(replicas):
            if allowed[index] == 0 or filled == size:
                continue
            place = (offsets[index] + table[size + index] * skips[index]) % size
            while table[place] >= 0:
                table[size + index] += 1
                place = (offsets[index] + table[size + index] * skips[index]) % size
            table[place] = index
            table[size + index] += 1
            filled += 1


@lru_cache(maxsize=64)
def table_of(name: str, allowed: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Who has which place of the table of a service, where only these may be chosen."""
    table = [0] * (size + len(allowed))
    offsets, skips = orders_of(name, len(allowed), size)
    fill_table(table, size, offsets, skips, allowed, len(allowed))
    return tuple(table[:size])
