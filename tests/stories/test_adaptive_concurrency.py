"""Adaptive concurrency finds the knee that a fixed bulkhead misses after a slowdown."""

import pytest

from sim import testing

TEXT = """
duration: 120s
traffic: {clients: {sends: a.ask, arrivals: {poisson: 180/s}}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: {timeout: 400ms, bulkhead: BULKHEAD}}]}}
  b: {workers: 20, endpoints: {tell: [{work: {exponential: 50ms}}]}}
faults: [{slow: {of: b, by: 3x}, at: 30s, for: 60s}]
"""
ENVOY = """{envoy: {concurrency_limit_params: {concurrency_update_interval: 100ms},
  min_rtt_calc_params: {interval: 60s, min_concurrency: 10}}}"""


def served(bulkhead):
    """Good answers per second before, in, and after the slowdown."""
    run = testing.play(TEXT.replace("BULKHEAD", bulkhead))
    good = [
        attempt
        for attempt, outcome in zip(run.records.requests["arrival"], run.outcomes(), strict=True)
        if outcome == "ok"
    ]
    return [
        sum(first <= time < last for time in good) / (last - first) for first, last in ((5, 30), (40, 85), (95, 118))
    ]


def test_eighty_places_are_too_many_where_twenty_workers_are_slow():
    """Slow, they serve 20 / 150 ms = 133 of 180 per second. A line of sixty takes 450 ms, and every answer comes after the timeout of 400."""
    before, slow, after = served("{max_concurrent_calls: 80}")
    assert before > 170
    assert slow < 10
    assert after > 130


@pytest.mark.parametrize("bulkhead", ["{aimd: {min_limit: 5}}", "{gradient2: {min_limit: 5}}", ENVOY])
def test_a_limit_that_adapts_keeps_most_of_what_the_slow_ones_can_do(bulkhead):
    before, slow, after = served(bulkhead)
    assert before > 170
    assert slow > 0.6 * 133
    assert after > 165
