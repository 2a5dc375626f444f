"""Where a message goes."""

import random
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.policies.partitioner import murmur2, murmur2_of_number, new_sticky, partition_of, sticky


@pytest.mark.parametrize(
    ("text", "expected"),
    [("21", -973932308), ("foobar", -790332482), ("abc", 479470107), ("a-little-bit-long-string", -985981536)],
)
def test_oracle_15_kafkas_own_vectors(text, expected):
    assert murmur2(text.encode()) == expected


@settings(deadline=None)
@given(st.integers(0, 2**63 - 1))
@example(0)
@example(9)
@example(10)
@example(10**18)
@example(2**63 - 1)
def test_a_number_is_hashed_as_its_digits(key):
    assert murmur2_of_number(key) == murmur2(str(key).encode())
    assert partition_of(key, 7) == (murmur2(str(key).encode()) & 0x7FFFFFFF) % 7


def test_keys_spread_evenly():
    counts = Counter(partition_of(key, 24) for key in range(48_000))
    assert len(counts) == 24
    assert all(abs(count - 2000) < 250 for count in counts.values())


def test_without_a_key_a_batch_goes_to_one_partition_then_another_is_drawn():
    row = new_sticky(partitions=4, batch=3)
    assert [sticky(row, u) for u in (0.6, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9)] == [2, 2, 2, 0, 0, 0, 3]


def test_over_long_runs_the_sticky_partitions_are_equally_used():
    row, chance = new_sticky(partitions=5, batch=10), random.Random(1)
    counts = Counter(sticky(row, chance.random()) for _ in range(200_000))
    assert all(count == pytest.approx(40_000, rel=0.05) for count in counts.values())
