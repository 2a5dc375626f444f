"""Which partitions and members get how much, on paper: popular users and items are hashed as the log hashes them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sim.policies.partitioner import partition_of, partition_of_text
from sim.spec.arrivals import Replay
from sim.spec.traffic import Popularity, Traffic

HEAD = 10_000  # users or items that are looked at one by one; the rest is spread evenly

Shares = NDArray[np.float64]


def popularity_shares(popularity: Popularity | None) -> list[tuple[float, int]]:
    """How much of the traffic a user (or an item) gets, most popular first: (share of one, how many such); the far tail
    as one group.
    """
    if popularity is None:
        return []
    count, exponent = popularity.count, popularity.exponent
    if exponent == 0.0:
        return [(1.0 / count, count)]
    head = min(count, HEAD)
    weights = [math.pow(rank, -exponent) for rank in range(1, head + 1)]
    tail = _integral(exponent, head + 0.5, count + 0.5) if count > head else 0.0
    total = math.fsum(weights) + tail
    groups = [(weight / total, 1) for weight in weights]
    return groups if count == head else [*groups, (tail / total / (count - head), count - head)]


def user_shares(traffic: Traffic) -> list[tuple[float, int]]:
    """The same of the users of a traffic, of a recording by how many of its requests are theirs."""
    if isinstance(traffic.arrivals, Replay) and traffic.arrivals.data is not None and traffic.arrivals.data.user:
        requests = Counter(traffic.arrivals.data.user)
        return [(count / requests.total(), 1) for _, count in requests.most_common()]
    return popularity_shares(traffic.users)


def _integral(exponent: float, low: float, high: float) -> float:
    if exponent == 1.0:
        return math.log(high / low)
    return float((high ** (1.0 - exponent) - low ** (1.0 - exponent)) / (1.0 - exponent))


def partition_shares(popularity: Popularity | None, first: int, partitions: int) -> Shares:
    """The share of messages that each partition gets when the key is a user or an item, numbered from `first`; even
    where there is no key.
    """
    even = np.full(partitions, 1.0 / partitions)
    if popularity is None or partitions == 1:
        return even
    count = min(popularity.count, HEAD)
    groups = popularity_shares(popularity)
    each = [groups[0][0]] * count if popularity.exponent == 0.0 else [share for share, _ in groups[:count]]
    shares = np.bincount(_partitions_of(first, count, partitions), weights=each, minlength=partitions)
    return np.asarray(shares + max(0.0, 1.0 - shares.sum()) / partitions)


def text_shares(values: Mapping[str, float], partitions: int) -> Shares:
    """The same when the key is a text, of which each value has its share of the messages."""
    shares = np.zeros(partitions)
    for value, share in values.items():
        shares[partition_of_text(value, partitions)] += share
    return shares


@lru_cache(maxsize=64)
def _partitions_of(first: int, count: int, partitions: int) -> NDArray[np.int64]:
    return np.array([partition_of(key, partitions) for key in range(first, first + count)], dtype=np.int64)
