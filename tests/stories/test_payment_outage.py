"""The shipped payment outage, with its own load: when the breakers open, and when they ask again."""

import pytest

import sim
from sim import testing

SHORT = ["duration=322s", "traffic.shoppers.arrivals.poisson=120/s"]
BEGAN, PAUSE, TIMEOUT = 300.0, 10.0, 1.0


def breakers(how: str, *sets: str) -> list[testing.Event]:
    scenario = sim.load("payment-outage", sets=[*SHORT, f"faults.0.how={how}", *sets]).variants["sync"]
    played = testing.Played(scenario, sim.simulate(scenario))
    return [event for event in played.events("breaker_opened", "breaker_half_opened", "breaker_closed") if event.object == "payments"]


def first(events, kind):
    times = {}
    for event in events:
        if event.kind == kind:
            times.setdefault(event.subject, event.time)
    return times


@pytest.mark.parametrize(("how", "latest"), [("hang", BEGAN + TIMEOUT + 0.5), ("refuse", BEGAN + 0.5)])
def test_every_breaker_opens_soon_after_the_outage_begins_and_asks_again_after_its_pause(how, latest):
    """A hanging callee is noticed by the first timeouts, a refusing one by the first attempts."""
    events = breakers(how)
    opened = first(events, "breaker_opened")
    assert sorted(opened) == [f"orders[{replica}]" for replica in range(4)]
    assert all(BEGAN < time <= latest for time in opened.values())
    asked = first(events, "breaker_half_opened")
    assert sorted(asked) == sorted(opened)
    for replica, time in asked.items():  # at the first call after the pause; 30 calls a second come by
        assert opened[replica] + PAUSE <= time < opened[replica] + PAUSE + 0.5
    assert not first(events, "breaker_closed")


def test_a_hanging_outage_is_never_noticed_before_the_first_timeout():
    opened = first(breakers("hang"), "breaker_opened")
    assert min(opened.values()) > BEGAN + TIMEOUT


def test_the_breakers_close_after_the_outage_and_stay_closed():
    scenario = sim.load("payment-outage", sets=["duration=340s", "faults.0.for=15s"]).variants["sync"]
    events = testing.Played(scenario, sim.simulate(scenario)).events("breaker_opened", "breaker_closed")
    closed = [event for event in events if event.kind == "breaker_closed"]
    assert sorted(event.subject for event in closed) == [f"orders[{replica}]" for replica in range(4)]
    assert all(315.0 < event.time < 315.0 + PAUSE + TIMEOUT + 0.5 for event in closed)
    assert max(event.time for event in events if event.kind == "breaker_opened") < 315.0
