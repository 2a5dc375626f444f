"""Detecting, recovering, draining: on synthetic runs in which the moment is known."""

import math

import numpy as np
import pytest

from sim.metrics import measure
from sim.vocabulary import Outcome

from .building import NAN, records, request, scenario

DARK = {"name": "dark", "at": "120s", "for": "60s", "outage": "payments"}
END = 180.0
RATE = 40


def run(behaviour, *, duration=400.0, rate=RATE, seed=1, faults=(DARK,), key="recovery_time(dark)", **more):
    """Requests at a steady rate; `behaviour(arrival, luck)` gives each, with `luck` exponential of mean 1."""
    generator = np.random.default_rng(seed)
    arrivals = np.arange(0.0, duration, 1 / rate) + 1e-6
    requests = [
        behaviour(at, luck) for at, luck in zip(arrivals, generator.exponential(1.0, arrivals.size), strict=True)
    ]
    measured = measure(records(requests, duration=duration, **more), scenario(duration=duration, faults=faults))
    return measured.values[key], key in measured.censored


def slow_until(moment):
    return lambda at, luck: request(at, 0.1 * luck * (20 if 120 <= at < moment else 1))


def failing_until(moment, share=1.0):
    """Evenly spread failures until the moment."""
    return lambda at, luck: request(
        at, 0.1 * luck, Outcome.ERROR if 120 <= at < moment and round(at * RATE) % 10 < 10 * share else Outcome.OK
    )


def test_nothing_happened():
    assert run(failing_until(0)) == (0, False)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("behaviour", [slow_until, failing_until])
def test_the_good_minute_begins_when_the_trouble_ends(behaviour, seed):
    """Whatever the luck of single requests: to the second, or a few seconds later."""
    assert run(behaviour(END), seed=seed)[0] <= 3
    assert 100 <= run(behaviour(END + 100), seed=seed)[0] <= 103


def test_it_counts_from_the_end_of_the_fault():
    """What recovers during the fault has recovered when it ends."""
    assert run(failing_until(END - 30)) == (0, False)


def test_never():
    assert run(failing_until(1e9)) == (math.inf, True)
    assert run(slow_until(1e9)) == (math.inf, True)


def test_the_minute_must_fit_into_the_run():
    assert run(failing_until(END + 100), duration=END + 161)[0] <= 101
    assert run(failing_until(END + 100), duration=END + 159)[0] == math.inf


def test_five_per_cent_of_failures_are_within_five_per_cent():
    """One request in thirty still failing is recovery, three in ten are not."""
    assert (
        run(
            lambda at, luck: request(at, luck, Outcome.ERROR if at > 120 and round(at * RATE) % 30 == 0 else Outcome.OK)
        )[0]
        <= 3
    )
    assert run(failing_until(1e9, share=0.3))[0] == math.inf


def test_a_p95_a_fifth_higher_is_not_recovered():
    assert run(lambda at, luck: request(at, luck * (1.2 if at > 120 else 1)))[0] == math.inf
    assert run(lambda at, luck: request(at, luck * (1.02 if at > 120 else 1)))[0] <= 5


def test_better_than_before_is_recovered():
    assert run(
        lambda at, luck: request(
            at, luck * (0.5 if at > END else 1), Outcome.OK if at > END or luck < 2 else Outcome.ERROR
        )
    ) == (0, False)


def test_a_relapse_within_the_minute_starts_it_anew():
    """Well at 190, down again from 220 to 230: the good minute begins at 230 or, as ten bad seconds spoil it, when they have left it."""
    bad = lambda at: 120 <= at < 190 or 220 <= at < 230  # noqa: E731 - a picture of the run
    found, _ = run(lambda at, luck: request(at, luck, Outcome.ERROR if bad(at) else Outcome.OK))
    assert 50 <= found <= 51


def test_a_system_that_answers_nobody_has_not_recovered():
    """In flight to the end: not slow, not failed, and yet not well."""
    assert run(lambda at, luck: request(at, 0.1 * luck) if at < 120 else request(at))[0] == math.inf


def test_few_requests_are_judged_by_their_numbers():
    """At two requests a second a minute has 120 of them: chance does not keep a healthy system from recovering."""
    found = [run(slow_until(END + 20), rate=2, seed=seed)[0] for seed in range(20)]
    assert np.median(found) <= 25
    assert max(found) < math.inf


def test_without_a_before_there_is_no_recovery_time():
    early = {**DARK, "at": "10s", "for": "20s"}
    assert math.isnan(run(failing_until(0), faults=[early])[0])
    assert math.isnan(run(lambda at, luck: request(at, luck, Outcome.ERROR))[0])


def test_completion_recovers_later_than_the_response():
    """Answers are never late; orders are completed at 220 at the earliest: those that arrive from then on are well again."""

    def behaviour(at, luck):
        return request(at, 0.1, completion=max(0.2 * luck, 220 - at + 0.2 * luck if at >= 120 else 0))

    assert run(behaviour)[0] == 0
    assert 39 <= run(behaviour, key="recovery_time(dark, completion)")[0] <= 42


def test_completion_never_recovers_when_orders_are_lost():
    def behaviour(at, luck):
        return request(at, 0.1, completion=0.2 * luck if at < 120 or round(at * RATE) % 10 else NAN)

    assert run(behaviour)[0] == 0
    assert run(behaviour, key="recovery_time(dark, completion)") == (math.inf, True)


def test_orders_too_young_to_judge_do_not_delay_recovery():
    """Completion takes 20 s; the last minute of the run holds a third that had no time to complete."""

    def behaviour(at, luck):
        late = at + 20 + luck > END + 61
        return request(at, 0.1, completion=NAN if late else 20 + luck, pending=late)

    assert run(behaviour, duration=END + 61, key="recovery_time(dark, completion)")[0] <= 1


def test_overlapping_faults_are_measured_by_what_was_before_both():
    """The second begins while the first still hurts: it is not recovered as long as things are as bad as when it began."""
    second = {"name": "second", "at": "150s", "for": "60s", "outage": "orders"}
    assert 120 <= run(failing_until(END + 120), faults=[DARK, second])[0] <= 121
    assert 90 <= run(failing_until(END + 120), faults=[DARK, second], key="recovery_time(second)")[0] <= 91
    assert run(failing_until(1e9), faults=[DARK, second], key="recovery_time(second)")[0] == math.inf


def test_detection_is_the_first_breaker_that_opens_during_the_fault():
    faults = [DARK, {"name": "for ever", "at": "300s", "outage": "orders"}]
    opened = [50.0, 121.5, 130.0, 190.0]
    assert run(failing_until(0), breakers_opened=opened, faults=faults, key="detection_time(dark)")[0] == 1.5
    assert math.isnan(run(failing_until(0), breakers_opened=opened, faults=faults, key="detection_time(for ever)")[0])
    assert run(failing_until(0), breakers_opened=[399.0], faults=faults, key="detection_time(for ever)")[0] == 99


def drain(lag, outbox=0.0):
    ticks = np.arange(1.0, 401.0)
    gauges = {"payment-group order-events.lag": [lag(t) for t in ticks], "orders.outbox": outbox}
    return run(failing_until(0), rate=1, ticks=ticks, gauges=gauges, key="drain_time(dark)")


def test_the_backlog_drains():
    """1,000 messages at the end of the fault, 20 a second: back at the usual 3 after 50 s."""
    assert drain(lambda t: 3 if t < 120 else max(3, 1000 - 20 * max(0, t - END))) == (50, False)


def test_no_backlog_drains_at_once():
    assert drain(lambda _: 3) == (0, False)
    assert drain(lambda _: 0) == (0, False)


def test_noise_as_before_is_no_backlog_and_one_empty_poll_is_no_end():
    """A saw-tooth of 0 to 9 is usual; during the drain the backlog touches zero once, at 200."""
    assert drain(lambda t: t % 10)[0] <= 2
    assert drain(lambda t: t % 10 if t < 120 or t >= 260 else (0 if t == 200 else 500))[0] == pytest.approx(80, abs=2)


def test_a_backlog_that_stays_is_never_drained():
    assert drain(lambda t: 3 if t < 120 else 500) == (math.inf, True)


def test_the_outbox_is_backlog_too():
    ticks = np.arange(1.0, 401.0)
    assert drain(lambda _: 0, np.where((ticks >= 120) & (ticks < 210), 99, 0))[0] == 30


def test_without_a_broker_there_is_nothing_to_drain():
    assert math.isnan(run(failing_until(0), key="drain_time(dark)")[0])
