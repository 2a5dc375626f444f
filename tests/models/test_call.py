"""The guarded call, interceptor by interceptor, in their one order."""

import pytest

from sim import testing

PAIR = """
duration: 100s
services:
  a: {workers: unlimited, endpoints: {get: [{call: b.get, policy: guarded}]}}
  b: {workers: unlimited, queue: {capacity: 0}, endpoints: {get: [{work: WORK}]}}
policies: {guarded: POLICY}
"""


def pair(policy, work="100ms", more=""):
    return PAIR.replace("POLICY", policy).replace("WORK", work) + more


def test_the_timeout_is_per_attempt_and_pauses_come_on_top():
    played = testing.play(
        pair("{timeout: 200ms, retry: {max_attempts: 3, backoff: {constant: 50ms}}}", "10s"), [0.0], sends="a.get"
    )
    assert (played.outcomes(), played.responses()) == (["timeout"], [0.7])
    assert [attempt.arrived for attempt in played.attempts("b.get")] == [0.0, 0.25, 0.5]


def test_the_total_timeout_ends_the_attempt_under_way():
    policy = "{timeout: 1s, total_timeout: 2500ms, retry: {max_attempts: 1000, backoff: {constant: 0s}}}"
    played = testing.play(pair(policy, "10s"), [0.0], sends="a.get")
    assert (played.outcomes(), played.responses(), played.requests["where"].tolist()) == (["timeout"], [2.5], ["b.get"])
    assert [attempt.arrived for attempt in played.attempts("b.get")] == [0.0, 1.0, 2.0]


def test_the_total_timeout_cuts_the_last_pause_short():
    policy = "{total_timeout: 2500ms, retry: {max_attempts: 1000, backoff: {constant: 1s}}}"
    played = testing.play(pair(policy, more="faults: [{at: 0s, outage: b, how: refuse}]"), [0.0], sends="a.get")
    assert (played.outcomes(), played.responses()) == (["timeout"], [2.5])
    assert [attempt.arrived for attempt in played.attempts("b.get")] == [0.0, 1.0, 2.0]


def test_within_the_total_timeout_everything_is_as_without():
    plain = "timeout: 1s, retry: {max_attempts: 3, backoff: {constant: 100ms}}"
    for total in ("", "total_timeout: 10s, "):
        played = testing.play(pair(f"{{{total}{plain}}}", "10s"), [0.0], sends="a.get")
        assert (played.outcomes(), played.responses()) == (["timeout"], [3.2])
        assert testing.play(pair(f"{{{total}{plain}}}"), [0.0], sends="a.get").responses() == [0.1]


def test_the_total_timeout_counts_the_wait_for_the_bulkhead():
    policy = "{total_timeout: 1500ms, bulkhead: {max_concurrent_calls: 1, max_wait: 60s}}"
    played = testing.play(pair(policy, "1s"), [0.0, 0.0, 0.0], sends="a.get")
    assert (played.outcomes(), played.responses()) == (["ok", "timeout", "timeout"], [1.0, 1.5, 1.5])


def test_each_call_has_a_total_timeout_of_its_own():
    """Two calls of 0.8 s in a row, each within its second; and the first one's timer does not end the second call."""
    text = pair("{total_timeout: 1s}", "800ms").replace(
        "[{call: b.get, policy: guarded}]", "[{call: b.get, policy: guarded}, {call: b.get, policy: guarded}]"
    )
    played = testing.play(text, [0.0], sends="a.get")
    assert (played.outcomes(), played.responses()) == (["ok"], [1.6])


def test_a_caller_that_hangs_hears_after_the_thaw_what_came_first():
    """Frozen from 0.5 s to 5 s: the answer came at 0.8 s, before the end of the second; where none came, the timeout is what it hears."""
    hung = "faults: [{at: 500ms, for: 4500ms, outage: a, how: hang}]"
    for work, outcome in (("800ms", "ok"), ("3s", "timeout")):
        played = testing.play(
            pair("{total_timeout: 1s, retry: {max_attempts: 5, backoff: {constant: 0s}}}", work, hung),
            [0.0],
            sends="a.get",
        )
        assert (played.outcomes(), played.responses()) == ([outcome], [5.0])
        assert len(played.attempts("b.get")) == 1


def test_a_total_timeout_in_a_freeze_ends_a_call_that_was_only_ever_rejected():
    """Rejected by an open breaker at 0.9 s, its pause ends at 1.1 s in a freeze of 1 s to 3 s, its time at 1.2 s: it hears so at the thaw."""
    retry = "retry: {max_attempts: 5, backoff: {constant: 200ms}, on: [breaker_open]}"
    policy = f"{{total_timeout: 300ms, {retry}, circuit_breaker: {{failures: 1, within: 1s, open_for: 60s}}}}"
    harm = "faults: [{at: 0s, outage: b, how: refuse}, {at: 1s, for: 2s, outage: a, how: hang}]"
    played = testing.play(pair(policy, more=harm), [0.0, 0.9], sends="a.get")
    assert (played.outcomes(), played.responses()) == (["unreachable", "timeout"], [0.0, 2.1])


def test_the_breaker_stands_inside_of_the_retry_and_sees_every_attempt():
    """Three attempts of one request open a breaker of three; the fourth is rejected, which is the outcome, and is not tried again."""
    policy = "{timeout: 100ms, retry: {max_attempts: 9, backoff: {constant: 0s}}, circuit_breaker: {failures: 3, within: 10s, open_for: 60s}}"
    played = testing.play(pair(policy, "10s"), [0.0], sends="a.get")
    assert (played.outcomes(), played.responses()) == (["breaker_open"], [0.3])
    assert len(played.attempts("b.get")) == 3


def test_a_full_bulkhead_is_no_failure_for_the_breaker_and_no_reason_to_try_again():
    policy = "{retry: {max_attempts: 3, backoff: {constant: 0s}}, bulkhead: {max_concurrent_calls: 1}, circuit_breaker: {failures: 2, within: 10s}}"
    played = testing.play(pair(policy, "1s"), [0.0, 0.1, 0.2, 0.3, 2.0], sends="a.get")
    assert played.outcomes() == ["ok", "bulkhead_full", "bulkhead_full", "bulkhead_full", "ok"]
    assert not played.events("breaker_opened")


def test_for_a_breaker_of_resilience4j_a_full_bulkhead_is_a_failure():
    """The one that has the place ends well: of four results three are failures."""
    breaker = "{resilience4j: {sliding_window_size: 4, minimum_number_of_calls: 4}}"
    policy = f"{{bulkhead: {{max_concurrent_calls: 1}}, circuit_breaker: {breaker}}}"
    played = testing.play(pair(policy, "1s"), [0.0, 0.1, 0.2, 0.3, 2.0], sends="a.get")
    assert played.outcomes() == ["ok", "bulkhead_full", "bulkhead_full", "bulkhead_full", "breaker_open"]
    assert [event.time for event in played.events("breaker_opened")] == [1.0]


def test_two_breakers_of_one_caller_for_one_callee_are_told_apart_by_the_name_of_the_later_policy():
    text = """
    services:
      a: {workers: 9, endpoints: {one: [{call: b.get, policy: first}], two: [{call: b.get, policy: second}], three: [{call: b.get, policy: first}]}}
      b: {workers: 9, endpoints: {get: [{fail: 100%}]}}
    traffic: {clients: {sends: {a.one: 1, a.two: 1, a.three: 1}}}
    policies:
      first: {circuit_breaker: {failures: 1, within: 10s, open_for: 60s}}
      second: {circuit_breaker: {failures: 2, within: 10s, open_for: 60s}, scope: service}
    """
    played = testing.play(text, [0.1 * k for k in range(20)])
    opened = [(event.subject, event.object) for event in played.events("breaker_opened")]
    assert sorted(opened) == [("a", "b (second)"), ("a[0]", "b")]
    assert [series.component for series in played.records.series if series.quantity == "breaker_open"] == [
        "a -> b",
        "a -> b (second)",
    ]
    assert [played.records.gauge(f"a -> {about}", "breaker_open")[-1] for about in ("b", "b (second)")] == [1.0, 1.0]


def test_the_permit_is_free_again_at_the_timeout_although_the_callee_goes_on():
    policy = "{timeout: 500ms, bulkhead: {max_concurrent_calls: 1}}"
    played = testing.play(pair(policy, "10s"), [0.0, 0.4, 0.5, 0.6], sends="a.get")
    assert played.outcomes() == [
        "timeout",
        "bulkhead_full",
        "bulkhead_full",
        "timeout",
    ]  # at 0.5 s the arrival goes before the timeout
    assert len(played.attempts("b.get")) == 2


def test_a_retry_leaves_the_bulkhead_during_its_pause():
    policy = "{timeout: 100ms, retry: {max_attempts: 2, backoff: {constant: 1s}}, bulkhead: {max_concurrent_calls: 1}}"
    played = testing.play(pair(policy, "10s"), [0.0, 0.5], sends="a.get")
    assert [(attempt.request, attempt.arrived) for attempt in played.attempts("b.get")] == [
        (0, 0.0),
        (1, 0.5),
        (0, 1.1),
        (1, 1.6),
    ]


def test_a_killed_waiter_leaves_no_ghost_in_the_queue_of_the_bulkhead():
    text = """
    duration: 20s
    traffic: {hasty: {sends: edge.hasty}, patient: {sends: edge.patient}}
    services:
      edge: {workers: 9, endpoints: {hasty: [{call: a.get, policy: {timeout: 200ms, on_timeout: cancel}}], patient: [{call: a.get}]}}
      a: {workers: 9, endpoints: {get: [{call: b.get, policy: {bulkhead: {max_concurrent_calls: 1, max_wait: 10s}}}]}}
      b: {workers: 9, endpoints: {get: [{work: 1s}]}}
    """
    played = testing.play(text, {"patient": [0.0, 0.2], "hasty": [0.1]})
    assert played.outcomes("hasty") == ["timeout"]
    assert played.responses("patient") == [1.0, 1.8]


def test_a_killed_holder_gives_its_bulkhead_permit_to_the_next():
    text = """
    duration: 20s
    traffic: {hasty: {sends: edge.hasty}, patient: {sends: edge.patient}}
    services:
      edge: {workers: 9, endpoints: {hasty: [{call: a.get, policy: {timeout: 200ms, on_timeout: cancel}}], patient: [{call: a.get}]}}
      a: {workers: 9, endpoints: {get: [{call: b.get, policy: {bulkhead: {max_concurrent_calls: 1, max_wait: 10s}}}]}}
      b: {workers: 9, endpoints: {get: [{work: 1s}]}}
    """
    played = testing.play(text, {"hasty": [0.0], "patient": [0.1]})
    assert played.responses("patient") == [1.1]  # from 0.2 s on


def test_sites_of_one_caller_that_name_one_policy_share_their_guard_and_inline_policies_do_not():
    text = """
    duration: 20s
    traffic: {one: {sends: a.one}, two: {sends: a.two}}
    services:
      a: {workers: 9, endpoints: {one: [{call: b.get, policy: POLICY}], two: [{call: b.get, policy: POLICY}]}}
      b: {workers: 9, endpoints: {get: [{work: 1s}]}}
    policies: {shared: {bulkhead: {max_concurrent_calls: 1}}}
    """
    arrivals = {"one": [0.0], "two": [0.1]}
    assert testing.play(text.replace("POLICY", "shared"), arrivals).outcomes("two") == ["bulkhead_full"]
    assert testing.play(text.replace("POLICY", "{bulkhead: {max_concurrent_calls: 1}}"), arrivals).outcomes("two") == [
        "ok"
    ]


def test_the_first_typed_failure_down_the_chain_is_the_outcome_and_tells_where_it_arose():
    text = """
    services:
      a: {workers: 1, endpoints: {get: [{call: b.get}]}}
      b: {workers: 1, endpoints: {get: [{call: c.get}]}}
      c: {workers: 1, endpoints: {get: [{call: d.get, policy: {timeout: 1s}}]}}
      d: {workers: 1, endpoints: {get: [{work: 2s}]}}
    """
    played = testing.play(text, [0.0], sends="a.get")
    assert (played.outcomes(), played.requests["where"].tolist()) == (["timeout"], ["d.get"])


def test_a_publish_is_guarded_as_a_call_is():
    text = """
    duration: 20s
    services: {a: {workers: 9, endpoints: {get: [{publish: events, policy: POLICY, FALLBACK}]}}}
    brokers: {kafka: {kind: log, replication: 500ms, topics: {events: {}}}}
    """
    timeout = text.replace("POLICY", "{timeout: 100ms}")
    assert testing.play(timeout.replace(", FALLBACK", ""), [0.0]).outcomes() == ["timeout"]
    assert testing.play(timeout.replace("FALLBACK", "fallback: []"), [0.0]).outcomes() == ["degraded"]
    full = text.replace("POLICY", "{bulkhead: {max_concurrent_calls: 1}}").replace(", FALLBACK", "")
    assert testing.play(full, [0.0, 0.1]).outcomes() == ["ok", "bulkhead_full"]


def test_a_call_without_a_policy_waits_as_long_as_it_takes_and_hears_every_failure_once():
    played = testing.play(pair("{}", "50s"), [0.0], sends="a.get")
    assert played.responses() == [50.0]


@pytest.mark.parametrize("latency", ["0s", "30ms"])
def test_the_timeout_includes_the_hops(latency):
    text = pair("{timeout: 150ms}", "100ms", f"network: {{default: {{latency: {latency}}}}}")
    assert testing.play(text, [0.0], sends="a.get").outcomes() == ["ok" if latency == "0s" else "timeout"]


def test_attempts_and_first_attempts_are_counted_for_the_amplification():
    played = testing.play(
        pair("{timeout: 100ms, retry: {max_attempts: 3, backoff: {constant: 0s}}}", "10s"), [0.0, 1.0], sends="a.get"
    )
    assert played.records.gauge("b", "attempts")[-1] == 6.0
    assert played.records.gauge("b", "first_attempts")[-1] == 2.0


POOL = """
duration: 10s
services:
  front: {workers: unlimited, endpoints: {get: [{call: back.get, policy: threads}]}}
  back: {workers: unlimited, endpoints: {get: [{wait: 1s}]}}
policies: {threads: {bulkhead: {thread_pool: SIZES}}}
"""


def test_a_pool_of_threads_fills_its_core_then_its_queue_and_only_then_has_more_threads():
    """One thread, one place, one thread more: the call at 0.2 s passes the one that waits since 0.1 s, and the one at 0.3 s is refused.
    At 1.2 s the second thread ends, so that the call at 1.3 s waits for the first, until 2 s.
    """
    sizes = "{core_thread_pool_size: 1, max_thread_pool_size: 2, queue_capacity: 1}"
    run = testing.play(POOL.replace("SIZES", sizes), [0.0, 0.1, 0.2, 0.3, 1.3], sends="front.get")
    assert run.outcomes() == ["ok", "ok", "ok", "bulkhead_full", "ok"]
    assert run.responses() == pytest.approx([1.0, 1.9, 1.0, 0.0, 1.7])


def test_a_pool_of_threads_without_a_queue_refuses_whom_it_has_no_thread_for():
    sizes = "{core_thread_pool_size: 1, queue_capacity: 0}"
    run = testing.play(POOL.replace("SIZES", sizes), [0.0, 0.5, 1.5], sends="front.get")
    assert run.outcomes() == ["ok", "bulkhead_full", "ok"]


def test_a_thread_is_free_for_the_next_in_the_queue_when_its_call_times_out():
    """After 300 ms: the call of 0.1 s has the thread from 0.3 s to 0.4 s, and that of 0.35 s has its place in the queue until then."""
    text = POOL.replace("SIZES", "{core_thread_pool_size: 1, queue_capacity: 1}").replace(
        "{bulkhead", "{timeout: 300ms, bulkhead"
    )
    run = testing.play(text, [0.0, 0.1, 0.2, 0.35, 0.38], sends="front.get")
    assert run.outcomes() == ["timeout", "timeout", "bulkhead_full", "timeout", "bulkhead_full"]
    assert run.responses() == pytest.approx([0.3, 0.3, 0.0, 0.3, 0.0])
