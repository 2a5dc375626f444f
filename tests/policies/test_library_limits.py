"""Limits as single libraries count them: the published boundaries, and each decision against arithmetic of its own."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest

from sim.models.counters import counter_of
from sim.policies import waiting
from sim.policies.limiter import ALLOWED
from sim.spec.limits import RateLimit

GO = json.loads((Path(__file__).parent.parent / "golden" / "go_rate_unit_tests.json").read_text())


def limit(**words):
    return RateLimit.model_validate({"per": "all", **words})


def decided(spec, times):
    """For each time: None refused, else the seconds for which the request is held."""
    counter, found = counter_of(spec), []
    for now in times:
        if counter.look(now) >= 0.0:
            counter.deny(now)
            found.append(None)
        else:
            found.append(counter.hold(now))
            counter.take(now)
    return found


# --- nginx


@pytest.mark.parametrize(
    ("words", "times", "expected"),
    [
        ({}, [0.0, 0.05, 0.1], [0.0, None, 0.0]),
        ({"burst": 2}, [0.0] * 4, [0.0, 0.1, 0.2, None]),
        ({"burst": 2, "nodelay": True}, [0.0] * 4, [0.0, 0.0, 0.0, None]),
        ({"burst": 3, "delay": 1}, [0.0] * 5, [0.0, 0.0, 0.1, 0.2, None]),
        ({}, [0.0, 0.0999, 0.1001], [0.0, None, 0.0]),  # whole milliseconds: 99 is too early, 100 is not
    ],
)
def test_limit_req_decides_as_nginx(words, times, expected):
    assert decided(limit(preset="nginx", rate="10/s", **words), times) == expected


def by_hand_nginx(rate, burst, times):
    """ngx_http_limit_req_lookup with account, in its own integers; refused: None."""
    last = excess = None
    found = []
    for now in times:
        ms = math.floor(now * 1000 + 1e-6)
        ahead = 0 if last is None else max(0, excess - rate * (ms - last) // 1000 + 1000)
        if ahead > burst * 1000:
            found.append(None)
            continue
        found.append(ahead * 1000 // rate / 1000)
        excess, last = ahead, ms
    return found


@pytest.mark.parametrize(("rate", "thousandths"), [("7/m", 116), ("10/s", 10_000), ("3/s", 3_000), ("100/m", 1_666)])
def test_a_random_crowd_meets_the_integers_of_nginx(rate, thousandths):
    luck = random.Random(7)
    times = sorted(luck.uniform(0, 60) for _ in range(400))
    found = decided(limit(preset="nginx", rate=rate, burst=4), times)
    assert found == by_hand_nginx(thousandths, 4, times)
    assert 0 < found.count(None) < len(times)


# --- windows


def test_a_window_of_the_first_request_lets_no_double_burst_through_at_the_edge_of_a_minute():
    times = [59.0] * 5 + [60.0] * 5 + [119.0]
    clock = decided(limit(rate="5/m"), times)
    first = decided(limit(rate="5/m", window_from="first_request"), times)
    assert clock[:10].count(None) == 0
    assert [answer is not None for answer in first] == [True] * 5 + [False] * 5 + [True]


def test_kongs_penalty_shuts_out_who_goes_on_and_disable_penalty_does_not():
    """Two a second against 60 a minute: the first minute lets 60 pass, and then the weight never falls below."""
    times = [i / 2 for i in range(600)]
    penal = decided(limit(preset="kong-advanced", rate="60/m"), times)
    mild = decided(limit(preset="kong-advanced", rate="60/m", disable_penalty=True), times)
    assert [answer is not None for answer in penal] == [True] * 60 + [False] * 540
    assert sum(answer is not None for answer in mild[120:]) == pytest.approx(240, abs=6)


def by_hand_kong(limit_, window, penalty, times):
    counts, found = {}, []
    for now in times:
        index = math.floor(now / window)
        weighted = counts.get(index - 1, 0) * (1 - (now - index * window) / window) + counts.get(index, 0) + 1
        if weighted <= limit_ + 1e-9 or penalty:
            counts[index] = counts.get(index, 0) + 1
        found.append(weighted <= limit_ + 1e-9)
    return found


@pytest.mark.parametrize("penalty", [True, False])
def test_a_random_crowd_meets_the_arithmetic_of_kong_advanced(penalty):
    luck = random.Random(3)
    times = sorted(luck.uniform(0, 100) for _ in range(600))
    found = decided(limit(preset="kong-advanced", rate="1/s", window="10s", disable_penalty=not penalty), times)
    assert [answer is not None for answer in found] == by_hand_kong(10, 10, penalty, times)


def test_spring_counts_in_whole_seconds_of_redis():
    times = [0.0] * 20 + [0.99] + [1.0] * 11
    found = decided(limit(preset="spring-cloud-gateway", rate="10/s", burst=20), times)
    assert [answer is not None for answer in found] == [True] * 20 + [False] + [True] * 10 + [False]


def test_spring_with_the_default_burst_keeps_no_state_from_three_a_second_on():
    assert None not in decided(limit(preset="spring-cloud-gateway", rate="3/s"), [0.0] * 50)
    assert decided(limit(preset="spring-cloud-gateway", rate="2/s"), [0.0, 0.0, 1.0]) == [0.0, None, 0.0]


def test_spring_takes_as_many_tokens_as_are_requested():
    """One a minute: replenishRate 1, burstCapacity 60, requestedTokens 60."""
    spec = limit(preset="spring-cloud-gateway", rate="1/s", burst=60, requested_tokens=60)
    assert decided(spec, [0.0, 1.0, 59.9, 60.0]) == [0.0, None, None, 0.0]


# --- those that wait


def test_reservations_act_when_gos_do():
    case = GO["reserve"]["TestSimpleReserve"]
    row = waiting.new_waiting("smooth", 10.0, case["burst"], 1.0, math.inf)
    for tick, number, act in case["steps"]:
        now = tick * 0.1
        waiting.reserve(row, now, number - 1)
        assert now + waiting.ahead(row, now) == pytest.approx(act * 0.1)
        waiting.reserve(row, now, 1)


def test_guava_lets_the_next_one_pay_and_stores_an_idle_second():
    spec = limit(preset="guava", rate="2/s", wait="10s")
    assert decided(spec, [0.0, 0.0, 0.0]) == [0.0, 0.5, 1.0]
    assert decided(spec, [10.0] * 4) == [0.0, 0.0, 0.0, 0.5]  # two stored, one on credit


def test_guava_refuses_at_once_who_would_wait_too_long():
    assert decided(limit(preset="guava", rate="2/s", wait="500ms"), [0.0] * 4) == [0.0, 0.5, None, None]


def test_resilience4j_reserves_ahead_and_gives_permits_at_the_start_of_a_cycle():
    spec = limit(preset="resilience4j", rate="2/s", wait="2s")
    assert decided(spec, [0.25] * 7) == [0.0, 0.0, 0.75, 0.75, 1.75, 1.75, None]
    assert decided(spec, [0.0, 0.0, 5.0, 5.0, 5.0]) == [0.0, 0.0, 0.0, 0.0, 1.0]


def by_hand_resilience4j(permits, period, timeout, times):
    cycle, left, found = 0, permits, []
    for now in times:
        current = math.floor(now / period)
        if current != cycle:
            left, cycle = min(permits, left + (current - cycle) * permits), current
        wait = 0.0 if left >= 1 else math.ceil(-(left + permits - 1) / permits) * period + (current + 1) * period - now
        found.append(wait if wait <= timeout else None)
        left -= found[-1] is not None
    return found


def test_a_random_crowd_meets_the_cycles_of_resilience4j():
    luck = random.Random(11)
    times = sorted(luck.uniform(0, 40) for _ in range(300))
    found = decided(limit(preset="resilience4j", rate="6/s", window="500ms", wait="1200ms"), times)
    told = by_hand_resilience4j(3, 0.5, 1.2, times)
    assert [a is None for a in found] == [b is None for b in told]
    assert [a for a in found if a is not None] == pytest.approx([b for b in told if b is not None])
    assert None in found


def test_a_refusal_says_when_to_come_again():
    counter = counter_of(limit(preset="nginx", rate="10/s"))
    counter.take(0.0)
    assert counter.look(0.05) == pytest.approx(0.05)
    counter = counter_of(limit(preset="resilience4j", rate="1/s", wait="0s"))
    counter.take(0.25)
    assert counter.look(0.5) == 0.5
    assert counter.look(1.0) == ALLOWED
