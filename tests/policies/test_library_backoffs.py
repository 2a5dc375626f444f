"""Pauses before retries as resilience4j, gRPC, Finagle, Polly and tenacity reckon them, number by number."""

import math

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.models.pausing import Pauses
from sim.spec.policy import Retry

ALMOST = 1.0 - 1e-6


def pauses(backoff, luck, count=None, **words):
    """One after the other: with the same luck for all, or one for each."""
    lucks = luck if isinstance(luck, list) else [luck] * (count or 5)
    rule = Pauses(Retry(backoff=backoff, **words))
    found, kept = [], rule.rule.begin
    for tries, u in enumerate(lucks, 1):
        pause, kept = rule.next(9, tries, u, kept)
        found.append(pause)
    return found


def test_a_sequence_is_gone_through_and_its_last_pause_repeated():
    assert pauses({"sequence": ["1s", "1s", "2s", "5s"]}, 0.5, 6) == [1.0, 1.0, 2.0, 5.0, 5.0, 5.0]
    assert pauses({"sequence": ["1s", "4s"]}, 0.5, 3, jitter="full") == [0.5, 2.0, 2.0]
    assert pauses({"sequence": ["1s", "4s"]}, 0.0, 2, jitter="10%") == pytest.approx([0.9, 3.6])


def test_resilience4j_cuts_each_interval_to_whole_milliseconds():
    """ofExponentialBackoff(500, 1.5): x -> (long) (x * multiplier), so that 1,687 ms become 2,530 and not 2,531.25."""
    words = {"wait_duration": "500ms", "exponential_backoff_multiplier": 1.5}
    assert pauses({"resilience4j": words}, 0.5, 6) == [0.5, 0.75, 1.125, 1.687, 2.53, 3.795]
    assert (
        pauses({"resilience4j": {"wait_duration": "3ms", "exponential_backoff_multiplier": 1.1}}, 0.5, 9) == [0.003] * 9
    )
    assert pauses({"resilience4j": {"wait_duration": "2999us"}}, 0.5, 2) == [0.002, 0.002]  # Duration.toMillis


@pytest.mark.parametrize(
    ("u", "expected"),
    [  # min + u * (max - min + 1), cut: of 500, 750 and 1,125 ms
        (0.0, [0.25, 0.375, 0.562]),
        (0.5, [0.5, 0.75, 1.125]),
        (ALMOST, [0.75, 1.125, 1.688]),
    ],
)
def test_resilience4j_randomizes_what_was_cut_and_cuts_again(u, expected):
    words = {"wait_duration": "500ms", "exponential_backoff_multiplier": 1.5, "randomized_wait_factor": 0.5}
    assert pauses({"resilience4j": words}, u, 3) == expected


def test_resilience4j_caps_what_is_randomized_and_never_waits_for_nothing():
    words = {"wait_duration": "1s", "exponential_backoff_multiplier": 2, "exponential_max_wait_duration": "3s"}
    assert pauses({"resilience4j": words | {"randomized_wait_factor": 0.5}}, 0.0, 4) == [0.5, 1.0, 2.0, 3.0]
    assert pauses({"resilience4j": words | {"randomized_wait_factor": 0.5}}, ALMOST, 3) == [1.5, 3.0, 3.0]
    assert pauses({"resilience4j": {"wait_duration": "1ms", "randomized_wait_factor": 0.99}}, 0.0, 1) == [0.001]
    long = {"wait_duration": "1s", "exponential_backoff_multiplier": 10}
    assert pauses({"resilience4j": long}, 0.5, 999)[-1] == pytest.approx(9.0e15)  # a long of milliseconds


@pytest.mark.parametrize(
    ("u", "expected"),
    [  # A6: 100 ms, 1 s, 2: min(0.1 * 2^(n-1), 1) * random(0.8, 1.2), above the cap by a fifth
        (0.0, [0.08, 0.16, 0.32, 0.64, 0.8, 0.8]),
        (0.5, [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]),
        (1.0, [0.12, 0.24, 0.48, 0.96, 1.2, 1.2]),
    ],
)
def test_grpc_spreads_what_was_capped(u, expected):
    words = {"initial_backoff": "100ms", "max_backoff": "1s", "backoff_multiplier": 2}
    assert pauses({"grpc": words}, u, 6) == pytest.approx(expected)


def test_the_first_pause_of_grpc_is_not_capped():
    words = {"initial_backoff": "2s", "max_backoff": "1s", "backoff_multiplier": 2}
    assert pauses({"grpc": words}, 0.5, 3) == [2.0, 1.0, 1.0]


def by_hand_finagle(kind, start, maximum, lucks):
    """Backoff.scala, class by class, in nanoseconds."""
    found, now, const = [], start, start == maximum
    for attempt, u in enumerate(lucks):
        found.append(now)
        following = lucks[attempt + 1] if attempt + 1 < len(lucks) else u
        if const:
            continue
        if kind == "decorrelated":
            high = maximum if now >= maximum // 3 else now * 3
            spread = abs(high - now)
            now = now if spread == 0 else now + int(following * spread)
            const = now == maximum
        elif kind == "equal":
            shift = 1 << min(62, attempt)
            half = maximum if start >= maximum // shift else start * shift
            more = int(following * half)
            const = half == maximum or half >= maximum - more
            now = maximum if const else half + more
        else:
            shift = 1 << min(62, attempt + 1)
            most = maximum if now >= maximum // shift else now * shift
            const = most == maximum
            now = maximum if const else int(following * most)
    return [pause / 1e9 for pause in found]


@pytest.mark.parametrize("kind", ["decorrelated", "equal", "exponential"])
@pytest.mark.parametrize(
    "lucks", [[0.5] * 9, [0.0] * 9, [ALMOST] * 9, [0.1, 0.9, 0.3, 0.7, 0.2, 0.6, 0.4, 0.8, 0.05, 0.95, 0.31]]
)
@pytest.mark.parametrize(("start", "maximum"), [(0.1, 5.0), (5.0, 300.0), (1.0, 1.0), (0.333333333, 1.0), (3.0, 4.0)])
def test_finagle_pauses_as_backoff_scala_does(kind, lucks, start, maximum):
    words = {"jitter": kind, "start": f"{start}s", "maximum": f"{maximum}s"}
    expected = by_hand_finagle(kind, round(start * 1e9), round(maximum * 1e9), lucks)
    assert pauses({"finagle": words}, lucks) == pytest.approx(expected, abs=2e-9)


def test_the_first_pause_of_finagle_is_the_start_and_decorrelated_grows_from_the_pause_before():
    """Not between the base and three times that, as AWS has it: from 1 s with luck 0.5 come 2 s, 4 s, 8 s."""
    assert pauses({"finagle": {"jitter": "decorrelated", "start": "1s", "maximum": "100s"}}, 0.5, 4) == [1, 2, 4, 8]
    assert pauses({"finagle": {"jitter": "equal", "start": "1s", "maximum": "100s"}}, 0.5, 4) == [1, 1.5, 3, 6]
    assert pauses({"finagle": {"jitter": "exponential", "start": "1s", "maximum": "100s"}}, 0.5, 4) == [1, 1, 2, 8]


def test_polly_without_jitter_is_constant_linear_or_twofold_and_capped_last():
    assert pauses({"polly": {}}, 0.5, 3) == [2.0, 2.0, 2.0]
    assert pauses({"polly": {"backoff_type": "linear", "delay": "1s", "max_delay": "2500ms"}}, 0.5, 4) == [
        1,
        2,
        2.5,
        2.5,
    ]
    assert pauses({"polly": {"backoff_type": "exponential", "delay": "1s"}}, 0.5, 4) == [1, 2, 4, 8]


def test_polly_spreads_constant_and_linear_pauses_by_a_quarter_either_way():
    """ApplyJitter: delay + delay * 0.5 * random - delay * 0.25."""
    for u, share in ((0.0, 0.75), (0.5, 1.0), (ALMOST, 1.25)):
        found = pauses({"polly": {"backoff_type": "linear", "delay": "1s", "use_jitter": True}}, u, 3)
        assert found == pytest.approx([share, 2 * share, 3 * share], abs=2e-6)


def by_hand_v2(delay, lucks, most=math.inf):
    """DecorrelatedJitterBackoffV2 with Math.Pow, Math.Tanh and Math.Sqrt, in ticks."""
    found, before = [], 0.0
    for attempt, u in enumerate(lucks):
        t = attempt + u
        now = 2.0**t * math.tanh(math.sqrt(4.0 * t))
        found.append(min(int((now - before) * (1 / 1.4) * round(delay * 1e7)) / 1e7, most))
        before = now
    return found


@pytest.mark.parametrize("lucks", [[0.5] * 6, [0.01, 0.99, 0.3, 0.6, 0.2, 0.9], [0.9, 0.1, 0.9, 0.1, 0.9, 0.1]])
def test_polly_v2_takes_what_its_curve_grew_by_since_the_last_attempt(lucks):
    words = {"backoff_type": "exponential", "delay": "1s", "use_jitter": True}
    assert pauses({"polly": words}, lucks) == pytest.approx(by_hand_v2(1.0, lucks), abs=2.1e-7)
    capped = pauses({"polly": words | {"max_delay": "3s"}}, lucks)
    assert capped == pytest.approx(by_hand_v2(1.0, lucks, 3.0), abs=2.1e-7)  # the cap is not remembered


def test_the_pauses_of_polly_v2_together_depend_on_the_luck_of_the_last_alone():
    """What its curve grew by from attempt to attempt adds up to the curve: f(4.25) / 1.4 seconds."""
    words = {"backoff_type": "exponential", "delay": "1s", "use_jitter": True}
    whole = 2.0**4.25 * math.tanh(math.sqrt(17.0)) / 1.4
    for lucks in ([0.9, 0.2, 0.4, 0.6, 0.25], [0.1, 0.8, 0.8, 0.1, 0.25]):
        assert sum(pauses({"polly": words}, lucks)) == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize(
    ("words", "expected"),
    [  # what tenacity 9.2.1 answers for attempts 1, 2, 3, 4 and 7, with random() 0.0, 0.25 and 0.75
        (
            {"wait_exponential": {"multiplier": "500ms", "max": "10s", "min": "1s", "exp_base": 3}},
            [[1.0, 1.5, 4.5, 10.0, 10.0]] * 3,
        ),
        (
            {"wait_random_exponential": {"multiplier": "500ms", "max": "10s", "min": "200ms"}},
            [[0.2] * 5, [0.275, 0.4, 0.65, 1.15, 2.65], [0.425, 0.8, 1.55, 3.05, 7.55]],
        ),
        (
            {"wait_exponential_jitter": {"multiplier": "1s", "max": "10s", "jitter": "2s", "min": "1250ms"}},
            [[1.25, 2.0, 4.0, 8.0, 10.0], [1.5, 2.5, 4.5, 8.5, 10.0], [2.5, 3.5, 5.5, 9.5, 10.0]],
        ),
        (
            {"wait_incrementing": {"start": "1s", "increment": "500ms", "max": "3s"}},
            [[1.0, 1.5, 2.0, 2.5, 3.0]] * 3,
        ),
        ({"wait_random": {"min": "1s", "max": "3s"}}, [[1.0] * 5, [1.5] * 5, [2.5] * 5]),
    ],
    ids=lambda its: next(iter(its)) if isinstance(its, dict) else "",
)
def test_tenacity_waits_as_it_does(words, expected):
    for u, wanted in zip((0.0, 0.25, 0.75), expected, strict=True):
        found = pauses({"tenacity": words}, u, 7)
        assert [found[k - 1] for k in (1, 2, 3, 4, 7)] == pytest.approx(wanted)


LIBRARIES = [
    {"resilience4j": {"exponential_backoff_multiplier": 2, "randomized_wait_factor": 0.5}},
    {"grpc": {"initial_backoff": "1s", "max_backoff": "5s", "backoff_multiplier": 2}},
    *(
        {"finagle": {"jitter": kind, "start": "1s", "maximum": "20s"}}
        for kind in ("decorrelated", "equal", "exponential")
    ),
    {"polly": {"backoff_type": "exponential", "use_jitter": True}},
    {"polly": {"backoff_type": "linear", "use_jitter": True, "max_delay": "5s"}},
    {"tenacity": {"wait_random_exponential": {"max": "8s", "min": "1s"}}},
    {"tenacity": {"wait_exponential_jitter": {"jitter": "3s"}}},
]


@pytest.mark.parametrize("backoff", LIBRARIES, ids=lambda its: next(iter(its)))
def test_on_paper_a_pause_lies_where_luck_may_bring_it(backoff):
    rule = Retry(backoff=backoff).backoff
    for lucks in ([0.001] * 7, [0.5] * 7, [0.999] * 7, [0.999, 0.001] * 3, [0.001, 0.999] * 3):
        for number, pause in enumerate(pauses(backoff, lucks), 1):
            low, high = rule.between(number)
            assert low - 0.002 <= pause <= high + 0.002


TEXT = """
duration: 1m
policies: {p: {retry: {max_attempts: 4, backoff: {sequence: [1s, 3s]}}}}
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: p}]}}
  b: {workers: unlimited, endpoints: {tell: [{fail: 100%}]}}
"""


def test_in_a_run_attempts_are_made_after_the_pauses_of_the_list():
    run = testing.play(TEXT, [1.0])
    assert [its.arrived for its in run.attempts("b.tell")] == pytest.approx([1.0, 2.0, 5.0, 8.0], abs=0.1)


@pytest.mark.parametrize(
    ("retry", "message"),
    [
        ("{backoff: {grpc: {initial_backoff: 1s}}}", "max_backoff"),
        ("{jitter: full, backoff: {polly: 1s}}", "found jitter beside the back-off of polly, which has its own"),
        ("{jitter: decorrelated, backoff: {sequence: [1s]}}", "expected another jitter"),
        ("{backoff: {resilience4j: {exponential_max_wait_duration: 1s}}}", "it caps what grows"),
        ("{backoff: {resilience4j: {exponential_backoff_multiplier: 0.9}}}", "exponential_backoff_multiplier"),
        ("{backoff: {resilience4j: {randomized_wait_factor: 100%}}}", "randomized_wait_factor"),
        ("{backoff: {finagle: {jitter: equal, start: 2s, maximum: 1s}}}", "found a start above maximum"),
        ("{backoff: {tenacity: {}}}", "expected one of wait_exponential"),
        ("{backoff: {tenacity: {wait_random: {}, wait_incrementing: {}}}}", "beside"),
        ("{backoff: {sequence: []}}", "sequence"),
    ],
)
def test_slips_are_told(retry, message):
    with pytest.raises(ScenarioError, match=message):
        testing.play(TEXT.replace("{max_attempts: 4, backoff: {sequence: [1s, 3s]}}", retry), [1.0])
