"""Which outcomes are retried, and the pauses before it."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policies.retry import backoff_after, new_retry, retryable
from sim.spec.policy import Retry
from sim.vocabulary import Outcome


def retry(backoff, jitter="none", **settings):
    return new_retry(Retry(backoff=backoff, jitter=jitter, **settings))


def backoff(row, k, u, previous):
    return backoff_after(row, Outcome.TIMEOUT, k, u, previous)


def pauses(row, count):
    return [backoff(row, k, 0.5, 0.0) for k in range(1, count + 1)]


def test_timeout_error_unreachable_and_shed_are_retried_unless_said_otherwise():
    row = new_retry(Retry())
    assert {outcome for outcome in Outcome if retryable(row, outcome)} == {
        Outcome.TIMEOUT,
        Outcome.ERROR,
        Outcome.UNREACHABLE,
        Outcome.SHED,
    }


def test_on_says_what_is_retried():
    row = new_retry(Retry(on=["rate_limited", "breaker_open"]))
    assert [
        retryable(row, outcome) for outcome in (Outcome.RATE_LIMITED, Outcome.BREAKER_OPEN, Outcome.TIMEOUT, Outcome.OK)
    ] == [1, 1, 0, 0]


def test_oracle_16_three_attempts_are_three_attempts():
    row, attempts = new_retry(Retry(max_attempts=3)), 1
    while attempts < row.max_attempts and retryable(row, Outcome.ERROR):
        attempts += 1
    assert attempts == 3


def test_constant_linear_and_exponential_pauses():
    assert pauses(retry({"constant": "100ms"}), 3) == [0.1, 0.1, 0.1]
    assert pauses(retry({"linear": "250ms"}), 4) == [0.25, 0.5, 0.75, 1.0]
    assert pauses(retry({"exponential": "250ms"}), 4) == [0.25, 0.5, 1.0, 2.0]
    assert pauses(retry({"exponential": {"base": "1s", "multiplier": "1.5x"}}), 3) == [1.0, 1.5, 2.25]


def test_no_pause_is_longer_than_the_longest():
    assert pauses(retry({"linear": {"base": "1s", "max": "2500ms"}}), 4) == [1.0, 2.0, 2.5, 2.5]
    assert pauses(retry({"exponential": {"base": "1s", "max": "3s"}}), 4) == [1.0, 2.0, 3.0, 3.0]


def test_pauses_that_shrink_come_down_from_the_longest():
    """10, 5, 2.5 and 1.25 s, at most 3 s."""
    shrinking = {"exponential": {"base": "10s", "max": "3s", "multiplier": 0.5}}
    assert pauses(retry(shrinking), 4) == [3.0, 3.0, 2.5, 1.25]


def test_the_pause_before_the_thousandth_attempt_is_no_error():
    assert backoff(retry({"exponential": "1s"}), 1999, 0.5, 0.0) == math.inf
    assert backoff(retry({"exponential": {"base": "1s", "max": "20s"}}), 1999, 0.5, 0.0) == 20.0


def test_a_share_of_jitter_is_both_ways_and_never_beyond_the_longest():
    """ExponentialBackoff of Kafka's clients: random(0.8, 1.2) * 100 ms * 2**k, at most 1 s."""
    row = retry({"exponential": {"base": "100ms", "max": "1s"}}, "20%")
    assert [backoff(row, k, 0.0, 0.0) for k in (1, 2, 5, 9)] == pytest.approx([0.08, 0.16, 0.8, 0.8])
    assert [backoff(row, k, 0.5, 0.0) for k in (1, 2, 4, 5)] == pytest.approx([0.1, 0.2, 0.8, 1.0])
    assert [backoff(row, k, 1.0, 0.0) for k in (1, 2, 4, 5)] == pytest.approx([0.12, 0.24, 0.96, 1.0])


def test_full_jitter_is_uniform_from_zero_to_the_pause():
    row = retry({"exponential": {"base": "1s", "max": "3s"}}, "full")
    assert [backoff(row, k, 0.25, 0.0) for k in (1, 2, 3)] == [0.25, 0.5, 0.75]


def test_equal_jitter_keeps_half_the_pause():
    row = retry({"exponential": "1s"}, "equal")
    assert [backoff(row, 2, u, 0.0) for u in (0.0, 0.5, 1.0)] == [1.0, 1.5, 2.0]


def test_decorrelated_jitter_grows_from_the_pause_before():
    row = retry({"exponential": {"base": "1s", "max": "10s"}}, "decorrelated")
    assert [backoff(row, 1, u, row.base) for u in (0.0, 0.5, 1.0)] == [1.0, 2.0, 3.0]
    assert [backoff(row, 2, u, 3.0) for u in (0.0, 0.5, 1.0)] == [1.0, 5.0, 9.0]
    assert backoff(row, 3, 1.0, 9.0) == 10.0


uniforms = st.floats(2**-53, 1 - 2**-53)


@settings(deadline=None)
@given(st.sampled_from(["constant", "linear", "exponential"]), st.integers(1, 60), uniforms)
def test_jitter_stays_in_its_range(growth, k, u):
    body = {"base": "100ms", "max": "20s"} if growth != "constant" else "100ms"
    pause = backoff(retry({growth: body}), k, u, 0.0)
    assert 0.0 < backoff(retry({growth: body}, "full"), k, u, 0.0) <= pause
    assert pause / 2 <= backoff(retry({growth: body}, "equal"), k, u, 0.0) <= pause


@settings(deadline=None)
@given(uniforms, st.floats(0.1, 20.0))
def test_decorrelated_jitter_stays_in_its_range(u, previous):
    row = retry({"exponential": {"base": "100ms", "max": "20s"}}, "decorrelated")
    assert 0.1 <= backoff(row, 5, u, previous) <= min(20.0, 3 * previous) * (1 + 1e-15)


@pytest.mark.parametrize(("jitter", "mean"), [("full", 0.5), ("equal", 0.75), ("none", 1.0)])
def test_the_mean_pause_of_each_jitter(jitter, mean):
    row, chance = retry({"constant": "1s"}, jitter), random.Random(1)
    assert sum(backoff(row, 1, chance.random(), 0.0) for _ in range(20000)) / 20000 == pytest.approx(mean, abs=0.01)
