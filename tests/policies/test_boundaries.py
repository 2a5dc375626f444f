"""Arrivals exactly at a boundary are judged as exact rational arithmetic says, whatever the last bits of the clock are, up to days of time."""

from collections import deque
from fractions import Fraction
from math import floor

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sim import testing
from sim.policies import breaker, budget
from sim.policies.base import MILLISECONDS, NANOSECONDS, NOISE, passed, periods, reached, span_in, ticks
from sim.policies.breaker import HALF_OPEN, OPEN, REJECTED
from sim.policies.limiter import ALLOWED, allow, new_limiter
from sim.spec.gateway import RateLimit
from sim.spec.policy import Budget, CircuitBreaker

DAY = 86_400
starts = st.sampled_from([0, 1, 3600, DAY, 3 * DAY])
rates = st.one_of(
    st.integers(1, 200), st.sampled_from([Fraction(1, 3), Fraction(7, 10), Fraction(25, 2), Fraction(333, 100)])
)
windows = st.sampled_from([Fraction(1, 10), Fraction(1, 3), Fraction(7, 10), Fraction(1), Fraction(3, 2), Fraction(5)])


def said(seconds):
    return f"{float(seconds)!r}s"


def clock(start, rate, count, work=Fraction(1, 1000)):
    """`count` deterministic arrivals and what follows a little later: as the engine adds it up, and on paper."""
    for i in range(count):
        exact = start + i / Fraction(rate) + work
        yield start + i / float(rate) + float(work), exact


AROUND_A_WINDOW = given(start=starts, rate=rates, within=windows, more=st.integers(-1, 2))


@settings(deadline=None, max_examples=12)
@AROUND_A_WINDOW
def test_failures_within_a_window(start, rate, within, more):
    look_at_failures(start, rate, within, more)


@pytest.mark.long
@settings(deadline=None, max_examples=300)
@AROUND_A_WINDOW
def test_failures_within_many_a_window(start, rate, within, more):
    look_at_failures(start, rate, within, more)


def look_at_failures(start, rate, within, more):
    failures = max(1, floor(rate * within) + more)
    row, ring = breaker.new_breaker(CircuitBreaker(failures=failures, within=said(within), open_for="10000h"))
    within_now, opened = deque(), None
    for i, (now, exact) in enumerate(clock(start, rate, 3 * failures + 5)):
        within_now.append(exact)
        while within_now[0] <= exact - within:
            within_now.popleft()
        if opened is None and len(within_now) >= failures:
            opened = i
        if row.state != OPEN:
            breaker.record(row, ring, now, breaker.admit(row, ring, now), 1, 0.0)
        assert (row.state == OPEN) == (opened is not None), (i, now)


@settings(deadline=None, max_examples=200)
@given(start=st.integers(0, 3 * DAY * 1000), wait=st.integers(1, 100_000), late=st.sampled_from([-1, 0, 1]))
def test_an_open_breaker_waits_for_its_time_and_resilience4j_beyond_it(start, wait, late):
    opened, now = Fraction(start, 1000), Fraction(start, 1000) + Fraction(wait, 1000) + Fraction(late, 1000)
    ours = float(opened) + float(Fraction(wait, 1000)) + late * 0.001
    article = breaker.new_breaker(CircuitBreaker(failures=1, open_for=f"{wait}ms"))
    java = breaker.new_breaker(
        CircuitBreaker(
            resilience4j={
                "sliding_window_size": 1,
                "minimum_number_of_calls": 1,
                "wait_duration_in_open_state": f"{wait / 1000}s",
            }
        )
    )
    for it in (article, java):
        breaker.record(*it, float(opened), breaker.admit(*it, float(opened)), 1, 0.0)
    assert (breaker.admit(*article, ours) != REJECTED) == (now >= opened + Fraction(wait, 1000))
    assert (breaker.admit(*java, ours) != REJECTED) == (now > opened + Fraction(wait, 1000))


@settings(deadline=None, max_examples=200)
@given(start=st.integers(0, 3 * DAY * 1000), threshold=st.integers(1, 5000), more=st.sampled_from([-1, 0, 1]))
def test_a_call_is_slow_when_it_took_longer_than_the_threshold(start, threshold, more):
    settings = {
        "sliding_window_size": 1,
        "minimum_number_of_calls": 1,
        "slow_call_rate_threshold": 100,
        "slow_call_duration_threshold": f"{threshold}ms",
    }
    row, ring = breaker.new_breaker(CircuitBreaker(resilience4j=settings))
    began = start / 1000
    now = began + threshold / 1000 + more / 1000
    breaker.record(row, ring, now, breaker.admit(row, ring, began), 0, now - began)
    assert (row.state == OPEN) == (more > 0)


@settings(deadline=None, max_examples=100)
@given(start=starts, steps=st.sampled_from([3, 7, 10, 30]))
def test_the_seconds_of_a_window_by_time_begin_where_they_begin(start, steps):
    """`steps` failures a second, the first at a whole one: the minimum is reached with the last of each second, and not across two."""
    settings = {"sliding_window_type": "time_based", "sliding_window_size": 1, "minimum_number_of_calls": steps}
    row, ring = breaker.new_breaker(CircuitBreaker(resilience4j=settings))
    counts = []
    for now, exact in clock(start, steps, 3 * steps, work=Fraction(0)):
        row.failed = row.slow = 0  # it never opens
        breaker.record(row, ring, now, 0, 0, 0.0)
        counts.append((row.calls, floor(exact * steps) % steps + 1))
    assert all(ours == paper for ours, paper in counts)


def test_a_half_open_breaker_opens_at_the_end_of_its_time_also_where_floats_say_otherwise():
    settings = {
        "sliding_window_size": 1,
        "minimum_number_of_calls": 1,
        "wait_duration_in_open_state": "100ms",
        "max_wait_duration_in_half_open_state": "200ms",
    }
    row, ring = breaker.new_breaker(CircuitBreaker(resilience4j=settings))
    breaker.record(row, ring, 0.1, breaker.admit(row, ring, 0.1), 1, 0.0)
    assert breaker.admit(row, ring, 0.6) >= 0
    assert breaker.state(row, 0.79) == HALF_OPEN
    assert 0.6 + 0.1 + 0.1 < 0.6 + 0.2, "by the last bit"
    assert breaker.state(row, 0.6 + 0.1 + 0.1) == OPEN


class Limit:
    """The rules of the five algorithms on paper."""

    def __init__(self, algorithm, rate, burst, window):
        self.algorithm, self.rate, self.burst, self.window = algorithm, Fraction(rate), burst, window
        self.limit = max(1, floor(self.rate * window))
        self.level, self.last, self.tat, self.stamps = Fraction(0), Fraction(0), Fraction(0), []

    def allows(self, now):
        yes = getattr(self, self.algorithm)(now)
        if yes:
            self.stamps.append(now)
        return yes

    def token_bucket(self, now):
        level = max(Fraction(0), self.level - self.rate * (now - self.last))
        if level + 1 <= self.burst:
            self.level, self.last = level + 1, now
            return True
        return False

    def gcra(self, now):
        arrival = max(now, self.tat)
        if now < arrival - self.burst / self.rate:
            return False
        self.tat = arrival + 1 / self.rate
        return True

    def fixed_window(self, now):
        return sum(floor(stamp / self.window) == floor(now / self.window) for stamp in self.stamps) < self.limit

    def sliding_window(self, now):
        index = floor(now / self.window)
        before, here = (sum(floor(stamp / self.window) == i for stamp in self.stamps) for i in (index - 1, index))
        return before * (1 - (now / self.window - index)) + here < self.limit

    def sliding_log(self, now):
        return sum(stamp >= now - self.window for stamp in self.stamps) < self.limit


EVERY_ALGORITHM = pytest.mark.parametrize(
    "algorithm", ["token_bucket", "fixed_window", "sliding_window", "sliding_log", "gcra"]
)
AROUND_A_LIMIT = given(
    start=starts,
    rate=rates,
    burst=st.integers(1, 5),
    window=windows,
    times=st.sampled_from([1, 2, 3, Fraction(1, 2), Fraction(4, 3)]),
)


@EVERY_ALGORITHM
@settings(deadline=None, max_examples=25)
@AROUND_A_LIMIT
def test_limiters(algorithm, start, rate, burst, window, times):
    look_at_limiter(algorithm, start, rate, burst, window, times)


@pytest.mark.long
@EVERY_ALGORITHM
@settings(deadline=None, max_examples=150)
@AROUND_A_LIMIT
def test_limiters_more_often(algorithm, start, rate, burst, window, times):
    look_at_limiter(algorithm, start, rate, burst, window, times)


def look_at_limiter(algorithm, start, rate, burst, window, times):
    """Deterministic arrivals at a multiple of the rate, from a whole second on."""
    ours, paper = (
        new_limiter(
            RateLimit(per="all", rate=f"{float(rate)!r}/s", burst=burst, window=said(window), algorithm=algorithm)
        ),
        Limit(algorithm, rate, burst, window),
    )
    for now, exact in clock(start, rate * times, 200, work=Fraction(0)):
        assert (allow(*ours, now) == ALLOWED) == paper.allows(exact), (now, exact)


def test_gcra_adds_up_no_fractions_in_a_hundred_thousand_requests():
    ours = new_limiter(RateLimit(per="all", rate="999/s", burst=1, algorithm="gcra"))
    assert [allow(*ours, 50.0) == ALLOWED for _ in range(3)] == [True, True, False]
    assert all(allow(*ours, 50.0 + i / 999) == ALLOWED for i in range(1, 100_000))


@settings(deadline=None, max_examples=100)
@given(
    start=starts,
    ttl=st.sampled_from([Fraction(1), Fraction(3), Fraction(10), Fraction(7, 10)]),
    rate=st.integers(1, 30),
)
def test_tokens_of_a_budget_live_for_ten_slices(start, ttl, rate):
    """A slice ends at the first use at or after a tenth of the ttl, and the next begins there: a deposit is gone ten slices later."""
    row, ring = budget.new_budget(Budget(ratio=1.0, ttl=said(ttl)))
    since, slices = Fraction(0), [0]
    for now, exact in clock(start, Fraction(rate) * 10 / ttl, 60, work=Fraction(0)):
        if exact >= since + ttl / 10:
            slices = ([0] * min(10, floor((exact - since) / (ttl / 10))) + slices)[:10]
            since = exact
        slices[0] += 1
        budget.deposit(row, ring, now)
        assert budget.balance(row, ring, now) == sum(slices)


def test_the_rule_itself():
    sixth, later = sum([1 / 7] * 6), 6 / 7
    assert sixth != later
    assert reached(sixth, later)
    assert reached(later, sixth)
    assert not passed(later, sixth)
    assert passed(1.0 + 1e-12, 1.0)
    assert not reached(1.0, 1.0 + 1e-12)
    assert NOISE * 7 * DAY < 1e-8, "a week leaves what anybody writes in a scenario apart"
    assert [periods(0.1 * 3, 0.1), periods(0.3, 0.1), periods(0.29, 0.1)] == [3, 3, 2]


def test_a_clock_of_whole_units_counts_one_that_is_over_now():
    """Of 0.1 + 0.2 s as of 0.3 s, and though 1.001 s is 1000.9999999999999 ms as floats; a nanosecond less is not over."""
    assert 1.001 * 1000.0 < 1001.0
    assert [ticks(now, MILLISECONDS) for now in (0.0, 0.1 + 0.2, 0.3, 1.001, 1.000999999)] == [0, 300, 300, 1001, 1000]
    assert [ticks(now, 1.0) for now in (0.999, 0.1 * 3 + 0.7, 59.5)] == [0, 1, 59]


def test_a_window_is_of_whole_units_and_never_of_none():
    assert [span_in(window, MILLISECONDS) for window in (0.0001, 0.0014, 0.0016, 60.0)] == [1, 1, 2, 60_000]
    assert span_in(1e-12, NANOSECONDS) == 1


WITHIN = """
duration: 60s
traffic: {{clients: {{sends: app.get, arrivals: {{deterministic: {rate}/s}}}}}}
services:
  app: {{workers: unlimited, endpoints: {{get: [{{call: bank.get, policy: p}}]}}}}
  bank: {{workers: unlimited, endpoints: {{get: [{{work: 1ms}}]}}}}
policies: {{p: {{circuit_breaker: {{failures: {failures}, within: 1s, open_for: 10s}}}}}}
faults: [{{at: 0s, errors: {{of: bank, share: 100%}}}}]
record: {{spans: none}}
"""


@pytest.mark.parametrize(("rate", "failures"), [(7, 8), (5, 6), (10, 11), (100, 101)])
def test_no_second_holds_one_failure_more_than_arrive_in_it(rate, failures):
    assert not testing.play(WITHIN.format(rate=rate, failures=failures)).events("breaker_opened")
    assert testing.play(WITHIN.format(rate=rate, failures=rate)).events("breaker_opened"), "but it holds as many"


def test_resilience4j_refuses_the_call_that_comes_exactly_at_the_end_of_its_wait():
    system = """
    duration: 30s
    traffic: {clients: {sends: app.get}}
    services:
      app: {workers: unlimited, endpoints: {get: [{call: bank.get, policy: p}]}}
      bank: {workers: unlimited, endpoints: {get: [{work: 0s}]}}
    policies:
      p: {circuit_breaker: {resilience4j: {sliding_window_size: 1, minimum_number_of_calls: 1, wait_duration_in_open_state: 5s}}}
    faults: [{at: 12s, for: 1s, errors: {of: bank, share: 100%}}]
    """
    assert testing.play(system, [12.004, 17.004, 17.1]).outcomes() == ["error", "breaker_open", "ok"]


TIMERS = """
duration: 120s
traffic: {{clients: {{sends: a.x, arrivals: {{deterministic: {rate}/s}}, timeout: {client}ms}}}}
services:
  a: {{workers: unlimited, endpoints: {{x: [{{call: b.x, policy: {{timeout: {timeout}ms, bulkhead: {{max_concurrent_calls: 1, max_wait: {wait}ms}}}}}}]}}}}
  b: {{workers: 1, queue: {{timeout: {queue}ms}}, endpoints: {{x: [{steps}]}}}}
record: {{spans: none}}
"""


def outcomes(steps, **limits):
    """Every request of two minutes: what becomes of those of one instant is one thing, not a matter of the last bits of each."""
    values = {"client": 60_000, "timeout": 60_000, "wait": 60_000, "queue": 60_000, **limits}
    played = testing.play(TIMERS.format(steps=", ".join(f"{{work: {step}ms}}" for step in steps), **values))
    return set(played.outcomes()) - {"in_flight"}


@settings(deadline=None, max_examples=25)
@given(
    steps=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    rate=st.sampled_from([3, 7, Fraction(33, 10)]),
    which=st.sampled_from(["client", "timeout"]),
)
def test_an_answer_at_the_very_deadline_is_in_time_and_one_a_millisecond_later_is_not(steps, rate, which):
    assume(sum(steps) * rate < 1000)  # b has one worker: nobody waits for the request before
    assert outcomes(steps, rate=float(rate), **{which: sum(steps)}) == {"ok"}
    assert outcomes(steps, rate=float(rate), **{which: sum(steps) - 1}) == {"timeout"}


@pytest.mark.long
@settings(deadline=None, max_examples=15)
@given(steps=st.lists(st.integers(1, 40), min_size=2, max_size=4))
def test_a_place_that_is_free_at_the_end_of_the_longest_wait_is_had(steps):
    """Two come at once, again and again: the second waits for as long as the first is at it."""
    system = TIMERS.replace("clients: {{", "twins: {{sends: a.x, arrivals: {{deterministic: {rate}/s}}}}, clients: {{")
    for longest, become in ((sum(steps), {"ok"}), (sum(steps) - 1, {"ok", "bulkhead_full"})):
        text = system.format(
            steps=", ".join(f"{{work: {step}ms}}" for step in steps),
            rate=3,
            client=60_000,
            timeout=60_000,
            wait=longest,
            queue=60_000,
        )
        assert set(testing.play(text).outcomes()) - {"in_flight"} == become
    text = system.replace(", bulkhead: {{max_concurrent_calls: 1, max_wait: {wait}ms}}", "")
    for longest, become in ((sum(steps), {"ok"}), (sum(steps) - 1, {"ok", "shed"})):
        played = testing.play(
            text.format(
                steps=", ".join(f"{{work: {step}ms}}" for step in steps),
                rate=3,
                client=60_000,
                timeout=60_000,
                queue=longest,
            )
        )
        assert set(played.outcomes()) - {"in_flight"} == become
