"""Plain and compiled give the same answers and leave the same rows, to the last bit, over long random drives."""

import random
import struct

import numpy as np
import pytest

from sim.policies import (
    aws_adaptive,
    balancer,
    balancing,
    breaker,
    budget,
    bulkhead,
    clocked,
    concurrency,
    hedging,
    library_breakers,
    library_budgets,
    library_limits,
    limiter,
    outliers,
    partitioner,
    retry,
    throttle,
    waiting,
)
from sim.policies.base import table_of
from sim.spec.gateway import RateLimit
from sim.spec.policy import Budget, Bulkhead, CircuitBreaker, Hedge, Retry
from sim.vocabulary import Outcome

STEPS = 3000


class Twins:
    """A row and its ring twice: plain, and as the compiled engine has them. Every call goes to both."""

    def __init__(self, row, ring=None):
        self.plain = (row,) if ring is None else (row, ring)
        self.table = table_of([row])
        self.compiled = (self.table[0],) if ring is None else (self.table[0], np.array(ring, dtype=np.float64))

    def __call__(self, function, *values):
        answer = function(*self.plain, *values)
        other = function.compiled(*self.compiled, *values)
        assert bits(answer) == bits(other), (function, values)
        return answer

    def assert_same(self):
        assert table_of([self.plain[0]]).tobytes() == self.table.tobytes()
        if len(self.plain) == 2:
            assert np.array(self.plain[1], dtype=np.float64).tobytes() == self.compiled[1].tobytes()


def bits(answer):
    return struct.pack("d", answer) if isinstance(answer, float) else answer


BREAKERS = [
    {
        "resilience4j": {
            "sliding_window_size": 4,
            "minimum_number_of_calls": 2,
            "wait_duration_in_open_state": "333ms",
            "exponential_backoff_multiplier": 1.5,
            "exponential_max_wait_duration_in_open_state": "2s",
            "max_wait_duration_in_half_open_state": "700ms",
            "automatic_transition_from_open_to_half_open_enabled": True,
        }
    },
    {"failures": 3, "within": "1s", "open_for": "2s", "half_open_calls": 2},
    {
        "resilience4j": {
            "sliding_window_size": 10,
            "minimum_number_of_calls": 5,
            "wait_duration_in_open_state": "1s",
            "slow_call_duration_threshold": "1s",
        }
    },
    {
        "resilience4j": {
            "sliding_window_type": "time_based",
            "sliding_window_size": 4,
            "minimum_number_of_calls": 3,
            "wait_duration_in_open_state": "1s",
            "randomized_wait_factor": 0.7,
            "permitted_number_of_calls_in_half_open_state": 4,
            "max_wait_duration_in_half_open_state": "1s",
            "slow_call_duration_threshold": "1s",
            "slow_call_rate_threshold": 70,
        }
    },
]


@pytest.mark.parametrize("settings", BREAKERS)
def test_breakers(settings):
    twins, chance, now, inside = Twins(*breaker.new_breaker(CircuitBreaker(**settings))), random.Random(1), 0.0, []
    for _ in range(STEPS):
        now += chance.expovariate(8.0)
        if not inside or chance.random() < 0.5:
            ticket = twins(breaker.admit, now)
            if ticket >= 0:
                inside.append(ticket)
        elif chance.random() < 0.9:
            twins(breaker.record, now, inside.pop(), int(chance.random() < 0.5), 2.0 * chance.random())
        else:
            twins(breaker.give_back, now, inside.pop())
        assert breaker.state(twins.plain[0], now) == breaker.state.compiled(twins.compiled[0], now)
        twins.assert_same()
    assert twins.plain[0].period > 50


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        {"consecutive": 3, "open_for": "1s", "half_open_calls": 2},
        {"gobreaker": {"interval": "3s", "timeout": "1s", "consecutive_failures": 2}},
        {"polly": {"sampling_duration": "1s", "break_duration": "1s", "minimum_throughput": 3, "failure_ratio": 0.5}},
        {"opossum": {"rolling_count_timeout": "2s", "rolling_count_buckets": 7, "reset_timeout": "1s"}},
        {"hystrix": {"rolling_stats": "2s", "sleep_window": "1s", "request_volume_threshold": 3}},
        {"gobreaker": {"interval": "2s", "bucket_period": "300ms", "timeout": "500ms", "failure_ratio": 0.5}},
        {"cockatiel": {"half_open_after": "500ms", "sampling": {"threshold": 0.4, "duration": "2s", "minimum_rps": 1}}},
        {"cockatiel": {"half_open_after": "500ms", "count": {"threshold": 0.4, "size": 7}}},
        {"cockatiel": {"half_open_after": "500ms", "consecutive": 2}},
        {"purgatory": {"threshold": 2, "ttl": "500ms"}},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_breakers_of_libraries(settings):
    twins = Twins(*library_breakers.new_library_breaker(CircuitBreaker(**settings)))
    chance, now, inside = random.Random(1), 0.0, []
    for _ in range(STEPS):
        now += chance.expovariate(8.0)
        if not inside or chance.random() < 0.5:
            ticket = twins(library_breakers.admit, now)
            if ticket >= 0:
                inside.append(ticket)
        elif chance.random() < 0.9:
            twins(library_breakers.settle, now, inside.pop(), chance.choice([0, 0, 7, 8, 9]))
        else:
            assert library_breakers.give_back(twins.plain[0], now, inside[-1]) is None
            library_breakers.give_back.compiled(twins.compiled[0], now, inside.pop())
        twins.assert_same()
    assert twins.plain[0].period > 50


LIBRARY_LIMITS = [
    {"preset": "nginx", "burst": 3},
    {"preset": "kong-advanced"},
    {"preset": "spring-cloud-gateway", "burst": 7},
    {"window_from": "first_request"},
    {"preset": "flask-limiter"},
    {"preset": "flask-limiter", "algorithm": "sliding_window_counter"},
    {"preset": "bucket4j", "burst": 9},
    {"preset": "bucket4j", "refill": "intervally", "initial_tokens": 2},
    {"preset": "bucket4j", "rate": "1000000/d", "burst": 2},
]


@pytest.mark.parametrize("words", LIBRARY_LIMITS, ids=str)
def test_limits_of_single_libraries(words):
    spec = RateLimit.model_validate({"per": "user", "rate": "7/s", **words})
    twins, chance, now, refused = Twins(library_limits.new_library_limit(spec)), random.Random(1), 0.0, 0
    for _ in range(STEPS):
        now += chance.choice([chance.expovariate(1.2 * spec.rate), 1 / 7, 0.0])
        wait = twins(library_limits.look, now)
        if wait == limiter.ALLOWED:
            twins(library_limits.hold, now)
            assert library_limits.take(twins.plain[0], now) is library_limits.take.compiled(twins.compiled[0], now)
        else:
            refused += 1
            assert library_limits.deny(twins.plain[0], now) is library_limits.deny.compiled(twins.compiled[0], now)
            now += wait if chance.random() < 0.3 else 0.0
        twins.assert_same()
    assert 0.02 < refused / STEPS < 0.98


CLOCKED_LIMITS = [
    {},
    {"scope": "node"},
    {"algorithm": "sliding_window_counter"},
    {"preset": "kong-advanced", "scope": "cluster"},
    {"algorithm": "sliding_log"},
    {"algorithm": "gcra", "burst": 4, "clock": "node"},
    {"burst": 4, "clock": "node"},
    {"preset": "spring-cloud-gateway", "burst": 7, "clock": "node"},
]


@pytest.mark.parametrize("words", CLOCKED_LIMITS, ids=str)
def test_limits_by_clocks_that_are_apart(words):
    spec = RateLimit.model_validate({"per": "user", "rate": "7/s", **words})
    row = clocked.new_clocked(spec, 5.0)
    twins, chance, now, refused = Twins(row, [0.0] * row.stamps), random.Random(1), 0.0, 0
    for _ in range(STEPS):
        now += chance.choice([chance.expovariate(2.5 * spec.rate), 1 / 7, 0.0])
        clock = now + chance.choice([0.0, 1.0, 3.0, -2.0] if chance.random() < 0.05 else [0.0])
        if twins(clocked.look, now, clock) == limiter.ALLOWED:
            twins(clocked.take, now, clock)
        else:
            refused += 1
            twins(clocked.deny, now, clock)
        twins.assert_same()
    assert 0.02 < refused / STEPS < 0.999


@pytest.mark.parametrize(("kind", "warm_up"), [("smooth", 0.0), ("guava", 0.0), ("guava", 2.0), ("resilience4j", 0.0)])
def test_limits_that_one_waits_for(kind, warm_up):
    twins, chance, now = Twins(waiting.new_waiting(kind, 7.0, 3, 0.3, 0.5, warm_up)), random.Random(1), 0.0
    refused = 0
    for _ in range(STEPS):
        now += chance.choice([chance.expovariate(8.0), 1 / 7, 0.0])
        wait = twins(waiting.ahead, now)
        if twins(waiting.willing, now, wait):
            twins(waiting.reserve, now, 1)
        else:
            refused += 1
        twins.assert_same()
    assert 0.05 < refused / STEPS < 0.95


def test_percentiles_of_hedges():
    """The window is what a sorted list of the latest thousand says."""
    twins, chance, latest = Twins(*hedging.new_hedge(Hedge(after="p90"))), random.Random(1), []
    for _ in range(STEPS):
        latest = [*latest, round(chance.expovariate(8.0), 2)][-hedging.WINDOW :]
        twins(hedging.note, latest[-1])
        known = sorted(latest)[min(len(latest) - 1, int(0.9 * len(latest)))] if len(latest) >= 100 else -1.0
        assert twins(hedging.pause) == known
    twins.assert_same()


@pytest.mark.parametrize("spec", [{"aws": {"initial_capacity": 60}}, {"envoy": {}}, {"envoy": {"retry_budget": {}}}])
def test_budgets_of_libraries(spec):
    twins, chance = Twins(library_budgets.new_library_budget(Budget.model_validate(spec))), random.Random(1)
    paid = []
    for _ in range(STEPS):
        outcome = chance.choice((0, 4, 5, 6, 7))
        if len(paid) < 10 and chance.random() < 0.6:
            twins(library_budgets.attempt_begins)
            paid.append(twins(library_budgets.take, outcome))
        elif paid and chance.random() < 0.9:
            twins(library_budgets.attempt_ends, outcome, paid.pop(0))
        elif paid:
            twins(library_budgets.forget, paid.pop(), 1)
    twins.assert_same()


def test_adaptive_limits():
    twins, chance, now = Twins(aws_adaptive.AdaptiveRow()), random.Random(1), 0.0
    for _ in range(STEPS):
        now += chance.expovariate(10)
        if twins(aws_adaptive.ask, now) == 0.0:
            twins(aws_adaptive.hear, now, int(chance.random() < 0.1))
    twins.assert_same()


CONCURRENCY = [
    {"aimd": {"min_limit": 2, "timeout": "300ms"}},
    {"vegas": {"probe_multiplier": 2, "smoothing": 0.3}},
    {"gradient2": {"min_limit": 2, "windowed": {"window": "300ms", "window_size": 3}}},
    {
        "envoy": {
            "concurrency_limit_params": {"concurrency_update_interval": "300ms"},
            "min_rtt_calc_params": {"interval": "10s", "request_count": 5},
        }
    },
]


@pytest.mark.long
@pytest.mark.parametrize("spec", CONCURRENCY, ids=lambda spec: next(iter(spec)))
def test_adaptive_concurrency(spec):
    twins, chance, now = Twins(*concurrency.new_concurrency(Bulkhead.model_validate(spec))), random.Random(1), 0.0
    for _ in range(STEPS):
        now += chance.expovariate(20)
        limit = twins(concurrency.limit_of, now)
        took, inside = chance.expovariate(5), chance.randint(1, limit + 1)
        twins(concurrency.hear, now, max(0.0, now - took), inside, chance.choice((0, 0, 0, 5, 6, 7)), chance.random())
    twins.assert_same()


def test_throttles():
    twins, chance = Twins(throttle.new_throttle(10, 0.4567)), random.Random(1)
    for _ in range(STEPS):
        twins(throttle.failed if chance.random() < 0.3 else throttle.succeeded)
        twins(throttle.allows)
        twins.assert_same()


@pytest.mark.parametrize("jitter", ["none", "full", "equal", "decorrelated", "20%"])
@pytest.mark.parametrize(
    "rule",
    [
        {"constant": "100ms"},
        {"linear": {"base": "70ms", "max": "1s"}},
        {"exponential": {"base": "30ms", "multiplier": "1.7x"}},
        {"exponential": {"base": "10s", "max": "3s", "multiplier": "0.5x"}},
    ],
)
def test_retries(rule, jitter):
    twins, chance = Twins(retry.new_retry(Retry(backoff=rule, jitter=jitter))), random.Random(1)
    for _ in range(STEPS // 10):
        previous = twins.plain[0].base
        for k in range(1, 8):
            previous = twins(retry.backoff_after, int(Outcome.TIMEOUT), k, chance.random(), previous)
        twins(retry.retryable, chance.randrange(12))
    twins(retry.backoff_after, int(Outcome.TIMEOUT), 1999, 0.5, 1.0)


@pytest.mark.parametrize(
    "settings",
    [{"ratio": "20%"}, {"ratio": 0.3, "min_per_second": 0.7, "ttl": "3s"}, {"ratio": 0.0, "min_per_second": 2.0}],
)
def test_budgets(settings):
    twins, chance, now = Twins(*budget.new_budget(Budget(**settings))), random.Random(1), 0.0
    for _ in range(STEPS):
        now += chance.expovariate(8.0 if chance.random() < 0.99 else 0.1)
        twins(budget.deposit, now)
        twins(budget.withdraw, now)
        twins(budget.balance, now)
        twins.assert_same()


def test_bulkheads():
    twins, chance = Twins(bulkhead.new_bulkhead(Bulkhead(max_concurrent_calls=3))), random.Random(1)
    for _ in range(STEPS):
        if twins.plain[0].inside == 0 or chance.random() < 0.6:
            twins(bulkhead.enter)
        else:
            twins(bulkhead.leave)
        twins.assert_same()


@pytest.mark.parametrize("algorithm", ["token_bucket", "fixed_window", "sliding_window_counter", "sliding_log", "gcra"])
def test_limiters(algorithm):
    spec = RateLimit(per="all", rate="7/s", burst=4, window="1300ms", algorithm=algorithm)
    twins, chance, now, refused = Twins(*limiter.new_limiter(spec)), random.Random(1), 0.0, 0
    for _ in range(STEPS):
        now += chance.choice([chance.expovariate(8.0), 1 / 7, 0.0])
        wait = twins(limiter.look, now)
        assert wait == twins(limiter.allow, now)
        if wait != limiter.ALLOWED:
            refused += 1
            now += wait if chance.random() < 0.3 else 0.0
        twins.assert_same()
    assert 0.05 < refused / STEPS < 0.95


@pytest.mark.parametrize("kind", ["round_robin", "random", "least_request", "power_of_two", "two_choices"])
def test_balancers(kind):
    twins, chance = Twins(balancer.new_balancer(kind)), random.Random(1)
    for _ in range(STEPS):
        up = [int(chance.random() < 0.8) for _ in range(5)]
        loads = [chance.randrange(4) for _ in range(5)]
        u1, u2 = chance.random(), chance.random()
        chosen = balancer.pick(*twins.plain, loads, up, 5, u1, u2)
        assert chosen == balancer.pick.compiled(*twins.compiled, np.array(loads), np.array(up), 5, u1, u2)
        twins.assert_same()


def test_partitioners():
    chance, twins = random.Random(1), Twins(partitioner.new_sticky(7, 5))
    for _ in range(STEPS):
        key = chance.randrange(10 ** chance.randrange(1, 19))
        assert partitioner.partition_of(key, 12) == partitioner.partition_of.compiled(key, 12)
        data = chance.randbytes(chance.randrange(12))
        assert partitioner.murmur2(data) == partitioner.murmur2.compiled(np.frombuffer(data, dtype=np.uint8))
        twins(partitioner.sticky, chance.random())
        twins.assert_same()


@pytest.mark.parametrize(
    ("kind", "detects"),
    [
        (balancing.BY_WEIGHT, 1),
        (balancing.FEWEST_BY_WEIGHT, 1),
        (balancing.BY_LATENCY, 1),
        (balancing.BY_WEIGHT, balancing.AS_NGINX),
    ],
)
def test_balancers_that_know_more(kind, detects):
    rule = balancing.BalancingRow(kind, slow_start=3.0, detects=detects, consecutive=2, base=1.0, most_percent=60.0)
    rule.splits, rule.local_failures, rule.enforces_5xx, rule.jitter = kind % 2, 2, 60.0, 700.0
    rule.hosts, rule.volume = 2, 3
    rule.fails, rule.fail_timeout, rule.failing = 2, 1.0, 1 << Outcome.TIMEOUT | 1 << Outcome.ERROR
    plain = [balancing.PeerRow(weight=float(index + 1)) for index in range(4)]
    table, rules = table_of(plain), table_of([rule])
    loads, allowed, alive, chance, now = [0] * 4, [0] * 4, [1] * 4, random.Random(kind), 0.0
    machine = [np.zeros(4, np.int64), np.zeros(4, np.int64), np.ones(4, np.int64)]
    for _ in range(STEPS // 10):
        now += chance.expovariate(8.0)
        one, other = chance.random(), chance.random()
        left = balancing.allow(rule, plain, alive, allowed, 4, now)
        assert left == balancing.allow.compiled(rules[0], table, machine[2], machine[1], 4, now)
        if left == 0:
            continue
        index = balancing.pick(rule, plain, loads, allowed, 4, now, one, other)
        assert index == balancing.pick.compiled(rules[0], table, machine[0], machine[1], 4, now, one, other)
        balancing.observe(plain[index], one, now, rule.decay)
        balancing.observe.compiled(table[index], one, now, rule.decay)
        if chance.random() < 0.5:
            loads[index] += 1
            machine[0][index] += 1
        outcome = int(other * len(Outcome))
        too_many = outliers.judge(rule, plain[index], outcome, now)
        assert too_many == outliers.judge.compiled(rules[0], table[index], outcome, now)
        if too_many:
            outliers.eject(rule, plain, alive, 4, index, now, too_many, one, other)
            outliers.eject.compiled(rules[0], table, machine[2], 4, index, now, too_many, one, other)
        for place, peer in enumerate(plain):
            assert outliers.look(rule, peer, now) == outliers.look.compiled(rules[0], table[place], now)
            outliers.forgive(rule, peer, now)
            outliers.forgive.compiled(rules[0], table[place], now)
        for local in (0, 1):
            threshold = outliers.success_rate_threshold(rule, plain, 4, local)
            assert threshold == outliers.success_rate_threshold.compiled(rules[0], table, 4, local)
        assert table_of(plain).tobytes() == table.tobytes()
