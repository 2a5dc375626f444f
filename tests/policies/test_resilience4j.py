"""The breaker that counts as resilience4j does (semantics 1.1, oracles 1 to 3 of 14.1)."""

import random
from collections import deque

import pytest

from sim.policies.breaker import CLOSED, HALF_OPEN, OPEN, REJECTED, admit, give_back, new_breaker, record, state
from sim.spec.policy import CircuitBreaker


def breaker(**settings):
    return new_breaker(CircuitBreaker(resilience4j=settings))


def call(it, now, result, duration=0.0):
    """One call that ends when it begins. F fails, S succeeds."""
    row, ring = it
    ticket = admit(row, ring, now)
    assert ticket >= 0
    record(row, ring, now, ticket, int(result == "F"), duration)
    return state(row, now)


def half_open(**settings):
    """A breaker opened at 0 that turned half-open at 61; its first probe is out."""
    it = breaker(minimum_number_of_calls=settings.pop("minimum_number_of_calls", 1), **settings)
    while call(it, 0.0, "F") == CLOSED:
        pass
    assert admit(*it, 61.0) >= 0
    return it


def test_oracle_1_the_minimum_then_the_threshold_reached():
    it = breaker(sliding_window_size=10, minimum_number_of_calls=5)
    assert [call(it, float(i), result) for i, result in enumerate("SFSFSF")] == [CLOSED] * 5 + [OPEN]


def test_oracle_2_buckets_are_whole_seconds_of_the_clock():
    settings = {"sliding_window_type": "time_based", "sliding_window_size": 1, "minimum_number_of_calls": 5}
    split, together = breaker(**settings), breaker(**settings)
    assert [call(split, t, "F") for t in (0.9, 0.9, 0.9, 1.1, 1.1)] == [CLOSED] * 5
    assert [call(together, t, "F") for t in (1.0, 1.1, 1.2, 1.3, 1.999)] == [CLOSED] * 4 + [OPEN]


def test_oracle_3_the_verdict_on_probes_needs_only_the_minimum():
    row, ring = breaker(
        sliding_window_size=10, minimum_number_of_calls=5, permitted_number_of_calls_in_half_open_state=10
    )
    for i in range(5):
        call((row, ring), float(i), "F")
    tickets = [admit(row, ring, 100.0) for _ in range(10)]
    assert min(tickets) >= 0
    for ticket in tickets[:4]:
        record(row, ring, 100.1, ticket, 0, 0.1)
    assert state(row, 100.1) == HALF_OPEN
    record(row, ring, 100.1, tickets[4], 0, 0.1)
    assert state(row, 100.1) == CLOSED
    record(row, ring, 100.2, tickets[5], 1, 0.2)  # the probes still out count in the new window
    assert (row.calls, row.failed) == (1, 1)


def test_the_minimum_of_a_count_based_window_is_at_most_its_size_of_a_time_based_one_not():
    by_count = breaker(sliding_window_size=3, minimum_number_of_calls=100)
    assert [call(by_count, 0.0, "F") for _ in range(3)] == [CLOSED, CLOSED, OPEN]
    by_time = breaker(sliding_window_type="time_based", sliding_window_size=3, minimum_number_of_calls=100)
    assert {call(by_time, 0.0, "F") for _ in range(99)} == {CLOSED}
    assert call(by_time, 0.0, "F") == OPEN


def test_a_success_that_completes_the_minimum_can_open_it():
    it = breaker(minimum_number_of_calls=2)
    assert [call(it, 0.0, "F"), call(it, 0.0, "S")] == [CLOSED, OPEN]


def test_the_oldest_call_leaves_a_full_window():
    it = breaker(sliding_window_size=4, minimum_number_of_calls=4)
    assert {call(it, 0.0, result) for result in "FSSSFSSSFSSS"} == {CLOSED}
    assert call(it, 0.0, "F") == CLOSED  # S S S F
    assert call(it, 0.0, "F") == OPEN


def test_a_time_based_window_forgets_a_second_when_it_leaves():
    it = breaker(sliding_window_type="time_based", sliding_window_size=3, minimum_number_of_calls=2)
    assert call(it, 0.5, "F") == CLOSED
    assert call(it, 3.0, "F") == CLOSED
    assert call(it, 5.999, "F") == OPEN


def test_a_call_is_slow_when_it_takes_longer_than_the_threshold_not_as_long():
    settings = {"slow_call_duration_threshold": "1s", "minimum_number_of_calls": 2}
    it = breaker(**settings)
    assert [call(it, 0.0, "S", 1.0), call(it, 0.0, "S", 1.0), call(it, 0.0, "S", (5.1 + 1.0) - 5.1)] == [CLOSED] * 3
    slow = breaker(**settings)
    assert [call(slow, 0.0, "S", 1.001), call(slow, 0.0, "S", 1.001)] == [CLOSED, OPEN]


def test_a_slow_failure_counts_in_both_rates():
    row, ring = breaker(
        slow_call_duration_threshold="1s",
        slow_call_rate_threshold=50,
        failure_rate_threshold=90,
        minimum_number_of_calls=2,
    )
    assert call((row, ring), 0.0, "S") == CLOSED
    assert call((row, ring), 0.0, "F", 2.0) == OPEN


def test_the_wait_in_the_open_state_must_be_over_strictly():
    row, ring = breaker(minimum_number_of_calls=1)
    call((row, ring), 5.0, "F")
    assert admit(row, ring, 65.0) == REJECTED
    assert admit(row, ring, 65.001) >= 0
    assert state(row, 65.001) == HALF_OPEN


def test_the_call_that_turns_it_half_open_takes_the_first_permit():
    row, ring = half_open(permitted_number_of_calls_in_half_open_state=2)
    assert [admit(row, ring, 61.0) >= 0 for _ in range(3)] == [True, False, False]


def test_a_half_open_breaker_opens_again_when_a_rate_reaches_its_threshold():
    row, ring = half_open(
        permitted_number_of_calls_in_half_open_state=2, minimum_number_of_calls=2, sliding_window_size=2
    )
    record(row, ring, 61.5, row.period, 0, 0.5)
    assert state(row, 61.5) == HALF_OPEN
    record(row, ring, 62.0, row.period, 1, 1.0)
    assert (row.state, row.since) == (OPEN, 62.0)
    assert admit(row, ring, 122.0) == REJECTED
    assert admit(row, ring, 122.1) >= 0


def test_a_late_result_counts_among_the_probes():
    row, ring = breaker(minimum_number_of_calls=1, permitted_number_of_calls_in_half_open_state=1)
    late, other, failing = (admit(row, ring, 0.0) for _ in range(3))
    record(row, ring, 0.0, failing, 1, 0.0)
    record(row, ring, 30.0, other, 0, 30.0)  # open: changes nothing
    assert (row.state, row.since) == (OPEN, 0.0)
    admit(row, ring, 61.0)
    record(row, ring, 61.1, late, 0, 61.1)
    assert state(row, 61.1) == OPEN  # slow (61.1 s > 60 s): the slow rate is 100 %


def test_a_late_good_result_closes_a_half_open_breaker():
    row, ring = breaker(minimum_number_of_calls=1, slow_call_duration_threshold="5m")
    late, failing = admit(row, ring, 0.0), admit(row, ring, 0.0)
    record(row, ring, 0.0, failing, 1, 0.0)
    admit(row, ring, 61.0)
    record(row, ring, 61.1, late, 0, 61.1)
    assert state(row, 61.1) == CLOSED


def test_it_closes_with_an_empty_window():
    for kind in ("count_based", "time_based"):
        it = breaker(
            sliding_window_type=kind,
            sliding_window_size=100,
            minimum_number_of_calls=2,
            permitted_number_of_calls_in_half_open_state=1,
        )
        assert [call(it, 0.5, "F"), call(it, 0.5, "F")] == [CLOSED, OPEN]
        assert call(it, 61.0, "S") == CLOSED
        assert (it[0].calls, it[0].failed) == (0, 0)
        assert call(it, 61.0, "F") == CLOSED
        assert (it[0].calls, it[0].failed) == (1, 1)


def test_probes_that_never_return_keep_it_half_open_for_ever():
    row, ring = half_open(permitted_number_of_calls_in_half_open_state=1)
    assert admit(row, ring, 1e6) == REJECTED
    assert state(row, 1e6) == HALF_OPEN


def test_the_longest_wait_half_open_ends_in_open_at_its_very_instant():
    settings = {"permitted_number_of_calls_in_half_open_state": 1, "max_wait_duration_in_half_open_state": "10s"}
    row, ring = half_open(**settings)
    assert state(row, 70.9) == HALF_OPEN
    assert state(row, 71.5) == OPEN
    assert row.since == 71.0
    assert admit(row, ring, 131.0) == REJECTED
    assert admit(row, ring, 131.1) >= 0


def test_whether_anyone_looked_makes_no_difference():
    settings = {"permitted_number_of_calls_in_half_open_state": 1, "max_wait_duration_in_half_open_state": "10s"}
    looked, left_alone = half_open(**settings), half_open(**settings)
    for t in range(62, 200):
        state(looked[0], float(t))
    assert admit(*looked, 200.0) == admit(*left_alone, 200.0)
    assert looked == left_alone


def test_a_late_result_after_the_longest_wait_changes_nothing():
    row, ring = half_open(permitted_number_of_calls_in_half_open_state=1, max_wait_duration_in_half_open_state="10s")
    record(row, ring, 80.0, row.period, 0, 19.0)
    assert (row.state, row.since) == (OPEN, 71.0)


def test_a_permit_given_back_admits_another_probe():
    row, ring = half_open(permitted_number_of_calls_in_half_open_state=1)
    assert admit(row, ring, 61.0) == REJECTED
    give_back(row, ring, 61.0, row.period)
    assert admit(row, ring, 61.0) >= 0


def test_a_permit_given_back_when_closed_or_open_changes_nothing():
    row, ring = breaker(minimum_number_of_calls=1)
    give_back(row, ring, 0.0, admit(row, ring, 0.0))
    assert row.permits == 0
    call((row, ring), 0.0, "F")
    give_back(row, ring, 1.0, 0)
    assert (row.state, row.permits) == (OPEN, 0)


class Slowly:
    """CircuitBreakerStateMachine with its metrics, in lists. The half-open timer is asked at every step."""

    def __init__(self, kind, settings, rates):
        self.kind, self.rates = kind, rates
        self.size, self.minimum, self.probes, self.wait, self.longest = settings
        self.turn(CLOSED, 0.0)

    def turn(self, to, now):
        self.state, self.since = to, now
        self.permits = self.probes
        self.results = deque(
            maxlen=self.probes if to == HALF_OPEN else self.size if self.kind == "count_based" else None
        )

    def tick(self, now):
        if self.state == HALF_OPEN and self.longest and now >= self.since + self.longest:
            self.turn(OPEN, self.since + self.longest)

    def admit(self, now):
        self.tick(now)
        if self.state == OPEN and now > self.since + self.wait:
            self.turn(HALF_OPEN, now)
        if self.state == OPEN or (self.state == HALF_OPEN and self.permits == 0):
            return False
        self.permits -= self.state == HALF_OPEN
        return True

    def record(self, now, failed, slow):
        self.tick(now)
        if self.state == OPEN:
            return
        self.results.append((int(now), failed, slow))
        window, minimum = list(self.results), self.minimum
        if self.state == HALF_OPEN:
            minimum = min(self.minimum, self.probes)
        elif self.kind == "count_based":
            minimum = min(self.minimum, self.size)
        else:
            window = [result for result in window if int(now) - result[0] < self.size]
        if len(window) < minimum:
            return
        if any(100.0 * sum(result[i] for result in window) / len(window) >= self.rates[i - 1] for i in (1, 2)):
            self.turn(OPEN, now)
        elif self.state == HALF_OPEN:
            self.turn(CLOSED, now)

    def give_back(self, now):
        self.tick(now)
        self.permits += self.state == HALF_OPEN


@pytest.mark.parametrize("kind", ["count_based", "time_based"])
@pytest.mark.parametrize(
    "settings", [(1, 1, 1, 2.0, 0.0), (10, 5, 10, 1.0, 3.0), (4, 20, 5, 0.5, 0.0), (7, 3, 2, 3.0, 0.5)]
)
@pytest.mark.parametrize("seed", range(3))
def test_it_does_what_the_library_does_over_long_random_runs(kind, settings, seed):
    chance = random.Random(seed)
    size, minimum, probes, wait, longest = settings
    model = Slowly(kind, settings, (50.0, 60.0))
    row, ring = breaker(
        sliding_window_type=kind,
        sliding_window_size=size,
        minimum_number_of_calls=minimum,
        permitted_number_of_calls_in_half_open_state=probes,
        wait_duration_in_open_state=f"{wait}s",
        max_wait_duration_in_half_open_state=f"{longest}s" if longest else 0,
        slow_call_duration_threshold="1s",
        slow_call_rate_threshold=60,
    )
    now, inside = 0.0, 0
    for _ in range(4000):
        now += chance.choice([0.0, 0.125, chance.expovariate(6.0)])
        what = chance.random()
        if what < 0.5:
            admitted = admit(row, ring, now) >= 0
            assert admitted == model.admit(now)
            inside += admitted
        elif inside:
            inside -= 1
            if what < 0.95:
                failed, duration = int(chance.random() < 0.4), chance.choice([0.5, 1.0, 1.5])
                record(row, ring, now, row.period, failed, duration)
                model.record(now, failed, int(duration > 1.0))
            else:
                give_back(row, ring, now, row.period)
                model.give_back(now)
        model.tick(now)
        assert (state(row, now), row.since) == (model.state, model.since)
    assert row.period > 20 or (kind == "time_based" and minimum == 20)
