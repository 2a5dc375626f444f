"""Finagle's retry budget."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policies.budget import balance, deposit, new_budget, withdraw
from sim.spec.policy import Budget


def budget(ratio="20%", per_second=0.0, ttl="10s"):
    return new_budget(Budget(ratio=ratio, min_per_second=per_second, ttl=ttl))


def deposits(it, count, now=0.0):
    for _ in range(count):
        deposit(*it, now)


def withdrawals(it, now=0.0, most=10**6):
    return next(count for count in range(most + 1) if count == most or not withdraw(*it, now))


def test_a_new_budget_without_reserve_allows_nothing():
    assert withdrawals(budget()) == 0


def test_twenty_percent_is_one_retry_for_five_requests():
    it = budget("20%")
    deposits(it, 4)
    assert withdraw(*it, 0.0) == 0
    deposits(it, 1)
    assert [withdraw(*it, 0.0), withdraw(*it, 0.0)] == [1, 0]


def test_a_ratio_above_one_allows_several_retries_for_a_request():
    it = budget(2.0)
    deposits(it, 3)
    assert withdrawals(it) == 6


def test_a_refused_withdrawal_takes_nothing():
    row, ring = budget()
    deposits((row, ring), 4)
    before = row.current
    withdraw(row, ring, 0.0)
    assert row.current == before


def test_the_reserve_is_the_least_per_second_times_the_ttl():
    assert withdrawals(budget("20%", 10.0)) == 100
    assert withdrawals(budget("20%", 0.5)) == 5


def test_with_ratio_zero_only_the_reserve_pays():
    it = budget(0.0, 1.0)
    deposits(it, 1000)
    assert withdrawals(it) == 10
    assert withdrawals(budget(0.0, 0.0)) == 0


def test_deposits_expire_after_about_the_ttl():
    for now, left in ((0.0, 7), (8.9, 7), (9.9, 7), (10.1, 0)):
        it = budget("100%")
        deposits(it, 7)
        assert balance(*it, now) == left


def test_a_budget_left_alone_for_long_is_empty():
    it = budget("100%")
    deposits(it, 7)
    assert balance(*it, 1e6) == 0


def test_what_was_taken_from_the_reserve_comes_back():
    it = budget(0.0, 1.0)
    assert withdrawals(it, 0.0) == 10
    assert withdrawals(it, 5.0) == 0
    assert withdrawals(it, 11.0) == 10


def test_slices_end_a_tenth_of_the_ttl_after_they_were_begun():
    row, ring = budget("100%")
    deposits((row, ring), 1, 0.5)
    deposits((row, ring), 2, 1.7)  # ends the slice of 0.5; the next begins now
    deposits((row, ring), 4, 2.6)
    assert (row.since, row.current, ring[0]) == (1.7, 6000.0, 1000.0)


def test_a_slice_ends_exactly_a_tenth_of_the_ttl_after_it_was_begun():
    for use in (deposit, withdraw):
        row, ring = budget()
        use(row, ring, 1.0)
        assert row.since == 1.0


@pytest.mark.parametrize("per_second", [0.0, 10.0])
def test_oracle_16_retries_at_twenty_percent_when_everything_fails(per_second):
    it = budget("20%", per_second)
    allowed, per_ten_seconds = 0, []
    for i in range(60_000):  # 1000 requests a second for a minute, each of which asks for a retry at once
        now = i / 1000
        deposit(*it, now)
        allowed += withdraw(*it, now)
        if i % 10_000 == 9_999:
            per_ten_seconds.append(allowed)
            allowed = 0
    assert all(count == pytest.approx(2000 + 10 * per_second, rel=0.01) for count in per_ten_seconds)


@pytest.mark.parametrize(("rate", "less"), [(2.0, 0.02), (50.0, 0.002), (1000.0, 0.001)])
def test_over_long_random_runs_retries_are_twenty_percent_of_requests_or_a_little_less(rate, less):
    """Less, because a retry counts for a little longer than the requests that paid for it, and whole retries are counted."""
    it, chance, now, requests, retries = budget("20%"), random.Random(3), 0.0, 0, 0
    while requests < 40_000:
        now += chance.expovariate(rate)
        requests += 1
        deposit(*it, now)
        for _ in range(3):
            retries += chance.random() < 0.9 and withdraw(*it, now)
    assert 0.2 - less < retries / requests <= 0.2


class Slowly:
    """TokenBucket.newLeakyBucket over WindowedAdder, as the Scala reads, in whole milliseconds."""

    def __init__(self, ttl, ratio, per_second):
        self.paid, self.cost = (1000, int(1000 / ratio)) if ratio else (0, 1)
        self.reserve, self.window, self.n = per_second * ttl * self.cost, ttl * 100, 9
        self.buffer, self.i, self.old, self.writer = [0] * self.n, 0, 0, 0

    def expired(self, now):
        self.buffer[self.i], self.writer = self.writer, 0
        self.i = (self.i + 1) % self.n
        skip = min((now - self.old) // self.window - 1, self.n)
        if skip > 0:
            r = min(skip, self.n - self.i)
            self.buffer[self.i : self.i + r] = [0] * r
            self.buffer[0 : skip - r] = [0] * (skip - r)
            self.i = (self.i + skip) % self.n
        self.old = now

    def add(self, now, x):
        if now - self.old >= self.window:
            self.expired(now)
        self.writer += x

    def count(self, now):
        self.add(now, 0)
        return self.writer + sum(self.buffer) + self.reserve

    def withdraw(self, now):
        if self.count(now) < self.cost:
            return 0
        self.add(now, -self.cost)
        return 1


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4000), st.booleans()), max_size=80),
    st.sampled_from([0.0, 0.1, 0.3, 2.0]),
    st.integers(0, 2),
    st.integers(1, 20),
)
def test_it_is_finagles_rule(steps, ratio, per_second, ttl):
    it, model, now, exact = budget(ratio, per_second, f"{ttl}s"), Slowly(ttl, ratio, per_second), 0.0, 0
    for pause, request in steps:
        now += pause / 1000
        exact += pause
        if request:
            deposit(*it, now)
            model.add(exact, model.paid)
        else:
            assert withdraw(*it, now) == model.withdraw(exact)
        assert balance(*it, now) == model.count(exact) // model.cost
