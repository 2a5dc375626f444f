"""Where a message goes."""

import random
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.policies.partitioner import (
    in_turn,
    murmur2,
    murmur2_of_number,
    new_built_in,
    new_sticky,
    next_partition,
    partition_of,
    partition_of_text,
    peek,
    sent,
    sticky,
)


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


def test_partitions_that_wait_for_less_are_taken_more_often():
    """The example in the source of BuiltInPartitioner: of queues of 0, 3 and 1 batches, 0 to 3 of 8 give the first, 4 the second."""
    assert [next_partition([0, 3, 1], 3, random) for random in range(9)] == [0, 0, 0, 0, 1, 2, 2, 2, 0]


def test_where_all_wait_for_the_same_any_is_taken():
    assert [next_partition([2, 2], 2, random) for random in range(3)] == [0, 1, 0]


def test_a_producer_switches_when_a_batch_is_full_and_at_twice_its_size_anyway():
    producer = new_built_in(partitions=2, batch_size=100.0)
    assert peek(producer, [0, 0], 0.0) == 0
    for size, may_switch, partition in [(60, True, 0), (60, False, 0), (60, False, 0), (60, False, 1), (100, True, 1)]:
        sent(producer, size, may_switch, [0, 0], 1.0 - 2.0**-31)
        assert peek(producer, [0, 0], 0.0) == partition
    assert producer.produced == 0.0


def test_a_switch_that_an_open_batch_put_off_is_made_up_for_when_that_was_sent():
    """The example in the source of BuiltInPartitioner: 12 KB in the linger, batches of 16 KB: two batches, and then another."""
    producer = new_built_in(partitions=2, batch_size=16.0)
    assert peek(producer, [0, 0], 0.0) == 0
    for size, may_switch, partition in [(12, False, 0), (0, True, 0), (4, False, 0), (8, False, 0), (0, True, 1)]:
        sent(producer, size, may_switch, [0, 0], 1.0 - 2.0**-31)
        assert producer.partition == partition


def test_a_text_is_hashed_as_its_bytes_and_round_robin_takes_all_in_turn():
    assert partition_of_text("foobar", 1000) == (-790332482 & 0x7FFFFFFF) % 1000
    assert [in_turn(number, 3) for number in range(4)] == [0, 1, 2, 0]
