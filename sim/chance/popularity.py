"""Which of many users or items: exactly Zipf, P(rank k) proportional to 1 / k**exponent, for any exponent from 0
(uniform) up.

By inversion of a table of cumulative shares. Beyond a million ranks the table holds only every n-th, and the few ranks
between two entries are summed when they are asked for: 50 million users need 8 MB, not 400.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from sim.chance.keyed import Word, uniform
from sim.chance.shared import is_worth_machine_code, machine_code, machine_code_is_off, shared
from sim.chance.transforms import Floats
from sim.spec.traffic import Popularity

LARGEST_TABLE = 1 << 20
MANY = 100_000

Table = NDArray[np.float64]
Weights = Table | list[float]
_CHOOSE = "(uint64, int64, float64, int64, Array(float64, 1, 'C', readonly=True), uint64)"


def chooser(popularity: Popularity, key: int) -> Callable[[int], int]:
    """Entity -> rank, 0 the most popular, on the stream of this key."""
    count, exponent = popularity.count, popularity.exponent
    table = popularity_table(count, exponent)
    if _in_machine_code(count):
        return partial(machine_code(choose, _CHOOSE), key, count, exponent, stride(count), table)
    return partial(choose, key, count, exponent, stride(count), table.tolist())


@lru_cache(maxsize=16)
def popularity_table(count: int, exponent: float) -> Table:
    """Cumulative weights, not normalised, after each step of ranks; empty where all are equally popular.

    Not to be written to.
    """
    weights = machine_code(cumulative_weights) if _in_machine_code(count) else cumulative_weights
    table: Table = weights(count, exponent, stride(count)) if exponent > 0 else np.empty(0)
    table.flags.writeable = False
    return table


def stride(count: int) -> int:
    """How many ranks one entry of the table stands for."""
    return -(-count // LARGEST_TABLE)


def _in_machine_code(count: int) -> bool:
    """Whether the weights of so many are added up sooner by numba, its loading included."""
    return is_worth_machine_code() or (count > MANY and not machine_code_is_off())


@shared
# called by position
def choose(key: Word, count: int, exponent: float, step: int, table: Weights, entity: Word) -> int:
    """The rank that falls to this entity."""
    return rank(uniform(key, entity, 0), count, exponent, step, table, len(table))


@shared
def rank(u: float, count: int, exponent: float, step: int, table: Floats, size: int) -> int:
    """The rank at this point of the cumulative distribution; `step` is the `stride` of the table."""
    if size == 0:
        return min(int(u * count), count - 1)
    target = u * table[size - 1]
    low, high = 0, size - 1
    while low < high:
        middle = (low + high) // 2
        if target < table[middle]:
            high = middle
        else:
            low = middle + 1
    if step == 1:
        return low
    found, total = low * step, table[low - 1] if low > 0 else 0.0
    last = min(found + step, count) - 1
    while found < last:
        total += (found + 1.0) ** -exponent
        if target < total:
            break
        found += 1
    return found


@shared
def cumulative_weights(count: int, exponent: float, step: int) -> Table:
    """After every `step` ranks the sum of the weights so far."""
    table = np.empty((count + step - 1) // step)
    total = 0.0
    for index in range(count):
        total += (index + 1.0) ** -exponent
        table[index // step] = total
    return table
