"""Controlled delay against folly's own lines, wait by wait."""

import random

from sim.policies.codel import CodelRow, overloaded


def folly(target, interval, waits):
    """Codel::overloaded of folly/executors/Codel.cpp, one thread: (now, wait) -> dropped."""
    least, ends, reset, over, found = 0.0, 0.0, True, False, []
    for now, wait in waits:
        if now > ends and not reset:
            reset, ends = True, now + interval
            over = least > target
        if reset:
            reset, least = False, wait
            found.append(False)
            continue
        least = min(least, wait)
        found.append(over and wait > 2 * target)
    return found


def test_a_random_crowd_is_dropped_as_by_folly():
    luck = random.Random(5)
    now, waits = 0.0, []
    for _ in range(4000):
        now += luck.expovariate(300)
        waits.append((now, luck.expovariate(100) + (0.012 if int(now) % 2 else 0.0)))
    row = CodelRow(target=0.005, interval=0.1)
    found = [overloaded(row, at, wait) for at, wait in waits]
    assert found == folly(0.005, 0.1, waits)
    assert 100 < sum(found) < 3900


def test_a_short_wait_in_each_interval_lets_everybody_through():
    row = CodelRow(target=0.005, interval=0.1)
    assert not any(overloaded(row, i * 0.01, 0.0 if i % 5 == 0 else 1.0) for i in range(1000))
