"""What logs wait for, against clocks that count step by step; plain and compiled alike."""

import random
import struct

import pytest

from sim.policies.log_times import answered_at, behind, until_look


def both(function, *values):
    answer = function(*values)
    assert struct.pack("d", answer) == struct.pack("d", function.compiled(*values)), (function, values)
    return answer


def test_what_would_arrive_later_anyhow_is_not_held_up():
    assert both(behind, 10.0, 2.0, 12.0) == 2.0
    assert both(behind, 10.0, 2.0, 0.0) == 2.0


def test_nobody_arrives_before_another_whatever_is_lost_in_sums():
    """Each is sent after the one before; on their own many would overtake it."""
    luck = random.Random(3)
    held_up = 0
    for _ in range(200):
        now, last = luck.uniform(0.0, 1000.0), 0.0
        for _ in range(50):
            now += luck.expovariate(200.0)
            alone = luck.expovariate(50.0)
            seconds = both(behind, now, alone, last)
            assert now + seconds >= last
            assert now + seconds == pytest.approx(max(last, now + alone), abs=1e-9)
            held_up += seconds > alone
            last = now + seconds
    assert held_up > 1000


def test_a_fetch_is_answered_by_the_first_of_its_successors_that_ends_after_there_is_something():
    """One after the other, a quarter of a second each."""
    for sixteenths in range(64):
        began, first = 3.0, 3.0 + sixteenths / 16.0
        ends = began + 0.25
        while ends <= first:
            ends += 0.25
        assert both(answered_at, began, first, 0.25) == ends


def test_the_next_look_is_at_the_next_multiple_and_never_now():
    """Every fifteen seconds, half of replica.lag.time.max.ms by default."""
    assert [both(until_look, float(now), 15.0) for now in (0, 1, 14, 15, 16, 44)] == [15.0, 14.0, 1.0, 15.0, 14.0, 1.0]
