"""The article's breaker: `failures` failed attempts within a time."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policies.breaker import CLOSED, HALF_OPEN, OPEN, REJECTED, admit, give_back, new_breaker, record, state
from sim.spec.policy import CircuitBreaker


def breaker(failures=3, within="1s", open_for="10s", probes=1):
    return new_breaker(CircuitBreaker(failures=failures, within=within, open_for=open_for, half_open_calls=probes))


def call(it, now, failed):
    row, ring = it
    ticket = admit(row, ring, now)
    assert ticket >= 0
    record(row, ring, now, ticket, failed, 0.0)
    return state(row, now)


def opened(at=0.0, **settings):
    it = breaker(**settings)
    while call(it, at, 1) == CLOSED:
        pass
    return it


def test_the_last_of_enough_failures_within_the_time_opens_it():
    it = breaker(3)
    assert [call(it, t, 1) for t in (0.0, 0.5, 0.9)] == [CLOSED, CLOSED, OPEN]


def test_a_failure_exactly_the_time_ago_no_longer_counts():
    it = breaker(2, "1s")
    assert call(it, 1.0, 1) == CLOSED
    assert call(it, 2.0, 1) == CLOSED
    assert call(it, 2.999, 1) == OPEN


def test_failures_count_whatever_lies_between_them():
    it = breaker(2)
    assert [call(it, 0.1 * i, failed) for i, failed in enumerate([1, 0, 0, 1])] == [CLOSED, CLOSED, CLOSED, OPEN]


def test_one_failure_opens_a_breaker_of_one():
    assert call(breaker(1), 5.0, 1) == OPEN


def test_an_open_breaker_rejects_until_its_time_is_over_and_then_admits_a_probe():
    row, ring = opened(at=5.0, open_for="10s")
    assert admit(row, ring, 5.0) == REJECTED
    assert admit(row, ring, 14.999) == REJECTED
    assert state(row, 15.0) == OPEN  # nobody has come
    assert admit(row, ring, 15.0) >= 0
    assert state(row, 15.0) == HALF_OPEN


def test_a_half_open_breaker_admits_exactly_its_probes():
    row, ring = opened(probes=3)
    assert [admit(row, ring, 10.0) >= 0 for _ in range(5)] == [True] * 3 + [False] * 2


def test_all_probes_good_close_it_with_nothing_remembered():
    row, ring = opened(failures=2, probes=2)
    tickets = [admit(row, ring, 10.0) for _ in range(2)]
    record(row, ring, 10.1, tickets[0], 0, 0.1)
    assert state(row, 10.1) == HALF_OPEN
    record(row, ring, 10.2, tickets[1], 0, 0.1)
    assert state(row, 10.2) == CLOSED
    assert call((row, ring), 10.3, 1) == CLOSED
    assert call((row, ring), 10.4, 1) == OPEN


def test_a_failed_probe_opens_it_at_once_for_the_whole_time():
    row, ring = opened(probes=3, open_for="10s")
    tickets = [admit(row, ring, 10.0) for _ in range(3)]
    record(row, ring, 11.0, tickets[1], 1, 1.0)
    assert state(row, 11.0) == OPEN
    assert admit(row, ring, 20.9) == REJECTED
    assert admit(row, ring, 21.0) >= 0


def test_probes_that_end_after_another_one_failed_are_ignored():
    row, ring = opened(probes=3)
    tickets = [admit(row, ring, 10.0) for _ in range(3)]
    record(row, ring, 11.0, tickets[0], 1, 1.0)
    probe = admit(row, ring, 21.0)
    record(row, ring, 21.1, tickets[1], 0, 11.1)
    record(row, ring, 21.2, tickets[2], 1, 11.2)
    assert state(row, 21.2) == HALF_OPEN
    assert (row.calls, row.permits) == (0, 2)
    record(row, ring, 21.3, probe, 1, 0.3)
    assert state(row, 21.3) == OPEN


def test_results_of_calls_admitted_before_it_opened_are_ignored_in_every_later_state():
    row, ring = breaker(2, probes=2)
    early = [admit(row, ring, 0.0) for _ in range(6)]
    for ticket in early[:2]:
        record(row, ring, 0.5, ticket, 1, 0.5)
    before = row.since
    record(row, ring, 0.6, early[2], 1, 0.6)  # open
    assert row.since == before
    probes = [admit(row, ring, 10.5) for _ in range(2)]
    record(row, ring, 10.6, early[3], 1, 10.6)  # half-open
    assert state(row, 10.6) == HALF_OPEN
    for ticket in probes:
        record(row, ring, 10.7, ticket, 0, 0.2)
    record(row, ring, 10.8, early[4], 1, 10.8)  # closed again
    record(row, ring, 10.8, early[5], 1, 10.8)
    assert state(row, 10.8) == CLOSED
    assert row.calls == 0


def test_a_probe_given_back_leaves_its_permit_to_another():
    row, ring = opened(probes=1)
    ticket = admit(row, ring, 10.0)
    assert admit(row, ring, 10.0) == REJECTED
    give_back(row, ring, 10.0, ticket)
    again = admit(row, ring, 10.1)
    assert again >= 0
    record(row, ring, 10.2, again, 0, 0.1)
    assert state(row, 10.2) == CLOSED


def test_a_permit_of_an_earlier_period_is_not_given_back():
    row, ring = breaker(1, probes=1)
    early, failing = admit(row, ring, 0.0), admit(row, ring, 0.0)
    record(row, ring, 0.0, failing, 1, 0.0)
    admit(row, ring, 10.0)
    give_back(row, ring, 10.1, early)
    assert admit(row, ring, 10.2) == REJECTED


def test_a_period_is_counted_for_each_change_of_state():
    row, ring = opened()
    ticket = admit(row, ring, 10.0)
    record(row, ring, 10.0, ticket, 0, 0.0)
    assert (row.period, row.state, row.since) == (3, CLOSED, 10.0)


class Slowly:
    """The rule of semantics 1.10, with a list of stamps."""

    def __init__(self, failures, within, open_for, probes):
        self.failures, self.within, self.open_for, self.probes = failures, within, open_for, probes
        self.period, self.state, self.since, self.stamps, self.good, self.out = 0, CLOSED, 0.0, [], 0, 0

    def turn(self, to, now):
        self.period, self.state, self.since, self.stamps, self.good, self.out = self.period + 1, to, now, [], 0, 0

    def admit(self, now):
        if self.state == OPEN and now >= self.since + self.open_for:
            self.turn(HALF_OPEN, now)
        if self.state == OPEN or (self.state == HALF_OPEN and self.out == self.probes):
            return REJECTED
        self.out += self.state == HALF_OPEN
        return self.period

    def record(self, now, ticket, failed):
        if ticket != self.period:
            return
        if self.state == CLOSED:
            self.stamps += [now] * failed
            if len([t for t in self.stamps if t > now - self.within]) >= self.failures:
                self.turn(OPEN, now)
        elif failed:
            self.turn(OPEN, now)
        else:
            self.good += 1
            if self.good == self.probes:
                self.turn(CLOSED, now)

    def give_back(self, ticket):
        self.out -= ticket == self.period and self.state == HALF_OPEN


@pytest.mark.parametrize("settings", [(1, 1.0, 0.5, 1), (3, 1.0, 2.0, 1), (5, 2.0, 1.0, 3), (8, 4.0, 0.5, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_it_does_what_the_rule_says_over_long_random_runs(settings, seed):
    chance, model = random.Random(seed), Slowly(*settings)
    failures, within, open_for, probes = settings
    row, ring = breaker(failures, f"{within}s", f"{open_for}s", probes)
    now, inside = 0.0, []
    for _ in range(4000):
        now += chance.choice([0.0, 0.125, chance.expovariate(10.0)])  # eighths meet the boundaries exactly
        what = chance.random()
        if what < 0.5:
            ticket = admit(row, ring, now)
            assert ticket == model.admit(now)
            if ticket >= 0:
                inside.append(ticket)
        elif inside:
            ticket = inside.pop(chance.randrange(len(inside)))
            if what < 0.95:
                failed = int(chance.random() < 0.4)
                record(row, ring, now, ticket, failed, 0.1)
                model.record(now, ticket, failed)
            else:
                give_back(row, ring, now, ticket)
                model.give_back(ticket)
        assert (state(row, now), row.period, row.since) == (model.state, model.period, model.since)
    assert row.period > 20


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 3), st.booleans())), st.integers(1, 4), st.integers(1, 3))
def test_it_never_admits_while_open(steps, failures, probes):
    row, ring = breaker(failures, "1s", "2s", probes)
    now, closed_until = 0.0, -1.0
    for pause, failed in steps:
        now += pause
        ticket = admit(row, ring, now)
        assert (ticket == REJECTED) == (now < closed_until)
        if ticket >= 0:
            record(row, ring, now, ticket, int(failed), 0.0)
            if row.state == OPEN:
                closed_until = now + 2.0
