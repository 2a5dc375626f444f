"""The shipped payment outage, with its own load and policies: when the breakers open, and when they ask again.

The outage is moved to the thirtieth second, so that nobody has to wait five minutes for it.
"""

from functools import cache

import pytest

import sim
from sim import testing

BEGAN, PAUSE, TIMEOUT, LASTS = 30.0, 10.0, 1.0, 15.0
REPLICAS = [f"orders[{replica}]" for replica in range(4)]


@cache
def breakers(how: str) -> list[testing.Event]:
    sets = ["warmup=10s", "duration=65s", f"faults.0.at={BEGAN}s", f"faults.0.for={LASTS}s", f"faults.0.how={how}"]
    scenario = sim.load("payment-outage", sets=sets).variants["sync"]
    played = testing.Played(scenario, sim.simulate(scenario))
    return [
        event
        for event in played.events("breaker_opened", "breaker_half_opened", "breaker_closed")
        if event.object == "payments"
    ]


def first(how, kind):
    times = {}
    for event in breakers(how):
        if event.kind == kind:
            times.setdefault(event.subject, event.time)
    return dict(sorted(times.items()))


@pytest.mark.parametrize(("how", "latest"), [("hang", BEGAN + TIMEOUT + 0.5), ("refuse", BEGAN + 0.5)])
def test_every_breaker_opens_soon_after_the_outage_begins(how, latest):
    """A hanging callee is noticed by the first timeouts, a refusing one by the first attempts."""
    opened = first(how, "breaker_opened")
    assert list(opened) == REPLICAS
    assert all(BEGAN < time <= latest for time in opened.values())


def test_a_hanging_outage_is_never_noticed_before_the_first_timeout():
    assert min(first("hang", "breaker_opened").values()) > BEGAN + TIMEOUT


@pytest.mark.parametrize("how", ["hang", "refuse"])
def test_every_breaker_asks_again_at_the_first_call_after_its_pause(how):
    """Thirty calls a second come by each of them."""
    opened, asked = first(how, "breaker_opened"), first(how, "breaker_half_opened")
    assert list(asked) == REPLICAS
    assert all(opened[replica] + PAUSE <= time < opened[replica] + PAUSE + 0.5 for replica, time in asked.items())


@pytest.mark.parametrize("how", ["hang", "refuse"])
def test_the_breakers_close_after_the_outage_and_stay_closed(how):
    """Within a pause, a probe, and the half second in which somebody comes by."""
    ended = BEGAN + LASTS
    closed = first(how, "breaker_closed")
    assert list(closed) == REPLICAS
    assert all(ended < time < ended + PAUSE + TIMEOUT + 0.5 for time in closed.values())
    assert max(event.time for event in breakers(how) if event.kind == "breaker_opened") < ended
