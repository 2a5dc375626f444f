"""Hedging: when a copy is sent, whose answer counts, what becomes of losers, and what it may cost."""

import pytest

from sim import testing
from sim.errors import ScenarioError

TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: {POLICY}}]}}
  b: {replicas: 2, workers: 4, endpoints: {tell: [{wait: 100ms}]}}
faults: [FAULTS]
"""
SLOW = "{slow: {of: b, replicas: 1, by: 10x}, at: 0s}"
BAD = "{errors: {of: b, replicas: 1, share: 100%}, at: 0s}"


def played(policy, times, faults=SLOW):
    return testing.play(TEXT.replace("POLICY", policy).replace("FAULTS", faults), times)


def ended(run):
    return [(a.replica, a.arrived, a.ended, a.outcome) for a in run.attempts("b.tell")]


def test_a_copy_to_the_other_replica_answers_first_and_the_loser_is_cancelled():
    run = played("hedge: {after: 150ms}", [1.0])
    assert run.responses() == [0.25]
    assert ended(run) == [(0, 1.0, 1.25, "timeout"), (1, 1.15, 1.25, "ok")]


def test_without_cancel_the_loser_works_on_for_nobody():
    run = played("hedge: {after: 150ms, cancel: false}", [1.0])
    assert run.responses() == [0.25]
    assert [(a.ended, a.abandoned) for a in run.attempts("b.tell")] == [(2.0, True), (1.25, False)]


def test_who_answers_in_time_is_asked_once():
    assert len(played("hedge: {after: 150ms}", [1.0], "{slow: {of: b, by: 1x}, at: 59s}").attempts("b.tell")) == 1


def test_a_failure_sends_the_next_copy_at_once_and_the_last_failure_counts():
    run = played("hedge: {after: 10s}", [1.0], BAD)
    assert (run.outcomes(), run.responses()) == (["ok"], [0.1])
    run = played("hedge: {after: 10s, on: [timeout]}", [1.0], BAD)
    assert run.outcomes() == ["error"]
    run = played("hedge: {after: 10s, max: 3}", [1.0], BAD.replace("replicas: 1, ", ""))
    assert run.outcomes() == ["error"]
    assert len(run.attempts("b.tell")) == 4


def test_copies_at_once_and_no_more_than_the_most():
    run = played("hedge: {after: 0s, max: 2}", [1.0], "{slow: {of: b, by: 10x}, at: 0s}")
    assert [attempt.arrived for attempt in run.attempts("b.tell")] == [1.0] * 3
    assert run.responses() == [1.0]


def test_each_copy_has_a_timeout_of_its_own_and_all_together_the_total():
    run = played("timeout: 300ms, hedge: {after: 100ms}", [1.0], "{slow: {of: b, by: 10x}, at: 0s}")
    assert (run.outcomes(), run.responses()) == (["timeout"], [0.4])
    run = played(
        "timeout: 300ms, total_timeout: 350ms, hedge: {after: 100ms}", [1.0], "{slow: {of: b, by: 10x}, at: 0s}"
    )
    assert (run.outcomes(), run.responses()) == (["timeout"], [0.35])


def test_copies_take_places_of_a_bulkhead_and_give_them_back():
    run = played("bulkhead: {max_concurrent_calls: 2}, hedge: {after: 150ms}", [1.0, 1.3, 1.6])
    assert run.outcomes() == ["ok"] * 3
    run = played("bulkhead: {max_concurrent_calls: 1}, hedge: {after: 150ms}", [1.0])
    assert run.outcomes() == ["bulkhead_full"]  # which no further copy could mend


def test_a_hedged_attempt_may_be_retried():
    words = "retry: {max_attempts: 2, backoff: {constant: 100ms}}, hedge: {after: 10s}"
    run = played(words, [1.0], "{errors: {of: b, share: 100%}, at: 0s, for: 1.05s}")
    assert run.outcomes() == ["ok"]
    assert len(run.attempts("b.tell")) == 3


def test_the_extra_load_bounds_the_copies():
    times = [i / 100 for i in range(100, 1100)]
    free = played("hedge: {after: 150ms}", times)
    bound = played("hedge: {after: 150ms, extra_load: 5%}", times)
    assert len(free.attempts("b.tell")) > 1400
    assert 1000 < len(bound.attempts("b.tell")) <= 1051


def test_a_percentile_is_known_after_a_hundred_answers():
    times = [1 + i / 10 for i in range(300)]
    run = played(
        "hedge: {after: p90}",
        times,
        "{slow: {of: b, by: 1x}, at: 59s}, {name: late, slow: {of: b, replicas: 1, by: 5x}, at: 20s}",
    )
    assert max(run.responses()[:180]) == 0.1
    first = run.responses()[190:200]
    assert sum(response < 0.5 for response in first) >= 9  # half of them would be slow, without copies
    assert max(run.responses()[270:]) == 0.5  # by now it is usual that answers take long


def test_a_client_that_goes_stops_all_copies():
    text = """
    duration: 1m
    traffic: {clients: {sends: GET /, timeout: 300ms}}
    gateway: {workers: 4, routes: {GET /: {to: b.tell, policy: {hedge: {after: 100ms}}}}}
    services: {b: {workers: 4, endpoints: {tell: [{wait: 1s}]}}}
    """
    run = testing.play(text, [1.0])
    assert (run.outcomes(), run.responses()) == (["timeout"], [0.3])


def test_copies_that_were_given_up_are_not_stopped_again_with_their_caller():
    """A request is written when nothing of it is alive: the first at 0.3 s, when its client has gone, before the second.

    The copy was given up at 0.05 s, by the time for all of them; its caller waits on until its client is gone.
    """
    run = testing.play(
        """
        duration: 10s
        traffic: {clients: {sends: a.ask, timeout: 300ms, deadline: propagate}}
        services:
          a:
            workers: 9
            endpoints: {ask: [{call: b.tell, policy: {total_timeout: 50ms, deadline: propagate, hedge: {after: 1s}}, fallback: [{wait: 1s}]}]}
          b: {workers: 9, endpoints: {tell: [{wait: 10ms}]}}
        faults: [{slow: {of: b, by: 100x}, at: 0s, for: 500ms}]
        """,
        [0.0, 1.0],
    )
    assert [round(end, 9) for end in run.records.requests["end"]] == [0.3, 1.01]


@pytest.mark.parametrize(
    ("hedge", "told"),
    [("{after: p5}", "a percentile, p95"), ("{after: 1s, max: 11}", "10"), ("{delay: 1s}", "unknown field")],
)
def test_slips_are_told(hedge, told):
    with pytest.raises(ScenarioError, match=told):
        played(f"hedge: {hedge}", [1.0])
