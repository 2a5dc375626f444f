"""Breakers as Polly, opossum, Hystrix, gobreaker and pybreaker decide: at their boundaries, and call by call."""

import math
import random
from collections import deque

import pytest

from sim import load_text, models, testing
from sim.errors import ScenarioError
from sim.policies import library_breakers as library
from sim.policies.breaker import CLOSED, HALF_OPEN, OPEN, REJECTED
from sim.spec.policy import CircuitBreaker
from sim.vocabulary import EventKind, Outcome

OK, BAD = int(Outcome.OK), int(Outcome.ERROR)


class Breaker:
    """A breaker with its ring."""

    def __init__(self, spec):
        self.row, self.ring = library.new_library_breaker(spec)

    def __getattr__(self, name):
        return getattr(self.row, name)

    def admit(self, now):
        return library.admit(self.row, self.ring, now)

    def settle(self, now, ticket, outcome):
        library.settle(self.row, self.ring, now, ticket, outcome)


def breaker(**words):
    return Breaker(CircuitBreaker.model_validate(words))


def told(row, results, start=0.0, step=0.01):
    """Calls that end at once, `S` or `F`: the state after each, x for one that is refused."""
    states, now = "", start
    for result in results:
        ticket = row.admit(now)
        if ticket != REJECTED:
            row.settle(now, ticket, OK if result == "S" else BAD)
        states += "x" if ticket == REJECTED else "COH"[row.state]
        now += step
    return states


def test_a_success_forgets_failures_in_a_row():
    """pybreaker, fail_max 3: F F S F F stays closed."""
    assert told(breaker(consecutive=3), "FFSFF") == "CCCCC"
    assert told(breaker(consecutive=3), "FFF") == "CCO"


def test_pybreaker_tries_at_the_very_end_of_its_wait_and_gobreaker_after_it():
    pybreaker, gobreaker = breaker(consecutive=1, open_for="60s"), breaker(gobreaker={"consecutive_failures": 1})
    told(pybreaker, "F"), told(gobreaker, "FF", step=0.0)
    assert (pybreaker.state, gobreaker.state) == (OPEN, OPEN)
    assert pybreaker.admit(59.99) == REJECTED
    assert pybreaker.admit(60.0) >= 0
    assert gobreaker.admit(60.0) == REJECTED
    assert gobreaker.admit(60.01) >= 0


def test_gobreaker_opens_at_more_than_so_many_and_closes_after_all_probes_are_good():
    row = breaker(gobreaker={"max_requests": 2})
    assert told(row, "FFFFFF") == "CCCCCO"
    assert told(row, "SS", start=61.0) == "HC"
    row = breaker(gobreaker={"interval": "10s"})
    told(row, "FFFFF")
    assert told(row, "F", start=10.5) == "C"  # a new interval remembers nothing


def test_polly_judges_at_failures_only_and_at_the_ratio_itself():
    """MinimumThroughput 2, ratio 0.5: F S stays closed, S F opens."""
    words = {"minimum_throughput": 2, "failure_ratio": 0.5}
    assert told(breaker(polly=words), "FS") == "CC"
    assert told(breaker(polly=words), "SF") == "CO"


def test_polly_lets_one_probe_through_and_a_stale_result_decides_as_it_would():
    row = breaker(polly={"minimum_throughput": 2, "failure_ratio": 0.5})
    late = row.admit(0.0)
    told(row, "SF")
    assert row.admit(4.9) == REJECTED
    assert row.admit(5.01) >= 0
    assert row.admit(5.01) == REJECTED
    row.settle(5.02, late, OK)
    assert row.state == CLOSED


def by_hand_polly(ratio, least, sampling, pause, calls):
    """AdvancedCircuitBehavior and RollingHealthMetrics, for calls that end at once: (now, failed) -> admitted."""
    windows, blocked, found = deque(), None, []
    for now, failed in calls:
        if blocked is not None:
            if now < blocked:
                found.append(False)
                continue
            found.append(True)
            if failed:
                blocked = now + pause
            else:
                blocked, windows = None, deque()
            continue
        found.append(True)
        if not windows or now - windows[-1][0] >= sampling / 10:
            windows.append([now, 0, 0])
        while now - windows[0][0] >= sampling:
            windows.popleft()
        windows[-1][1] += 1
        windows[-1][2] += failed
        total, bad = sum(w[1] for w in windows), sum(w[2] for w in windows)
        if failed and total >= least and bad / total >= ratio:
            blocked = now + pause
    return found


def by_hand_opossum(percent, volume, window, buckets, pause, calls):
    """Circuit.fire and Status, for calls that end at once."""
    width, counts, opened, found = window / buckets, {}, None, []
    for now, failed in calls:
        number = math.floor(now / width)
        counts.setdefault(number, [0, 0])[0] += 1
        if opened is not None and now < opened + pause:
            found.append(False)
            continue
        found.append(True)
        if not failed:
            opened = None
            continue
        counts[number][1] += 1
        fires = sum(its[0] for at, its in counts.items() if at > number - buckets)
        bad = sum(its[1] for at, its in counts.items() if at > number - buckets)
        if opened is not None or (fires >= volume and 100 * bad / fires > percent):
            opened = now
    return found


def by_hand_hystrix(percent, volume, window, snapshot, sleep, calls):
    """Opened by the look at the end of each snapshot interval, for calls that end at once.

    Intervals begin at the first call and anew when it closes; the probe that closes it is the first in the new ones.
    """
    counts, opened, origin, looked, found, span = {}, None, calls[0][0], 0, [], int(window / snapshot)
    for now, failed in calls:
        while looked < math.floor((now - origin) / snapshot):
            looked += 1
            those = [its for at, its in counts.items() if looked - span <= at < looked]
            total, bad = sum(its[0] for its in those), sum(its[1] for its in those)
            if opened is None and total and total >= volume and int(bad / total * 100) >= percent:
                opened = origin + looked * snapshot
        if opened is not None:
            found.append(now > opened + sleep)
            if found[-1]:
                opened = now if failed else None
                if not failed:
                    counts, origin, looked = {0: [1, 0]}, now, 0
            continue
        found.append(True)
        its = counts.setdefault(math.floor((now - origin) / snapshot), [0, 0])
        its[0] += 1
        its[1] += failed
    return found


def crowd(seed, share):
    luck, now, calls = random.Random(seed), 0.0, []
    for _ in range(3000):
        now += luck.expovariate(20)
        calls.append((now, luck.random() < (share if int(now / 15) % 2 else 0.05)))
    return calls


def admitted(row, calls):
    found = []
    for now, failed in calls:
        ticket = row.admit(now)
        found.append(ticket != REJECTED)
        if ticket != REJECTED:
            row.settle(now, ticket, BAD if failed else OK)
    return found


@pytest.mark.parametrize(
    ("words", "by_hand"),
    [
        (
            {"polly": {"failure_ratio": 0.4, "minimum_throughput": 20, "sampling_duration": "4s"}},
            lambda calls: by_hand_polly(0.4, 20, 4.0, 5.0, calls),
        ),
        (
            {"opossum": {"volume_threshold": 10, "reset_timeout": "3s"}},
            lambda calls: by_hand_opossum(50, 10, 10.0, 10, 3.0, calls),
        ),
        ({"hystrix": {}}, lambda calls: by_hand_hystrix(50, 20, 10.0, 0.5, 5.0, calls)),
    ],
    ids=["polly", "opossum", "hystrix"],
)
@pytest.mark.parametrize("share", [0.6, 0.95])
def test_a_random_crowd_is_admitted_as_by_the_library(words, by_hand, share):
    calls = crowd(4, share)
    found = admitted(breaker(**words), calls)
    assert found == by_hand(calls)
    assert 50 < found.count(False) < 2950


def test_the_first_failure_opens_opossum_and_one_of_two_does_not():
    assert told(breaker(opossum={}), "F") == "O"
    assert told(breaker(opossum={}), "SF") == "CC"  # 50 % is not more than 50 %


def test_closing_opossum_forgets_nothing():
    row = breaker(opossum={"reset_timeout": "1s"})
    assert told(row, "F") == "O"
    assert told(row, "S", start=1.0) == "C"
    assert told(row, "F", start=1.1) == "O"  # two of three, and two of four with the refused one


def test_hystrix_lets_calls_pass_until_it_looks():
    row = breaker(hystrix={})
    assert told(row, "F" * 45, step=0.01) == "C" * 45
    assert told(row, "F", start=0.5) == "x"
    assert row.opened == 0.5
    assert row.admit(5.5) == REJECTED
    assert row.admit(5.51) >= 0
    assert row.state == HALF_OPEN


def test_the_snapshots_of_hystrix_begin_at_the_first_call_and_anew_whenever_it_closes():
    """`window(500 ms)` of RxJava counts from its subscription, which `resetStream` makes anew."""
    row = breaker(hystrix={"request_volume_threshold": 2, "sleep_window": "1s"})
    told(row, "FF", start=0.3)  # the first interval is from 0.3 to 0.8
    assert told(row, "F", start=0.79) == "C"
    assert row.admit(0.8) == REJECTED
    assert row.opened == pytest.approx(0.8)
    assert told(row, "S", start=1.95) == "C"  # later than 1.8: the probe closes it, the next interval ends at 2.45
    assert told(row, "FF", start=2.0) == "CC"
    assert told(row, "S", start=2.4) == "C"
    assert row.admit(2.46) == REJECTED
    assert row.opened == pytest.approx(2.45)


def test_the_probe_that_closes_hystrix_is_counted_among_what_follows():
    """`markEmits` closes the breaker, `handleCommandEnd` tells the streams, which are new ones by then."""
    row = breaker(hystrix={"request_volume_threshold": 20, "sleep_window": "1s"})
    told(row, "F" * 20)
    told(row, "S", start=2.0)
    told(row, "F" * 19, start=2.01)
    assert row.admit(2.51) == REJECTED  # 19 of 20: the volume is reached with the probe


def test_hystrix_cuts_the_percentage_as_a_double_that_is_cast():
    """29 / 100 * 100 is 28.999999999999996: (int) makes 28 of it."""
    words = {"request_volume_threshold": 100, "error_threshold_percentage": 29}
    row = breaker(hystrix=words)
    told(row, "F" * 29 + "S" * 71, step=0.001)
    assert row.admit(0.6) >= 0
    row = breaker(hystrix=words)
    told(row, "F" * 30 + "S" * 70, step=0.001)
    assert row.admit(0.6) == REJECTED


def test_a_probe_of_hystrix_that_is_given_up_opens_it_again():
    row = breaker(hystrix={"request_volume_threshold": 1, "sleep_window": "1s"})
    told(row, "F")
    probe = row.admit(2.0)
    library.give_back(row.row, 2.5, probe)
    assert (row.state, row.opened) == (OPEN, 2.5)


def test_hystrix_has_as_many_buckets_as_whole_intervals_fit_into_its_window():
    """numHealthCountBuckets is a division of ints: 1,000 ms of 300 ms are three."""
    row = breaker(hystrix={"rolling_stats": "1s", "health_snapshot_interval": "300ms", "request_volume_threshold": 2})
    assert row.places - 1 == 3


def test_gobreaker_ignores_what_was_called_in_an_earlier_interval():
    """`afterRequest`: currentState begins a new generation where the interval is over, and a result of another one returns at once."""
    row = breaker(gobreaker={"interval": "10s", "consecutive_failures": 1})
    early = [row.admit(9.0) for _ in range(2)]
    assert row.admit(10.5) not in early
    for ticket in early:
        row.settle(10.6, ticket, BAD)
    assert row.state == CLOSED
    assert told(row, "FF", start=10.7) == "CO"


def test_opossum_has_so_many_buckets_of_whole_milliseconds():
    """Eleven milliseconds in six buckets are six of one (`Math.floor`), and five in ten are ten of one: a timer cannot be shorter."""
    for words in (
        {"rolling_count_timeout": "11ms", "rolling_count_buckets": 6, "volume_threshold": 2},
        {"rolling_count_timeout": "5ms", "rolling_count_buckets": 10, "volume_threshold": 2},
    ):
        buckets = words["rolling_count_buckets"]
        assert told(breaker(opossum=words), "FF", start=0.0005, step=0.001 * (buckets - 1)) == "CO"
        assert told(breaker(opossum=words), "FF", start=0.0005, step=0.001 * buckets) == "CC"


TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: {circuit_breaker: BREAKER}}]}}
  b: {workers: unlimited, endpoints: {tell: [{wait: 1ms}]}}
faults: [{errors: {of: b, share: 100%}, at: 10s, for: 10s}]
"""


def test_in_a_run_it_tells_when_it_opened_also_where_nobody_called_then():
    run = testing.play(
        TEXT.replace("BREAKER", "{hystrix: {request_volume_threshold: 5}}"), [11 + i / 100 for i in range(10)]
    )
    assert [(event.time, event.kind) for event in run.events("breaker_opened")] == [(11.5, "breaker_opened")]
    run = testing.play(TEXT.replace("BREAKER", "{consecutive: 3, open_for: 5s}"), [11.0, 11.1, 11.2, 11.3, 16.3, 22.0])
    assert run.outcomes() == ["error", "error", "error", "breaker_open", "error", "ok"]
    assert len(run.events("breaker_half_opened")) == 2


LATE = """
version: 1
duration: 20s
traffic:
  patient: {sends: a.long, arrivals: {replay: {data: [1]}}}
  hasty: {sends: a.short, arrivals: {replay: {data: [2]}}}
policies: {p: {circuit_breaker: {opossum: {error_threshold_percentage: 40, reset_timeout: 2s}}}}
services:
  a: {workers: unlimited, endpoints: {long: [{call: b.long, policy: p}], short: [{call: b.short, policy: p}]}}
  b: {workers: unlimited, endpoints: {long: [{wait: 5s}, {fail: 100%}], short: [{wait: 1s}, {fail: 100%}]}}
"""


def test_a_failure_that_comes_late_to_an_open_opossum_tells_that_it_was_half_open_meanwhile():
    """Called at 1 s and at 2 s. The second failure opens it at 3 s, it is half-open at 5 s, and the first opens it again at 6 s."""
    (scenario,) = load_text(LATE).variants.values()
    records = models.simulate(scenario)
    told = [(float(row["time"]), EventKind(row["kind"]).name.lower()) for row in records.events]
    assert told == [
        (3.0, "breaker_opened"),
        (5.0, "breaker_half_opened"),
        (6.0, "breaker_opened"),
        (8.0, "breaker_half_opened"),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("{consecutive: 3, within: 1s}", "found within beside consecutive"),
        ("{polly: {}, opossum: {}}", "found opossum beside polly"),
        ("{polly: {failure_rate: 1}}", "did you mean 'failure_ratio'"),
        (
            "{hystrix: {rolling_stats: 1d, health_snapshot_interval: 1ms}}",
            "found rolling_stats of 86,400,000 times health_snapshot_interval, expected 100,000 times at most",
        ),
    ],
)
def test_slips_are_told(words, message):
    with pytest.raises(ScenarioError, match=message):
        testing.play(TEXT.replace("BREAKER", words), [1.0])


def test_purgatory_counts_in_a_row_and_its_wait_ends_after_its_last_instant():
    """ClosedState: `failure_count >= threshold`; OpenedState: `time.time() > opened_at + ttl`."""
    assert told(breaker(purgatory=3), "FFSFFF") == "CCCCCO"
    row = breaker(purgatory={"threshold": 1, "ttl": "60s"})
    assert told(row, "F") == "O"
    assert (row.admit(30.0), row.admit(60.0)) == (REJECTED, REJECTED)
    assert row.admit(60.01) >= 0
    assert breaker(purgatory={}).most == 5
    assert breaker(purgatory={}).open_for == 30.0


def test_a_half_opened_purgatory_lets_every_call_go_and_the_first_result_decides():
    row = breaker(purgatory={"threshold": 2, "ttl": "10s"})
    late = [row.admit(0.0) for _ in range(2)]
    assert told(row, "FF") == "CO"
    row.settle(5.0, late[0], OK)
    assert row.state == OPEN, "an open one hears of nothing"
    tickets = [row.admit(11.0) for _ in range(100)]
    assert min(tickets) >= 0
    row.settle(11.1, late[1], BAD)
    assert row.state == OPEN, "a failure of one that went out before it opened opens it again"
    assert row.admit(20.0) == REJECTED, "ten seconds from then on"
    tickets = [row.admit(22.0) for _ in range(3)]
    row.settle(22.1, tickets[0], OK)
    assert row.state == CLOSED
    row.settle(22.2, tickets[1], BAD)
    assert row.state == CLOSED
    row.settle(22.3, tickets[2], BAD)
    assert row.state == OPEN, "the others are counted by the closed one, two in a row"
