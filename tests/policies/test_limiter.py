"""Rate limiters: the oracles, the boundaries, the guarantees, and the odds under Poisson arrivals."""

import copy
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policies.base import passed
from sim.policies.limiter import ALLOWED, allow, look, new_limiter, take
from sim.spec.gateway import RateLimit

GO = json.loads((Path(__file__).parent.parent / "golden" / "go_rate_unit_tests.json").read_text())
ALGORITHMS = ["token_bucket", "fixed_window", "sliding_window_counter", "sliding_log", "gcra"]


def limiter(algorithm, rate="1/s", burst=1, window="1s"):
    return new_limiter(RateLimit(per="all", rate=rate, burst=burst, window=window, algorithm=algorithm))


def allowed(it, *times):
    return [allow(*it, t) == ALLOWED for t in times]


def passes(it, now, asked=1000):
    return sum(allowed(it, *[now] * asked))


# --- token bucket


@pytest.mark.parametrize("name", ["TestLimiterBurst1", "TestLimiterBurst3"])
def test_the_token_bucket_passes_gos_own_tests(name):
    it = limiter("token_bucket", "10/s", GO[name]["burst"])
    for tick, tokens, wanted, granted in GO[name]["steps"]:
        assert passes(copy.deepcopy(it), tick * 0.1) == tokens
        assert granted == (wanted <= tokens)
        if granted:
            assert passes(it, tick * 0.1, wanted) == wanted


def test_the_token_bucket_keeps_gos_long_running_rate():
    case = GO["TestLongRunningQPS"]
    it = limiter("token_bucket", f"{case['limit']}/s", case["burst"])
    granted = sum(allowed(it, *[i / case["offered_per_s"] for i in range(case["seconds"] * case["offered_per_s"] + 1)]))
    assert case["allowed_min"] <= granted <= case["allowed_max"]


def test_a_token_bucket_starts_full_and_holds_no_more_than_its_burst():
    it = limiter("token_bucket", "1/s", 3)
    assert passes(it, 0.0) == 3
    assert passes(it, 1000.0) == 3


def test_a_token_bucket_tells_when_the_missing_part_of_a_token_comes():
    it = limiter("token_bucket", "2/s", 1)
    assert allow(*it, 0.0) == ALLOWED
    assert allow(*it, 0.125) == 0.375


@pytest.mark.parametrize("rate", [0.3, 3, 7, 10, 49, 1000 / 3, 9999])
@pytest.mark.parametrize("algorithm", ["token_bucket", "gcra"])
def test_a_request_every_period_is_always_allowed(algorithm, rate):
    it = limiter(algorithm, f"{rate}/s", window=f"{1 / rate}s")
    passes(it, 0.0)
    start = 1 / rate if algorithm == "token_bucket" else 1e4
    assert all(allowed(it, *[start + i / rate for i in range(2000)]))


def test_late_in_a_long_run_the_last_bits_of_the_clock_refuse_nobody():
    it = limiter("token_bucket", "10000/s")
    now = 900_000.0
    passes(it, now)
    assert all(allowed(it, *[now + i / 10_000 for i in range(1, 2000)]))


# --- fixed window


def test_oracle_9_a_fixed_window_lets_twice_its_limit_pass_around_a_boundary_a_sliding_one_does_not():
    kong, advanced = (
        limiter(algorithm, "5/m", window="1m") for algorithm in ("fixed_window", "sliding_window_counter")
    )
    assert (passes(kong, 59.0, 5), passes(kong, 60.0, 5)) == (5, 5)
    assert (passes(advanced, 59.0, 5), passes(advanced, 60.0, 5)) == (5, 0)


def test_windows_are_aligned_to_time_zero_and_the_answer_is_the_rest_of_the_window():
    it = limiter("fixed_window", "1/s", window="2s")
    assert passes(it, 1.5) == 2
    assert allow(*it, 1.75) == 0.25
    assert passes(it, 2.0) == 2


def test_a_window_begins_at_its_time_also_where_floats_say_otherwise():
    for tenths in range(1, 2000):  # 0.3 / 0.1 is 2.9999999999999996
        it = limiter("fixed_window", "10/s", window="100ms")
        assert passes(it, tenths * 0.1 - 0.05) == 1
        assert allow(*it, tenths / 10) == ALLOWED


@pytest.mark.parametrize(
    ("rate", "window", "limit"),
    [("7/m", "1m", 7), ("100/m", "1m", 100), ("2.5/s", "1s", 2), ("30/m", "1s", 1), ("0.1/s", "10s", 1)],
)
def test_the_limit_is_the_whole_part_of_rate_times_window_and_at_least_one(rate, window, limit):
    for algorithm in ("fixed_window", "sliding_window_counter", "sliding_log"):
        assert passes(limiter(algorithm, rate, window=window), 0.0) == limit


# --- sliding window


def test_a_sliding_window_weighs_the_one_before_by_what_is_left_of_it():
    it = limiter("sliding_window_counter", "10/s")
    assert passes(it, 0.5) == 10
    assert passes(it, 1.25) == 3  # 10 * 0.75 = 7.5
    assert passes(it, 1.5) == 2  # 5 + 3
    assert passes(it, 3.0) == 10  # nothing in the window before


def test_a_sliding_window_tells_when_there_is_room_again():
    it = limiter("sliding_window_counter", "10/s")
    passes(it, 0.5)
    assert allow(*it, 0.75) == pytest.approx(0.25, abs=1e-6)  # this window is full
    assert allow(*it, 1.0) == pytest.approx(0.0, abs=1e-6)
    passes(it, 1.25)
    assert allow(*it, 1.25) == pytest.approx(0.05, abs=1e-6)  # 10 * (1 - 0.3) + 3 = 10


# --- sliding log


def test_a_sliding_log_forgets_a_request_that_is_older_than_a_window():
    it = limiter("sliding_log", "2/s")
    assert allowed(it, 0.0, 0.5, 0.75, 1.0, 1.001, 1.25, 1.5, 1.501) == [True] * 2 + [False] * 2 + [True] + [
        False,
        False,
        True,
    ]
    assert allow(*it, 1.751) == pytest.approx(0.25, abs=1e-9)


# --- GCRA


def test_oracle_10_gcra_passes_one_more_than_its_burst_and_tells_when():
    it = limiter("gcra", "1/s", 2)
    assert allowed(it, 0.0, 0.0, 0.0) == [True] * 3
    assert allow(*it, 0.0) == 1.0
    assert allowed(it, 1.0, 1.0) == [True, False]


def test_gcra_is_a_token_bucket_with_one_more_token():
    bucket, gcra, chance, now = limiter("token_bucket", "10/s", 4), limiter("gcra", "10/s", 3), random.Random(5), 0.0
    for _ in range(20_000):
        now += chance.expovariate(12.0)
        assert (allow(*bucket, now) == ALLOWED) == (allow(*gcra, now) == ALLOWED)


# --- all of them

streams = st.lists(
    st.one_of(st.just(0.0), st.floats(0, 0.5), st.sampled_from([0.1, 0.25, 1.0, 1e-9, 100.0])), min_size=1, max_size=120
)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(deadline=None)
@given(gaps=streams, start=st.sampled_from([0.0, 86400.0]))
def test_a_refused_request_changes_nothing_and_may_succeed_when_told(algorithm, gaps, start):
    it, now = limiter(algorithm, "7/s", 3), start
    for gap in gaps:
        now += gap
        before = copy.deepcopy(it)
        wait = allow(*it, now)
        if wait != ALLOWED:
            assert wait >= 0.0
            assert it == before
            assert allow(*before, now + wait) == ALLOWED


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(deadline=None)
@given(gaps=streams)
def test_a_look_changes_nothing_and_what_it_promises_is_there_to_take(algorithm, gaps):
    """Asked twice, then taken: the same answers, and the same state, as those of one who asks and takes at once."""
    one, other, now = limiter(algorithm, "7/s", 3), limiter(algorithm, "7/s", 3), 0.0
    for gap in gaps:
        now += gap
        before = copy.deepcopy(one)
        first, second = look(*one, now), look(*one, now)
        assert one == before
        if first == ALLOWED:
            take(*one, now)
        assert first == second == allow(*other, now)
        assert one == other


@pytest.mark.parametrize(("algorithm", "at_once"), [("token_bucket", 4), ("gcra", 5)])
@settings(deadline=None)
@given(gaps=streams)
def test_over_any_time_no_more_than_burst_plus_rate_times_time_are_allowed(algorithm, at_once, gaps):
    it, now, granted = limiter(algorithm, "7/s", 4), 0.0, []
    for gap in gaps:
        now += gap
        if allow(*it, now) == ALLOWED:
            granted.append(now)
    for i, first in enumerate(granted):
        for j, last in enumerate(granted[i:]):
            assert j + 1 <= at_once + 7 * (last - first) + 1e-6


@settings(deadline=None)
@given(gaps=streams)
def test_a_fixed_window_allows_its_limit_at_most(gaps):
    it, now, counts = limiter("fixed_window", "5/s"), 0.0, {}
    for gap in gaps:
        now += gap
        if allow(*it, now) == ALLOWED:
            counts[int(now + 1e-9)] = counts.get(int(now + 1e-9), 0) + 1
    assert max(counts.values()) <= 5


@settings(deadline=None)
@given(gaps=streams)
def test_a_sliding_log_is_exact(gaps):
    it, now, stamps = limiter("sliding_log", "5/s"), 0.0, []
    for gap in gaps:
        now += gap
        room = sum(not passed(now, stamp + 1.0) for stamp in stamps) < 5
        assert (allow(*it, now) == ALLOWED) == room
        stamps += [now] * room


@pytest.mark.parametrize("window", ["1s", "1ms"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_obedient_client_waits_once_for_each_request(algorithm, window):
    """No waiting of nearly nothing again and again, which would never end in a simulator."""
    it, now, asked = limiter(algorithm, "3000/s", 2, window), 86_400.0, 0
    for _ in range(5000):
        while (wait := allow(*it, now)) != ALLOWED:
            now += wait
            asked += 1
    assert asked <= 5000
    assert now - 86_400.0 == pytest.approx(5000 / 3000, rel=0.5)


def refusal_share(it, rate, count, seed=1):
    chance, now, refused = random.Random(seed), 0.0, 0
    for _ in range(count):
        now += chance.expovariate(rate)
        refused += allow(*it, now) != ALLOWED
    return refused / count


@pytest.mark.parametrize(
    ("rate", "burst", "expected"),
    [
        (50, 1, 0.333333333),
        (80, 1, 0.444444444),
        (80, 5, 0.0352903964),
        (80, 10, 0.00363923114),
        (95, 20, 0.00806864964),
        (100, 10, 0.0508474576),
        (120, 10, 0.170910769),
        (200, 10, 0.500000088),
        (200, 50, 0.5),
    ],
)
def test_golden_t16a_share_refused_by_a_token_bucket(rate, burst, expected):
    assert refusal_share(limiter("token_bucket", "100/s", burst), rate, 200_000) == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize(
    ("limit", "window", "rate", "expected"),
    [
        (10, 1, 8, 0.053232982),
        (10, 1, 10, 0.125110036),
        (10, 1, 15, 0.342455947),
        (100, 1, 90, 0.00833191834),
        (100, 60, 1.5, 0.00833191834),
    ],
)
def test_golden_t16c_share_refused_by_a_fixed_window(limit, window, rate, expected):
    assert refusal_share(
        limiter("fixed_window", f"{limit / window}/s", window=f"{window}s"), rate, 200_000
    ) == pytest.approx(expected, abs=0.003)
