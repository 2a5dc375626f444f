"""Replicas that become slower the longer they live, and are young again after a restart: by hand, on both engines."""

import pytest

from sim import testing

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SYSTEM = """
duration: 40s
network: {default: {latency: 0s}}
services: {app: {workers: 1, MORE, endpoints: {get: [{work: 100ms}, {wait: 10ms}]}}}
"""
AGES = "ageing: {slow: 3x, over: 10s}"


def responses(more, arrivals, faults="[]"):
    played = testing.play_on_both(SYSTEM.replace("MORE", more) + f"faults: {faults}", arrivals)
    return [round(response, 9) for response in played.responses()]


@pytest.mark.parametrize("cores", ["", "cores: 1, "])
def test_work_takes_the_longer_the_older_a_replica_is_and_waits_do_not(cores):
    """1 + 2 t / 10 s times 100 ms: once at time 0, twice at 5 s, and three times from 10 s on."""
    assert responses(cores + AGES, [0.0, 5.0, 10.0, 25.0]) == [0.11, 0.21, 0.31, 0.31]


@pytest.mark.parametrize(
    "fault", ["{at: 20s, crash: app, restart_after: 1s}", "{at: 20s, restart: app, takes: 1s, one_by_one: 1s}"]
)
def test_a_restart_makes_it_young_again(fault):
    """Back at 21 s: 26 s is five seconds later."""
    assert responses(AGES, [15.0, 21.0, 26.0], f"[{fault}]") == [0.31, 0.11, 0.21]


def test_who_is_not_warm_yet_and_who_is_old_is_slow_for_both():
    """Five seconds after its start: 1 + e^-1 times for the warm-up that is left, and twice for its age."""
    more = AGES + ", start: {warm_up: {slow: 2x, decay: 5s}}"
    expected = 0.1 * (1.0 + 0.36787944117144233) * 2.0 + 0.01
    assert responses(more, [26.0], "[{at: 20s, crash: app, restart_after: 1s}]") == [round(expected, 9)]
