"""Limits that adapt: the published cases of Netflix's concurrency-limits and of Envoy's controller, and hand arithmetic."""

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.policies import concurrency as limits
from sim.policies import gradient_controller as envoy
from sim.spec.policy import Bulkhead
from sim.vocabulary import Outcome

OK, ERROR, TIMEOUT = int(Outcome.OK), int(Outcome.ERROR), int(Outcome.TIMEOUT)


class Limit:
    """One limit on a clock of its own."""

    def __init__(self, **words):
        self.row, self.ring = limits.new_concurrency(Bulkhead.model_validate(words))
        self.now = 0.0

    def __call__(self):
        return limits.limit_of(self.row, self.ring, self.now)

    def hear(self, milliseconds, inside=1, outcome=OK):
        """An answer that took so long; the limit from then on."""
        limits.hear(self.row, self.ring, self.now, self.now - milliseconds / 1000, inside, outcome, 0.5)
        return self()

    def later(self, seconds):
        self.now += seconds
        return self()


# -- Netflix -----------------------------------------------------------------------------------------------------------


def aimd(**words):
    return Limit(aimd={"initial_limit": 10, "min_limit": 1} | words)


def test_aimd_as_in_its_own_tests():
    """AIMDLimitTest: 10, then 11 after an answer with all in use, 9 after a drop."""
    assert (aimd()(), aimd().hear(1, inside=10), aimd().hear(1, inside=1, outcome=TIMEOUT)) == (10, 11, 9)


def test_aimd_stays_where_it_is_not_used_and_takes_what_is_late_for_a_drop():
    assert (aimd().hear(1, inside=4), aimd().hear(1, inside=5)) == (10, 11)
    assert (aimd().hear(5000, inside=10), aimd().hear(5001, inside=10)) == (11, 9)


def test_an_error_says_nothing_about_load():
    assert aimd().hear(1, inside=10, outcome=ERROR) == 10


def test_by_default_aimd_never_falls_below_twenty():
    limit = Limit(aimd={})
    assert [limit.hear(1, outcome=TIMEOUT) for _ in range(3)] == [20, 20, 20]


def vegas(**words):
    return Limit(vegas={"initial_limit": 10, "max_concurrency": 20} | words)


@pytest.mark.parametrize(("second", "inside", "expected"), [(10, 11, 16), (50, 11, 9), (14, 14, 10)])
def test_vegas_as_in_its_own_tests(second, inside, expected):
    """VegasLimitTest increaseLimit, decreaseLimit, noChangeIfWithinThresholds: the first answer tells the least time alone."""
    limit = vegas()
    assert (limit.hear(10, inside=10), limit.hear(second, inside=inside)) == (10, expected)


def test_vegas_forgets_the_least_time_after_a_number_of_answers():
    """0.75 * 2 * 10 = 15: the 15th answer is the new least time, and the 16th, as fast, lets the limit grow."""
    limit = vegas(probe_multiplier=2)
    assert [limit.hear(10 if i == 0 else 20, inside=4) for i in range(15)] == [10] * 15
    assert limit.hear(20, inside=10) == 16


def test_gradient2_goes_a_fifth_of_the_way():
    """At once: 20 * 1 + 4, a fifth of the way: 20.8. Then long = (10 + 40) / 2 = 25, gradient 1.5 * 25 / 40 = 0.9375: 20.8 * 0.9375 + 4 = 23.5 -> 21.34."""
    limit = Limit(gradient2={})
    limit.hear(10, inside=20)
    assert limit.row.estimate == pytest.approx(20.8)
    limit.hear(40, inside=20)
    assert limit.row.estimate == pytest.approx(0.8 * 20.8 + 0.2 * 23.5)


def test_gradient2_lets_its_long_average_fall_where_answers_are_fast_again():
    """Ten answers of 100 ms: long 100; one of 10 ms: 100 + (10 - 100) * 2 / 601 = 99.7005, more than twice 10, so 5 % less."""
    limit = Limit(gradient2={})
    for _ in range(10):
        limit.hear(100)
    limit.hear(10)
    assert limit.row.long == pytest.approx((100.0 - 180.0 / 601) * 0.95 * 1e6)


def test_a_window_tells_its_mean_and_the_most_that_were_under_way():
    """The first answer ends the first window, of one: too few. The next ends with the first answer after it, here the tenth: of 10 ms and nine of 30 ms, 28."""
    limit = Limit(vegas={"windowed": {}})
    limit.now = 0.5
    limit.hear(10)
    for took in (10, *[30] * 8):
        limit.hear(took, inside=3)
    assert limit.row.count == 0
    limit.now = 1.6
    limit.hear(30, inside=7)
    assert (limit.row.count, limit.row.no_load) == (1, 28e6)


# -- Envoy -------------------------------------------------------------------------------------------------------------


def gradient(count=5, least=3, buffer="25%", interval="30s", **more):
    params = {"interval": interval, "jitter": "0%", "request_count": count, "min_concurrency": least, "buffer": buffer}
    return Limit(
        envoy={"concurrency_limit_params": {"concurrency_update_interval": "100ms"}, "min_rtt_calc_params": params}
        | more
    )


def measured(limit, milliseconds, count=5):
    for _ in range(count):
        limit.now += milliseconds / 1000
        limit.hear(milliseconds)
    return limit


def test_it_measures_first_at_the_least_concurrency():
    """MinRTTLogicTest: 7 until the fiftieth answer; the time without load is 13 ms."""
    limit = measured(gradient(count=50, least=7), 13, 49)
    assert (limit(), limit.row.deferred) == (7, 7)
    limit.hear(13)
    assert (limit.row.deferred, int(limit.row.no_load / 1000)) == (0, 13)


def test_the_percentile_of_one_to_five_is_three():
    """SamplePercentileProcessTest; in a bin of 3.0 to 3.1 ms, half of the way."""
    limit = gradient()
    limit.now = 1.0
    for took in range(1, 6):
        limit.hear(took)
    assert limit.row.no_load == 3050.0


def test_an_update_by_hand():
    """5.05 ms without load, 6.3125 with the buffer, 4.05 ms now: gradient 1.5586; 3 * 1.5586 + sqrt = 6.84, 6 * 1.5586 + sqrt = 12.41."""
    limit = measured(gradient(), 5)
    assert limit() == 3
    seen = []
    for _ in range(2):
        limit.later(0.01)
        for _ in range(5):
            limit.hear(4)
        seen.append(limit.later(0.101))
    assert seen == [6, 12]


def test_the_buffer_keeps_the_limit_growing():
    """MinRTTBufferTest: 6 ms where 5 ms are usual, with a buffer of half."""
    limit, last = measured(gradient(buffer="50%"), 5), 3
    for _ in range(10):
        for _ in range(5):
            limit.hear(6)
        assert limit.later(0.101) > last
        last = limit()


def test_it_returns_to_its_limit_after_measuring():
    """MinRTTReturnToPreviousLimit, NoSamplesTest."""
    limit = measured(gradient(), 5)
    limit.later(1.0)
    for _ in range(5):
        for _ in range(5):
            limit.hear(4)
        limit.later(0.101)
    before = limit()
    assert limit.later(0.505) == before
    assert limit.later(31.0) == 3
    limit.later(1.0)
    assert [limit.hear(13) for _ in range(5)] == [3, 3, 3, 3, before]


def test_what_began_before_it_measures_does_not_count():
    """MinRTTEpoch."""
    limit = measured(gradient(), 5)
    limit.later(31.0)
    for _ in range(30):
        limit.hear(40_000)
    assert limit.row.deferred > 0


def test_five_updates_to_the_least_measure_anew():
    """50 ms where 5 are usual: gradient 0.5; 3 * 0.5 + sqrt(1.5) = 2.7, at least 3."""
    limit = measured(gradient(), 5)
    limit.later(1.0)
    for _ in range(4):
        limit.hear(50)
        limit.later(0.1)
    assert limit.row.deferred == 0
    limit.hear(50)
    limit.later(0.1)
    assert limit.row.deferred == 3


def fixed(value):
    """5 ms and a quarter of it, as where it is measured so, but from the first interval on."""
    return Limit(
        envoy={
            "concurrency_limit_params": {"concurrency_update_interval": "100ms"},
            "min_rtt_calc_params": {"fixed_value": value},
        }
    )


def test_a_fixed_time_without_load_begins_at_the_least_and_is_not_measured():
    """6.25 ms of 4.05 ms (the middle of the bin of 4.0 ms): gradient 1.543; 3 * 1.543 + sqrt = 6.78, 6 * 1.543 + sqrt = 12.30."""
    limit = fixed("5ms")
    assert (limit(), limit.row.deferred, limit.row.no_load) == (3, 0, 5000.0)
    seen = []
    for _ in range(2):
        limit.later(0.01)
        for _ in range(5):
            limit.hear(4)
        seen.append(limit.later(0.101))
    assert seen == [6, 12]


def test_five_updates_to_the_least_measure_nothing_where_the_time_is_fixed():
    limit = fixed("5ms")
    for _ in range(8):
        limit.later(0.1)
        limit.hear(50)
    assert (limit(), limit.row.deferred, limit.row.no_load) == (3, 0, 5000.0)


def test_the_time_without_load_is_measured_or_fixed():
    for said, words in (({}, "neither"), ({"fixed_value": "5ms", "interval": "1s"}, "`interval` and `fixed_value`")):
        with pytest.raises(ValueError, match=words):
            Limit(
                envoy={
                    "concurrency_limit_params": {"concurrency_update_interval": "100ms"},
                    "min_rtt_calc_params": said,
                }
            )


def test_a_jitter_is_of_whole_milliseconds():
    """A tenth of 100 s is 10,000 ms: half of it, by luck of one half, after the interval."""
    limit = gradient(interval="100s")
    limit.row.jitter = 0.1
    measured(limit, 5)
    assert limit.row.next_measure == pytest.approx(limit.now + 105.0)


@pytest.mark.parametrize(
    ("took", "low", "high"), [(7.0, 7.0, 7.1), (14_299.0, 14_000.0, 15_000.0), (250e6, 250e6, 260e6), (0.0, 0.0, 0.0)]
)
def test_bins_have_two_digits(took, low, high):
    ring = [0.0] * envoy.BINS
    envoy.note(ring, took)
    assert envoy.percentile(ring, 1.0) == int(high)
    assert not any(ring)
    envoy.note(ring, took)
    assert envoy.percentile(ring, 0.0) == int(low)


# -- in calls ----------------------------------------------------------------------------------------------------------

TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: {bulkhead: WORDS}}]}}
  b: {workers: unlimited, endpoints: {tell: [{wait: 100ms}]}}
"""


def test_a_bulkhead_follows_its_calls():
    """Two at once of three pass. The first of them was alone when it began, twice that is the limit: 3; the second made two, 4. So of five four pass."""
    run = testing.play(TEXT.replace("WORDS", "{aimd: {initial_limit: 2, min_limit: 1}}"), [1.0] * 3 + [2.0] * 5)
    assert [outcome == "ok" for outcome in run.outcomes()] == [True, True, False] + [True] * 4 + [False]


def test_a_number_and_an_algorithm_do_not_mix():
    for words, match in (
        ("{vegas: {}, max_wait: 1s}", "max_wait beside vegas, which sets the limit"),
        ("{vegas: {}, aimd: {}}", "aimd and vegas, expected one of them"),
        ("{}", "'max_concurrent_calls' is missing"),
    ):
        with pytest.raises(ScenarioError, match=match):
            testing.play(TEXT.replace("WORDS", words), [1.0])
