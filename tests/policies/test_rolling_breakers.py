"""gobreaker by a share of requests, cockatiel's three breakers and its queue at the test call, resilience4j by itself."""

import math
import random

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.policies import breaker as breakers
from sim.policies import library_breakers as library
from sim.policies.breaker import CLOSED, HALF_OPEN, OPEN, REJECTED
from sim.policies.cockatiel import TEST, WAITS
from sim.spec.policy import CircuitBreaker
from sim.vocabulary import Outcome

OK, BAD, IGNORED = int(Outcome.OK), int(Outcome.ERROR), int(Outcome.TIMEOUT)


class Breaker:
    """A breaker with its ring."""

    def __init__(self, **words):
        self.row, self.ring = library.new_library_breaker(CircuitBreaker.model_validate(words))

    def admit(self, now):
        return library.admit(self.row, self.ring, now)

    def settle(self, now, ticket, outcome):
        library.settle(self.row, self.ring, now, ticket, outcome)

    def call(self, now, good):
        """One that ends at once; whether it was admitted."""
        ticket = self.admit(now)
        if ticket >= 0:
            self.settle(now, ticket, OK if good else BAD)
        return ticket >= 0

    @property
    def counts(self):
        return self.row.calls, self.row.failures


# -- gobreaker ---------------------------------------------------------------------------------------------------------

CUSTOM = {"max_requests": 3, "interval": "30s", "timeout": "90s", "failure_ratio": 0.6, "minimum_requests": 3}


def test_gobreaker_by_a_ratio_is_its_own_custom_test():
    """TestCustomCircuitBreaker of v2/gobreaker_test.go, its counts of requests and failures one by one."""
    its, now = Breaker(gobreaker=CUSTOM), 0.0
    for _ in range(5):
        its.call(now, True), its.call(now, False)
    assert (its.row.state, its.counts) == (CLOSED, (10, 5))
    its.call(29.0, True)
    assert its.counts == (11, 5)
    its.call(30.001, False)  # over Interval
    assert (its.row.state, its.counts) == (CLOSED, (1, 1))
    its.call(30.001, True)
    its.call(30.001, False)  # failure ratio: 2/3 >= 0.6
    assert its.row.state == OPEN
    assert its.admit(120.0) == REJECTED
    assert its.call(120.1, True)
    assert its.call(120.1, True)
    assert its.row.state == HALF_OPEN
    third = its.admit(120.1)
    assert its.admit(120.15) == REJECTED  # over MaxRequests
    its.settle(120.2, third, OK)
    assert (its.row.state, its.counts) == (CLOSED, (0, 0))


def test_gobreaker_rolls_bucket_by_bucket_as_its_own_test():
    """TestRollingWindowCircuitBreaker: ten buckets of 3 s, the first of which falls out of the window."""
    its, now = Breaker(gobreaker=CUSTOM | {"bucket_period": "3s"}), 0.0
    for _ in range(5):
        its.call(now, True), its.call(now, False)
    assert its.counts == (10, 5)
    expected = [(3, True, (11, 5)), (5, True, (12, 5)), (7, True, (13, 5)), (9, False, (14, 6))]
    for now, good, counts in expected:
        its.call(now, good)
        assert its.counts == counts
    for i in range(6):
        now = 12 + 3 * i
        its.call(now, True), its.call(now, False)
        assert its.counts == (16 + 2 * i, 7 + i)
    its.call(30, False)
    assert its.counts == (17, 8)  # ten requests of the first bucket, five of them failures, are gone
    for i in range(5):
        its.call(30, False)
        assert its.counts == (18 + i, 9 + i)
    assert its.row.state == CLOSED
    its.call(30, False)  # 14/23 > 0.6
    assert its.row.state == OPEN


def test_gobreaker_counts_requests_under_way_and_a_result_in_the_bucket_of_its_request():
    words = {"interval": "10s", "bucket_period": "5s", "failure_ratio": 0.5, "minimum_requests": 4}
    its = Breaker(gobreaker=words)
    tickets = [its.admit(1.0) for _ in range(4)]
    its.settle(2.0, tickets[0], BAD)
    assert (its.row.state, its.counts) == (CLOSED, (4, 1))  # 1 of 4, of which 3 are under way
    its.settle(6.0, tickets[1], BAD)
    assert its.row.state == OPEN
    its = Breaker(gobreaker=words)
    late = [its.admit(1.0) for _ in range(2)]
    for _ in range(4):
        its.call(11.0, True)
    its.settle(11.5, late[0], BAD)  # its bucket is out of the window: counted nowhere
    assert its.counts == (4, 0)


def test_the_interval_of_gobreaker_is_rounded_up_to_whole_buckets():
    assert Breaker(gobreaker=CUSTOM | {"interval": "10s", "bucket_period": "3s"}).row.places == 4
    assert Breaker(gobreaker=CUSTOM | {"interval": "9s", "bucket_period": "3s"}).row.places == 3
    fixed = Breaker(gobreaker=CUSTOM | {"interval": "3s", "bucket_period": "3s"})
    assert (fixed.row.places, fixed.row.window) == (1, 3.0)
    longer = Breaker(gobreaker=CUSTOM | {"interval": "1s", "bucket_period": "3s"})
    assert (longer.row.places, longer.row.window, longer.row.expires) == (1, 3.0, 3.0)
    longer.call(0.5, False), longer.call(3.0, True)
    assert longer.counts == (2, 1)
    longer.call(3.001, True)  # over the interval, and the next one begins
    assert longer.counts == (1, 0)
    assert longer.row.expires == pytest.approx(6.001)


# -- cockatiel ---------------------------------------------------------------------------------------------------------


def by_hand_sampling(threshold, duration, rps, after, calls):
    """SamplingBreaker and CircuitBreakerPolicy for calls that end at once, in whole milliseconds: (now, failed)."""
    count = max(5, math.ceil(duration / 1000))
    size = math.floor(duration / count + 0.5)
    windows, current = [[-(10**15), 0, 0] for _ in range(count)], 0
    opened, found = None, []

    def push(now, failed):
        nonlocal current
        if now - windows[current][0] >= size:
            current = (current + 1) % count
            windows[current] = [now, 0, 0]
        windows[current][1 + failed] += 1

    for moment, failed in calls:
        now = math.floor(moment * 1000)
        if opened is not None and now - opened < after:
            found.append(False)
            continue
        found.append(True)
        testing_it = opened is not None
        if testing_it and not failed:
            for window in windows:
                window[:] = [-(10**15), 0, 0]
        push(now, failed)
        if testing_it:
            opened = now if failed else None
            continue
        good, bad = sum(w[1] for w in windows), sum(w[2] for w in windows)
        if failed and good + bad >= size * count * rps / 1000 and bad > threshold * (good + bad):
            opened = now
    return found


@pytest.mark.parametrize("share", [0.35, 0.9])
@pytest.mark.parametrize(("duration", "rps"), [(4000, 2.0), (700, 6.0), (30_000, 1.0)])
def test_cockatiel_samples_as_its_source_does(share, duration, rps):
    luck, now, calls = random.Random(5), 0.0, []
    for _ in range(3000):
        now += luck.expovariate(10) + (3.0 if luck.random() < 0.005 else 0.0)
        calls.append((now, int(luck.random() < (share if int(now / 9) % 2 else 0.05))))
    sampling = {"threshold": 0.2, "duration": f"{duration}ms", "minimum_rps": rps}
    its = Breaker(cockatiel={"half_open_after": "1500ms", "sampling": sampling})
    found = [its.call(now, not failed) for now, failed in calls]
    assert found == by_hand_sampling(0.2, duration, rps, 1500, calls)
    assert 30 < found.count(False) < 2950


def test_without_a_rate_cockatiel_takes_five_failures_a_second():
    """5 / (threshold * 1000) a millisecond: at a threshold of a half ten requests a second."""
    its = Breaker(cockatiel={"half_open_after": "1s", "sampling": {"threshold": 0.5, "duration": "1s"}})
    for number in range(9):
        its.call(0.01 * number, False)
    assert its.row.state == CLOSED
    its.call(0.1, False)
    assert its.row.state == OPEN


@pytest.mark.parametrize(
    ("results", "state"),
    [  # size 4, threshold 0.5, from 3 on: strictly more than half of what there is
        ("FF", CLOSED),
        ("FFF", OPEN),
        ("SFF", OPEN),
        ("SFFS", OPEN),
        ("SSFF", CLOSED),
        ("SSFFF", OPEN),  # the first falls out: S F F F
        ("FSSSFF", CLOSED),  # S S F F
        ("FFSSSS", CLOSED),
    ],
)
def test_cockatiel_counts_the_last_results(results, state):
    its = Breaker(
        cockatiel={"half_open_after": "1s", "count": {"threshold": 0.5, "size": 4, "minimum_number_of_calls": 3}}
    )
    for number, result in enumerate(results):
        its.call(0.01 * number, result == "S")
    assert its.row.state == state


def test_cockatiel_tries_at_the_very_millisecond_and_hears_of_late_results():
    its = Breaker(cockatiel={"half_open_after": "1s", "consecutive": 2})
    late = [its.admit(0.0) for _ in range(2)]
    its.call(0.5, False), its.call(0.5009, False)
    assert its.row.state == OPEN
    assert its.admit(1.499) == REJECTED
    test = its.admit(1.5)  # 1,500 - 500 is not less than 1,000
    assert test == TEST
    assert its.admit(1.6) == WAITS
    its.settle(1.7, late[0], BAD)  # breaker.failure() is true, and open() asks only whether it is open
    assert (its.row.state, its.row.opened) == (OPEN, 1.7)
    its.settle(1.8, test, OK)  # close() closes only what is half-open
    assert its.row.state == OPEN
    its.settle(1.9, late[1], OK)
    assert its.row.state == OPEN


def test_a_test_that_ends_in_what_is_ignored_closes_and_one_that_is_cancelled_opens():
    words = {"cockatiel": {"half_open_after": "1s", "consecutive": 1}, "ignores": ["timeout"]}
    its = Breaker(**words)
    its.call(0.0, False)
    its.settle(1.2, its.admit(1.0), IGNORED)
    assert its.row.state == CLOSED
    its.call(2.0, False)
    library.give_back(its.row, 3.5, its.admit(3.0))
    assert (its.row.state, its.row.opened) == (OPEN, 3.5)


TEXT = """
duration: 1m
policies: {p: {circuit_breaker: {cockatiel: {half_open_after: 1s, consecutive: 1}}}}
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: p}]}}
  b: {workers: unlimited, endpoints: {tell: [{wait: 500ms}]}}
faults: [{errors: {of: b, share: 100%}, at: 0s, for: UNTIL}]
"""


def test_callers_wait_for_the_test_and_go_out_together_where_it_was_good():
    """Opened at 1.0 s, as a fault answers at once; the test is under way from 2.1 s to 2.6 s, three wait for it."""
    run = testing.play(TEXT.replace("UNTIL", "1500ms"), [1.0, 1.2, 2.1, 2.2, 2.3, 2.59])
    assert run.outcomes() == ["error", "breaker_open", "ok", "ok", "ok", "ok"]
    assert run.responses()[2:] == pytest.approx([0.5, 0.9, 0.8, 0.51], abs=0.02)
    assert [its.arrived for its in run.attempts("b.tell")][1:] == pytest.approx([2.1, 2.6, 2.6, 2.6], abs=0.01)


SLOW = TEXT.replace("[{wait: 500ms}]", "[{wait: 500ms}, {fail: 100%}]").replace(
    "faults: [{errors: {of: b, share: 100%}, at: 0s, for: UNTIL}]", ""
)


def test_callers_wait_for_the_test_and_are_refused_where_it_failed():
    run = testing.play(SLOW, [1.0, 2.6, 2.7, 2.8])
    assert run.outcomes() == ["error", "error", "breaker_open", "breaker_open"]
    assert run.responses()[1:] == pytest.approx([0.5, 0.4, 0.3], abs=0.02)
    assert len(run.attempts("b.tell")) == 2


def test_nobody_waits_for_the_test_longer_than_the_total_timeout():
    text = SLOW.replace("{p: {circuit", "{p: {total_timeout: 600ms, circuit").replace("500ms", "550ms")
    run = testing.play(text, [1.0, 2.6, 2.65])
    assert run.outcomes()[1:] == ["error", "breaker_open"]
    text = text.replace("total_timeout: 600ms", "total_timeout: 300ms")
    run = testing.play(text, [1.0, 2.6, 2.65])
    assert run.outcomes()[1:] == ["timeout", "breaker_open"]


def test_who_began_before_the_test_waits_for_it_until_its_own_deadline():
    """Opened at 1.55 s by the first, whose two seconds began at 1.0 s. The test of the second is under way from 2.6 s to
    3.15 s; the first tries again at 2.65 s, and its time is over at 3.0 s.
    """
    retry = "total_timeout: 2s, retry: {max_attempts: 2, backoff: {constant: 1100ms}, on: [error]}"
    text = SLOW.replace("{p: {circuit", f"{{p: {{{retry}, circuit").replace("500ms", "550ms")
    run = testing.play(text, [1.0, 2.6])
    assert run.outcomes()[0] == "timeout"
    assert run.responses()[0] == pytest.approx(2.0, abs=0.005)
    assert [its.arrived for its in run.attempts("b.tell")][:2] == pytest.approx([1.0, 2.6], abs=0.01)
    patient = testing.play(text.replace("total_timeout: 2s", "total_timeout: 3s"), [1.0, 2.6])
    assert patient.outcomes()[0] == "breaker_open"  # as the test has failed by then
    assert patient.responses()[0] == pytest.approx(2.15, abs=0.02)


def test_whose_total_time_is_over_in_the_instant_in_which_the_test_ends_does_not_ask_again():
    """Opened at 1.5 s; the test is under way from 2.625 s to 3.125 s, when the 2.125 s of the first are over too. All of
    these are exact in binary.
    """
    retry = "total_timeout: 2125ms, retry: {max_attempts: 2, backoff: {constant: 1250ms}, on: [error]}"
    text = SLOW.replace("{p: {circuit", f"{{p: {{{retry}, circuit")
    run = testing.play(text, [1.0, 2.625])
    assert run.outcomes()[0] == "timeout"
    assert run.responses()[0] == 2.125
    longer = testing.play(text.replace("2125ms", "2126ms"), [1.0, 2.625])
    assert longer.outcomes()[0] == "breaker_open"
    assert longer.responses()[0] == 2.125


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("{cockatiel: {consecutive: 5}}", "half_open_after"),
        ("{cockatiel: {half_open_after: 1s}}", "found none of them, expected consecutive, sampling or count"),
        ("{cockatiel: {half_open_after: 1s, consecutive: 5, count: {threshold: 1, size: 5}}}", "threshold"),
        (
            "{cockatiel: {half_open_after: 1s, count: {threshold: 50%, size: 5, minimum_number_of_calls: 6}}}",
            "it would never judge",
        ),
        ("{gobreaker: {bucket_period: 1s, interval: 10s}}", "expected all three"),
        ("{gobreaker: {failure_ratio: 50%, consecutive_failures: 3}}", "expected one of them"),
        ("{gobreaker: {minimum_requests: 3}}", "found minimum_requests without failure_ratio"),
    ],
)
def test_slips_are_told(words, message):
    with pytest.raises(ScenarioError, match=message):
        testing.play(TEXT.replace("{cockatiel: {half_open_after: 1s, consecutive: 1}}", words), [1.0])


# -- resilience4j ------------------------------------------------------------------------------------------------------


def automatic(**words):
    its = {"sliding_window_size": 2, "minimum_number_of_calls": 2, "wait_duration_in_open_state": "1s"}
    its |= {
        "permitted_number_of_calls_in_half_open_state": 2,
        "automatic_transition_from_open_to_half_open_enabled": True,
    }
    return breakers.new_breaker(CircuitBreaker.model_validate({"resilience4j": its | words}))


def test_resilience4j_is_half_open_by_itself_at_the_end_of_its_wait():
    """A scheduler turns it at opened + wait; without it the first call strictly after that does."""
    row, ring = automatic()
    late = breakers.admit(row, ring, 0.0)
    for _ in range(2):
        breakers.settle(row, ring, 0.0, breakers.admit(row, ring, 0.0), BAD, 0.1)
    assert breakers.state(row, 0.99) == OPEN
    assert breakers.state(row, 1.0) == HALF_OPEN
    assert row.since == 1.0
    breakers.settle(row, ring, 1.5, late, OK, 1.5)  # counts among the probes, though none was called
    assert row.calls == 1


def test_resilience4j_stays_open_for_longer_with_each_opening_until_it_has_closed():
    """waitIntervalFunctionInOpenState, ofExponentialBackoff(1,001 ms, 1.5, 3 s): 1,001, 1,501, 2,251, 3,000 (of 3,376) ms."""
    words = {"wait_duration_in_open_state": "1001ms", "exponential_backoff_multiplier": 1.5}
    row, ring = automatic(**words, exponential_max_wait_duration_in_open_state="3s")
    now, waits = 0.0, []
    for outcome in (BAD, BAD, BAD, BAD, BAD, OK, BAD):
        for _ in range(2):
            breakers.settle(row, ring, now, breakers.admit(row, ring, now), outcome, 0.1)
        if row.state == OPEN:
            waits.append(row.open_for)
            now = row.opened + row.open_for
            assert breakers.state(row, now - 0.001) == OPEN
            assert breakers.state(row, now) == HALF_OPEN
    assert waits == [1.001, 1.501, 2.251, 3.0, 3.0, 1.001]


def test_resilience4j_draws_its_wait_at_each_opening():
    """ofRandomized(1 s, 0.5): whole milliseconds from 500 to 1,500, all alike; three standard errors of the mean of 400 are 43 ms."""
    row, ring = automatic(randomized_wait_factor=0.5)
    row.luck = 4711
    now, waits = 0.0, []
    for _ in range(400):
        for _ in range(2):
            breakers.settle(row, ring, now, breakers.admit(row, ring, now), BAD, 0.1)
        waits.append(round(1000 * row.open_for, 9))
        now = row.opened + row.open_for
        assert breakers.state(row, now - 0.0005) == OPEN
        assert breakers.state(row, now) == HALF_OPEN
    assert all(wait == int(wait) for wait in waits)
    assert (min(waits) >= 500, max(waits) <= 1500) == (True, True)
    assert (min(waits) < 520, max(waits) > 1480, len(set(waits)) > 250) == (True, True, True)
    assert sum(waits) / 400 == pytest.approx(1000, abs=43)


def test_a_breaker_of_a_process_that_begins_anew_draws_anew():
    """Its states are counted from the beginning, but no instant comes again."""
    row, ring = automatic(randomized_wait_factor=0.5)
    row.luck = 4711
    waits = set()
    for life in range(20):
        for _ in range(2):
            breakers.settle(row, ring, 60.0 * life, breakers.admit(row, ring, 60.0 * life), BAD, 0.1)
        waits.add(row.open_for)
        row, ring = automatic(randomized_wait_factor=0.5)
        row.luck = 4711
    assert len(waits) > 15


def test_each_replica_of_a_caller_waits_as_long_as_its_own_luck_says():
    """All fails: both open at their second failure, and again at each trial; no two waits are alike."""
    text = """
    duration: 40s
    traffic: {clients: {sends: front.get}}
    services:
      front: {replicas: 2, workers: unlimited, endpoints: {get: [{call: back.get, policy: p}]}}
      back: {workers: unlimited, endpoints: {get: [{fail: 100%}]}}
    policies: {p: {circuit_breaker: {resilience4j: {sliding_window_size: 2, minimum_number_of_calls: 2, MORE}}}}
    """
    more = (
        "permitted_number_of_calls_in_half_open_state: 1, wait_duration_in_open_state: 5s, randomized_wait_factor: 50%"
    )
    run = testing.play(text.replace("MORE", more), [index * 0.01 for index in range(3900)])
    opened = [(event.subject, event.time) for event in run.events("breaker_opened")]
    tried = [(event.subject, event.time) for event in run.events("breaker_half_opened")]
    waits = {}
    for caller in ("front[0]", "front[1]"):
        begun, ended = ([time for who, time in its if who == caller] for its in (opened, tried))
        waits[caller] = [end - begin for begin, end in zip(begun, ended, strict=False)]
        assert len(waits[caller]) >= 4
        assert all(2.5 <= wait <= 7.53 for wait in waits[caller])
    assert len({round(wait, 2) for its in waits.values() for wait in its}) >= 8


def test_resilience4j_caps_also_a_wait_that_does_not_grow():
    """ofExponentialBackoff(60 s, 1, 5 s) is min(60 s, 5 s)."""
    words = {"wait_duration_in_open_state": "1m", "exponential_backoff_multiplier": 1}
    row, ring = automatic(**words, exponential_max_wait_duration_in_open_state="5s")
    for _ in range(2):
        breakers.settle(row, ring, 0.0, breakers.admit(row, ring, 0.0), BAD, 0.1)
    assert row.open_for == 5.0
    assert breakers.state(row, 4.999) == OPEN
    assert breakers.state(row, 5.0) == HALF_OPEN


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("{wait_duration_in_open_state: 500us}", "wait_duration_in_open_state"),
        ("{wait_duration_in_open_state: 999us}", "wait_duration_in_open_state"),
        ("{max_wait_duration_in_half_open_state: 999us}", "expected 0 or at least 1ms"),
        ("{exponential_backoff_multiplier: 0.9}", "exponential_backoff_multiplier"),
    ],
)
def test_what_resilience4j_refuses_is_told(words, message):
    text = TEXT.replace("{cockatiel: {half_open_after: 1s, consecutive: 1}}", f"{{resilience4j: {words}}}")
    with pytest.raises(ScenarioError, match=message):
        testing.play(text, [1.0])


def test_resilience4j_takes_a_millisecond():
    row, _ = automatic(wait_duration_in_open_state="1ms", max_wait_duration_in_half_open_state="1ms")
    assert (row.open_for, row.half_open_for) == (0.001, 0.001)


def test_resilience4j_that_turns_by_itself_waits_for_probes_from_then_on():
    row, ring = automatic(max_wait_duration_in_half_open_state="500ms")
    for _ in range(2):
        breakers.settle(row, ring, 0.0, breakers.admit(row, ring, 0.0), BAD, 0.1)
    states = {0.5: OPEN, 1.0: HALF_OPEN, 1.4: HALF_OPEN, 1.5: OPEN, 2.4: OPEN, 2.5: HALF_OPEN, 3.1: OPEN}
    assert {now: breakers.state(row, now) for now in states} == states
