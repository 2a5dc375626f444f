"""Limits against what real libraries decided (`limit_decisions.json`), and Bucket4j against its documentation and its arithmetic.

Recorded from limits 5.8.0 and Flask-Limiter 4.1.1 under a clock of our own (on Redis: their scripts, run by fakeredis
2.41), and from RateLimiter.tryAcquire(1500 ms) of Guava 33.4.6. Among the times are many that meet a window's end.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from sim import testing
from sim.models.counters import counter_of
from sim.policies.limiter import ALLOWED
from sim.spec.limits import RateLimit

RECORDED = json.loads((Path(__file__).parent / "limit_decisions.json").read_text(encoding="utf-8"))
ALGORITHMS = {
    "fixed": "fixed_window",
    "moving": "sliding_log",
    "sliding": "sliding_window_counter",
    "fixed-window": "fixed_window",
    "moving-window": "sliding_log",
    "sliding-window-counter": "sliding_window_counter",
}
GATE = """
duration: 1h
traffic: {a: {sends: GET /}}
gateway: {workers: unlimited, rate_limits: [LIMITS], routes: {GET /: {to: s.get}}}
services: {s: {workers: unlimited, endpoints: {get: [{work: 1us}]}}}
"""


def limit(**words):
    return RateLimit.model_validate({"per": "all", **words})


def passed(spec, times):
    counter, found = counter_of(spec), ""
    for now in times:
        if counter.look(now) == ALLOWED:
            counter.take(now)
            found += "1"
        else:
            counter.deny(now)
            found += "0"
    return found


def rate_of(words):
    number, unit = words.split("/")
    return f"{number}/{unit[0]}"


def scope_of(case):
    return "node" if case["storage"] == "memory" else "cluster"


@pytest.mark.parametrize(
    "case", RECORDED["limits"], ids=lambda it: f"{it['storage']} {it['strategy']} {it['limit'].replace('/', ' a ')}"
)
def test_a_limit_decides_as_the_library_limits(case):
    spec = limit(
        preset="flask-limiter",
        rate=rate_of(case["limit"]),
        algorithm=ALGORITHMS[case["strategy"]],
        scope=scope_of(case),
    )
    assert passed(spec, case["times"]) == case["passed"]
    assert 0.2 < case["passed"].count("0") / len(case["passed"]) < 0.8


@pytest.mark.parametrize("case", RECORDED["flask-limiter"])
def test_several_limits_are_hit_in_the_order_of_flask_limiter(case):
    """Each string is a limit of its own in `rate_limits`; what stands in one, parted by semicolons, are its rates."""
    words = [
        f"{{per: all, preset: flask-limiter, algorithm: {ALGORITHMS[case['strategy']]}, scope: {scope_of(case)}, "
        f"rates: [{', '.join(map(rate_of, said.split(';')))}]}}"
        for said in case["limits"]
    ]
    run = testing.play(GATE.replace("LIMITS", ", ".join(words)), {"a": case["times"]})
    assert "".join("1" if outcome == "ok" else "0" for outcome in run.outcomes("a")) == case["passed"]


@pytest.mark.parametrize("case", RECORDED["guava"], ids=lambda it: f"{it['rate']} a second, {it['warm_up']} s")
def test_waits_are_those_of_guava_to_the_microsecond(case):
    warm_up = {"warm_up": f"{case['warm_up']}s"} if case["warm_up"] else {}
    counter = counter_of(limit(preset="guava", rate=f"{case['rate']}/s", wait="1500ms", **warm_up))
    for micros, wait in zip(case["micros"], case["waits"], strict=True):
        now = micros / 1e6
        if counter.look(now) == ALLOWED:
            assert round(counter.hold(now) * 1e6) == wait
            counter.take(now)
        else:
            assert wait == -1


# --- by hand

REDIS = {"scope": "cluster"}


@pytest.mark.parametrize(
    ("words", "times", "expected"),
    [
        # entry.atime >= timestamp - expiry: exactly a window old still counts
        ({"algorithm": "sliding_log"}, [0.0, 0.5, 1.0, 1.001, 1.5, 1.502], "110101"),
        # the window goes from the first request, 0.25; at 1.25 its key is there for that millisecond
        (REDIS, [0.25, 0.25, 0.75, 1.25, 1.251], "11001"),
        # in memory, where it is unless told otherwise, it is over at its very end
        ({}, [0.25, 0.25, 0.75, 1.25, 1.251], "11011"),
        # at 1.5 the window from 0.25 has been over for 0.25 s: floor(2 * 0.75) + 0 + 1 = 2
        ({"algorithm": "sliding_window_counter", **REDIS}, [0.25, 0.25, 0.75, 1.25, 1.5, 1.5, 1.751], "1100101"),
        # by the clock: at 1.25 floor(2 * 0.75) + 0 + 1 = 2
        ({"algorithm": "sliding_window_counter"}, [0.25, 0.25, 0.75, 1.25, 1.25, 1.501], "110101"),
    ],
)
def test_the_windows_of_flask_limiter(words, times, expected):
    assert passed(limit(preset="flask-limiter", rate="2/s", **words), times) == expected


def test_a_sliding_counter_in_a_store_begins_with_the_first_request_and_may_be_told_not_to():
    store = {"rate": "2/s", "algorithm": "sliding_window_counter", "store": {"latency": "1ms"}}
    assert limit(**store).window_from == "first_request"
    assert passed(limit(**store), [0.9, 0.9, 1.0]) == "110"
    assert passed(limit(**store, window_from="clock"), [0.9, 0.9, 1.0, 1.1, 1.6]) == "11011"
    assert (
        passed(limit(rate="2/s", algorithm="sliding_window_counter", window_from="first_request"), [0.9, 0.9, 1.5])
        == "110"
    )


def test_a_counter_on_redis_says_when_there_is_room():
    counter = counter_of(limit(preset="flask-limiter", rate="4/s", algorithm="sliding_window_counter", **REDIS))
    for now in (0.1, 0.1, 0.1, 0.1):
        counter.take(now)
    assert counter.look(0.6) == pytest.approx(0.501)  # the first millisecond in which the window has turned
    assert counter.look(1.101) == ALLOWED  # floor(4 * 0.999) = 3
    counter.take(1.101)
    assert counter.look(1.2) == pytest.approx(0.151)  # floor(4 * 0.749) = 2, with the one of this window 3
    assert counter.look(1.35) != ALLOWED
    assert counter.look(1.351) == ALLOWED


# --- Bucket4j


@pytest.mark.parametrize(
    ("words", "times", "expected"),
    [
        # its documentation: 10 tokens in a second, greedily, are one each 100 ms
        ({"rate": "10/s"}, [0.0] * 11 + [0.099, 0.1, 0.1, 0.35, 0.35, 0.4], "1" * 10 + "0" + "010" + "111"),
        # intervally: ten together when the second is over, counted from when the bucket was made
        ({"rate": "10/s", "refill": "intervally"}, [0.0] * 11 + [0.999] + [1.0] * 11, "1" * 10 + "00" + "1" * 10 + "0"),
        # capacity beyond a refill, and tokens in the beginning
        ({"rate": "10/s", "burst": 12, "initial_tokens": 1}, [0.0, 0.0, 0.1] + [9.0] * 13, "101" + "1" * 12 + "0"),
        # two bandwidths: both must have a token, and a refusal takes none from either
        (
            {"rates": [{"rate": "2/s", "refill": "intervally"}, {"rate": "3/m", "burst": 3}]},
            [0.0, 0.0, 0.0, 1.0, 1.0, 19.9, 20.0, 20.0],
            "11010010",
        ),
        # what is begun of a token is kept: a third of a second each
        ({"rate": "3/s", "burst": 1}, [0.0, 0.3, 0.333, 0.334, 0.666, 0.668], "100101"),
    ],
)
def test_bandwidths_of_bucket4j(words, times, expected):
    specs = limit(preset="bucket4j", **words).periods
    counters = [counter_of(spec) for spec in specs]
    found = ""
    for now in times:
        lets = all(counter.look(now) == ALLOWED for counter in counters)
        for counter in counters:
            (counter.take if lets else counter.deny)(now)
        found += "01"[lets]
    assert found == expected


@pytest.mark.parametrize(
    ("words", "times", "expected"),
    [
        # 2.7 a second are two whole tokens each second, so one each half a second, and no more than two are held
        ("rate: 2.7/s", [0.0, 0.0, 0.0, 0.499, 0.5, 0.5, 9.0, 9.0, 9.0], "110010110"),
        ("rate: 2.7/s, refill: intervally", [0.0, 0.0, 0.0, 0.999, 1.0, 1.0, 1.0], "1100110"),
        ("rates: [1.5/s]", [0.0, 0.0, 0.999, 1.0, 1.0], "10010"),
        ("rate: 0.4/s, window: 1s", [0.0, 0.0, 1.0, 1.0], "1010"),  # at least one
        ("rate: 2.7/s, burst: 3", [0.0, 0.0, 0.0, 0.0, 0.5, 0.5], "111010"),  # unless a capacity is said
    ],
)
def test_a_bandwidth_holds_the_whole_tokens_that_a_window_brings(words, times, expected):
    text = GATE.replace("LIMITS", f"{{per: all, preset: bucket4j, {words}}}")
    run = testing.play_on_both(text, {"a": times})
    assert "".join("01"[outcome == "ok"] for outcome in run.outcomes("a")) == expected


def by_hand_bucket4j(tokens, period, capacity, times):
    """A bucket of a greedy bandwidth as a sum of parts of a token: `tokens` of them in each of `period` nanoseconds."""
    parts, last, found = capacity * period, 0, ""
    for now in times:
        parts, last = min(capacity * period, parts + tokens * (now - last)), now
        lets = parts >= period
        parts -= period * lets
        found += "01"[lets]
    return found


def test_a_random_crowd_meets_the_integers_of_bucket4j():
    luck = random.Random(5)
    times = sorted(luck.randrange(40_000) * 1_000_000 for _ in range(500))
    spec = limit(preset="bucket4j", rate="7/s", window="3s", burst=9)
    found = passed(spec, [now / 1e9 for now in times])
    assert found == by_hand_bucket4j(21, 3_000_000_000, 9, times)
    assert 0.2 < found.count("0") / len(found) < 0.8


def test_a_bucket_of_one_key_is_made_by_its_first_request():
    """Refills of an intervally bandwidth go from there; that of all is made before there are requests."""
    times = [0.75, 0.75, 1.0, 1.74, 1.75]
    words = {"preset": "bucket4j", "rate": "1/s", "refill": "intervally"}
    assert passed(limit(**words | {"per": "user"}), times) == "10001"
    assert passed(limit(**words), times) == "10100"


def test_a_bucket_tells_how_long_it_takes_until_there_is_a_token():
    counter = counter_of(limit(preset="bucket4j", rate="3/s", burst=1))
    counter.take(0.0)
    wait = counter.look(0.25)
    assert wait == pytest.approx(1 / 3 - 0.25, abs=1e-9)
    assert counter.look(0.25 + wait) == ALLOWED
    counter = counter_of(limit(preset="bucket4j", rate="3/s", refill="intervally"))
    for _ in range(3):
        counter.take(0.5)
    assert counter.look(0.75) == 0.25


def test_tokens_that_do_not_fit_64_bits_go_on_in_floating_point():
    """A million in a day: 10**6 times 8.64e13 ns is more than 2**63, and so is not multiplied."""
    spec = limit(preset="bucket4j", rate="1000000/d", burst=1)
    assert passed(spec, [0.0, 0.04, 0.0865, 43_200.0, 43_200.05, 43_200.0865]) == "101101"
