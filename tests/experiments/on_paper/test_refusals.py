"""The shares refused against limits that count one arrival after the other."""

from __future__ import annotations

import math
import random

import pytest

from sim.experiments.on_paper.refusals import bucket_accepts, erlang_b, refused_share
from sim.spec.gateway import RateLimit

N = 150_000


def bucket(rate, limit, tokens):
    """A bucket that is refilled all the time."""
    dice, now, last, left, refused = random.Random(4), 0.0, 0.0, float(tokens), 0
    for _ in range(N):
        now += dice.expovariate(rate)
        left, last = min(float(tokens), left + (now - last) * limit), now
        if left >= 1.0:
            left -= 1.0
        else:
            refused += 1
    return refused / N


def window(rate, most, seconds, sliding):
    """A fixed window of the clock, or the last so many seconds."""
    dice, now, seen, refused = random.Random(4), 0.0, [], 0
    for _ in range(N):
        now += dice.expovariate(rate)
        since = now - seconds if sliding else now // seconds * seconds
        while seen and seen[0] <= since and (sliding or seen[0] < since):
            seen.pop(0)
        if len(seen) < most:
            seen.append(now)
        else:
            refused += 1
    return refused / N


@pytest.mark.parametrize(("load", "tokens"), [(0.5, 1), (0.5, 2), (0.9, 5), (1.0, 10), (1.5, 4), (3.0, 40)])
def test_a_bucket_of_poisson_arrivals(load, tokens):
    assert 1.0 - bucket_accepts(load, tokens) == pytest.approx(bucket(load, 1.0, tokens), abs=0.006)


@pytest.mark.parametrize("load", [1e9, 1e300, math.inf])
def test_one_token_lets_one_pass_in_its_time_whatever_comes(load):
    """M/D/1 without a queue: 1 of 1 + load, and no table of as many terms."""
    assert bucket_accepts(load, 1) == 1.0 / (1.0 + load)


def test_one_token_refuses_whoever_comes_before_the_next():
    """Half the rate of the limit: a third (nginx without burst)."""
    limit = RateLimit.model_validate({"per": "all", "rate": "100/s", "burst": 1})
    assert refused_share(limit, 50.0) == pytest.approx(1 / 3)


def test_gcra_lets_one_more_than_its_burst_pass():
    gcra = RateLimit.model_validate({"per": "all", "rate": "10/s", "algorithm": "gcra", "burst": 3})
    assert refused_share(gcra, 8.0) == pytest.approx(1.0 - bucket_accepts(0.8, 4))


@pytest.mark.parametrize(("algorithm", "sliding"), [("fixed_window", False), ("sliding_log", True)])
@pytest.mark.parametrize("rate", [6.0, 10.0, 25.0])
def test_limits_that_count_in_windows(algorithm, sliding, rate):
    limit = RateLimit.model_validate({"per": "all", "rate": "10/s", "algorithm": algorithm, "window": "1s"})
    assert refused_share(limit, rate) == pytest.approx(window(rate, 10, 1.0, sliding), abs=0.006)


@pytest.mark.parametrize("load", [1900.0, 2000.0, 2200.0, 9000.0])
def test_many_servers_are_as_a_little_fewer(load):
    """Where the sum gives way to the normal approximation nothing jumps."""
    assert erlang_b(load, 2001) == pytest.approx(erlang_b(load, 2000), abs=1e-3)


def test_five_places_asked_for_ten_times_over():
    """Erlang's table: 10 erlangs on 5 circuits."""
    assert erlang_b(10.0, 5) == pytest.approx(0.5640, abs=1e-4)
    assert refused_share(RateLimit.model_validate({"per": "all", "rate": "10/s"}), 1e7) == pytest.approx(1.0, abs=1e-5)
