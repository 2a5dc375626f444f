"""Over three layers: a policy decides on the answer of its direct callee; why something failed in the first place stays in the books."""

from heapq import heappop, heappush
from itertools import count

import pytest

from sim import testing

LAYERS = """
duration: 60s
traffic: {clients: {sends: a.x}}
services:
  a: {workers: unlimited, endpoints: {x: [{call: b.x, policy: edge}]}}
  b: {workers: unlimited, endpoints: {x: {do: [{call: c.x, policy: middle}], answers_with: ANSWERS}}}
  c: {workers: 1, queue: {capacity: 0}, endpoints: {x: [STEPS]}}
policies: {edge: {retry: {max_attempts: 3, backoff: {constant: 10ms}, on: [ON]}}, middle: MIDDLE}
faults: [FAULTS]
"""

# reason -> steps of c, policy of b, faults, requests before the one that is looked at
REASONS = {
    "error": ("{fail: 100%}", "{}", "", []),
    "shed": ("{work: 5s}", "{}", "", [0.9]),
    "unreachable": ("{work: 1ms}", "{}", "{at: 0s, outage: c, how: refuse}", []),
    "timeout": ("{work: 5s}", "{timeout: 20ms}", "", []),
    "bulkhead_full": ("{work: 5s}", "{bulkhead: {max_concurrent_calls: 1}}", "", [0.9]),
    "breaker_open": ("{fail: 100%}", "{circuit_breaker: {failures: 1, within: 1s, open_for: 50s}}", "", [0.9]),
}


def layers(reason, on, answers="{}"):
    steps, middle, fault, before = REASONS[reason]
    text = (
        LAYERS.replace("STEPS", steps)
        .replace("MIDDLE", middle)
        .replace("FAULTS", fault)
        .replace("ON", on)
        .replace("ANSWERS", answers)
    )
    if reason == "timeout":
        text = text.replace("workers: 1, queue: {capacity: 0}", "workers: unlimited")
    return testing.play(text, [*before, 1.0])


def attempts(played, of="b.x"):
    """Of the request of 1.0 s."""
    return [attempt for attempt in played.attempts(of) if attempt.request == len(played.outcomes()) - 1]


@pytest.mark.parametrize("reason", REASONS)
def test_whatever_fails_further_down_is_an_error_for_the_caller_and_has_its_own_name_in_the_books(reason):
    told = layers(reason, "error")
    assert len(attempts(told)) == 3
    assert {attempt.outcome for attempt in attempts(told)} == {reason}
    assert told.outcomes()[-1] == reason


@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason != "error"])
def test_nobody_retries_what_happened_between_two_others(reason):
    assert len(attempts(layers(reason, reason))) == 1


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("answer", ["shed", "rate_limited"])
def test_unless_the_callee_answers_with_something_else(reason, answer):
    told = layers(reason, answer, f"{{{reason}: {answer}}}")
    assert len(attempts(told)) == 3
    assert told.outcomes()[-1] == reason


@pytest.mark.parametrize("reason", REASONS)
def test_a_refusal_is_no_failure_for_the_caller(reason):
    assert len(attempts(layers(reason, "error", f"{{{reason}: refused}}"))) == 1


OWN = {
    "timeout": ("timeout: 20ms", "{work: 5s}", "", []),
    "breaker_open": ("circuit_breaker: {failures: 1, within: 1s, open_for: 50s}", "{fail: 100%}", "", [0.9]),
    "bulkhead_full": ("bulkhead: {max_concurrent_calls: 1}", "{work: 5s}", "", [0.9]),
    "unreachable": ("scope: service", "{work: 1ms}", "{at: 0s, outage: b, how: refuse}", []),
    "shed": ("scope: service", "{work: 5s}", "", [0.9]),
    "error": ("scope: service", "{fail: 100%}", "", []),
}


@pytest.mark.parametrize("reason", OWN)
def test_its_own_timeout_breaker_bulkhead_and_connection_it_sees_as_such_and_what_its_callee_answers_itself_too(reason):
    policy, steps, fault, before = OWN[reason]
    system = f"""
    duration: 60s
    services:
      a: {{workers: unlimited, endpoints: {{x: [{{call: b.x, policy: edge}}]}}}}
      b: {{workers: {1 if reason == "shed" else "unlimited"}, queue: {{capacity: 0}}, endpoints: {{x: [{steps}]}}}}
    policies: {{edge: {{{policy}, retry: {{max_attempts: 3, backoff: {{constant: 10ms}}, on: [{reason}]}}}}}}
    faults: [{fault}]
    """
    played = testing.play(system, [*before, 1.0], sends="a.x")
    last = 1.0 + 0.02 + (0.06 if reason == "timeout" else 0.0)
    assert played.outcomes()[-1] == reason
    assert played.requests["end"].iloc[-1] == pytest.approx(last), "three attempts, with two pauses"


def by_hand(arrivals, failures, within, open_for, tries, pause, work):
    """a retries b; b calls c behind a breaker; c works and fails: when requests end, why, and how many attempts reach b and c."""
    numbers, calendar, stamps = count(), [], []
    opened, ends, at_b, at_c = None, {}, 0, 0
    for request, time in enumerate(arrivals):
        heappush(calendar, (time, next(numbers), "try", request, 1))
    while calendar:
        now, _, what, request, attempt = heappop(calendar)
        reason = None
        if what == "try":
            at_b += 1
            if opened is not None and now < opened + open_for:
                reason = "breaker_open"
            else:
                at_c += 1
                heappush(calendar, (now + work, next(numbers), "failed", request, attempt))
        else:
            reason = "error"
            stamps = [stamp for stamp in stamps if stamp > now - within] + [now]
            if opened is None and len(stamps) >= failures:
                opened = now
        if reason is not None and attempt < tries:
            heappush(calendar, (now + pause, next(numbers), "try", request, attempt + 1))
        elif reason is not None:
            ends[request] = (now, reason)
    return [ends[request] for request in range(len(arrivals))], at_b, at_c


def test_a_breaker_in_the_middle_does_not_stop_the_retries_at_the_edge():
    """c fails at 0.505, 0.542, 0.579, 0.610 (the first retry) and 0.616 s: then b's breaker is open, and a goes on trying."""
    arrivals = [0.5 + 0.037 * k for k in range(60)]
    system = """
    duration: 60s
    services:
      a: {workers: unlimited, endpoints: {x: [{call: b.x, policy: {retry: {max_attempts: 3, backoff: {constant: 100ms}}}}]}}
      b: {workers: unlimited, endpoints: {x: [{call: c.x, policy: {circuit_breaker: {failures: 5, within: 1s, open_for: 50s}}}]}}
      c: {workers: unlimited, endpoints: {x: [{work: 5ms}, {fail: 100%}]}}
    """
    played = testing.play(system, arrivals, sends="a.x")
    ends, at_b, at_c = by_hand(arrivals, 5, 1.0, 50.0, 3, 0.1, 0.005)
    assert played.outcomes() == [reason for _, reason in ends]
    assert played.requests["end"].tolist() == pytest.approx([time for time, _ in ends])
    assert (len(played.attempts("b.x")), len(played.attempts("c.x"))) == (at_b, at_c) == (180, 5)


def test_the_breaker_at_the_edge_counts_what_the_middle_answers():
    """resilience4j's at a: after twenty failed calls it opens, whatever b says they failed of."""
    system = """
    duration: 60s
    services:
      a: {workers: unlimited, endpoints: {x: [{call: b.x, policy: {circuit_breaker: {resilience4j: {sliding_window_size: 20, minimum_number_of_calls: 20}}}}]}}
      b: {workers: unlimited, endpoints: {x: [{call: c.x, policy: {circuit_breaker: {failures: 5, within: 1s, open_for: 60s}}}]}}
      c: {workers: unlimited, endpoints: {x: [{work: 5ms}, {fail: 100%}]}}
    """
    played = testing.play(system, [0.1 * k for k in range(1, 31)], sends="a.x")
    assert [(event.time, event.subject) for event in played.events("breaker_opened")] == [
        (0.505, "b[0]"),
        (2.0, "a[0]"),
    ]
    assert (len(played.attempts("b.x")), len(played.attempts("c.x"))) == (20, 5)
    assert played.outcomes() == ["error"] * 5 + ["breaker_open"] * 25
    assert set(played.requests["where"][5:20]) == {"c.x"}, "b's breaker about c"
    assert set(played.requests["where"][20:]) == {"b.x"}, "a's breaker about b"


GATEWAY = """
duration: 60s
traffic: {clients: {sends: GET /, retry: {max_attempts: 3, backoff: {constant: 10ms}, on: [ON]}}}
gateway: {workers: 10, routes: {GET /: {to: b.x, MORE}}}
services: {b: {workers: 1, queue: {capacity: 0}, endpoints: {x: [{work: 5s}]}}}
"""


@pytest.mark.parametrize(
    ("more", "reason", "seen"),
    [
        ("authenticate: true", "shed", "shed"),  # a 503 of the service is passed on
        ("timeout: 20ms", "timeout", "error"),  # 504
        ("policy: {bulkhead: {max_concurrent_calls: 1}}", "bulkhead_full", "error"),
        ("policy: {bulkhead: {max_concurrent_calls: 1}}, answers_with: {bulkhead_full: shed}", "bulkhead_full", "shed"),
    ],
)
def test_a_client_sees_what_the_gateway_answers(more, reason, seen):
    for on in ("error", "shed", "timeout"):
        text = GATEWAY.replace("ON", on).replace("MORE", more)
        played = testing.play(
            text.replace("workers: 1,", "workers: unlimited,") if reason == "timeout" else text, [0.9, 1.0]
        )
        assert played.outcomes()[-1] == reason
        assert played.requests["attempts"].iloc[-1] == (3 if on == seen else 1), (on, seen)


def test_a_fallback_and_a_consumer_decide_on_what_they_see():
    """b calls c in vain, and answers with a refusal: nothing to fall back from, and nothing to deliver again."""
    system = """
    services:
      a:
        workers: unlimited
        endpoints: {x: [{call: b.x, fallback: [{work: 1ms}]}], y: [{publish: t}]}
        consumes: {t: {group: g, consumers: 1, auto_offset_reset: earliest, max_deliveries: 5, do: [{call: b.x}]}}
      b: {workers: unlimited, endpoints: {x: {do: [{call: c.x}], answers_with: ANSWERS}}}
      c: {workers: unlimited, endpoints: {x: [{fail: 100%}]}}
    brokers: {kafka: {kind: log, topics: {t: {partitions: 1}}}}
    """
    for answers, outcome, deliveries in (("{error: refused}", "error", 1), ("{}", "degraded", 5)):
        text = system.replace("ANSWERS", answers)
        assert testing.play(text, [0.0], sends="a.x").outcomes() == [outcome]
        assert testing.play(text, [0.0], sends="a.y").records.messages["deliveries"].tolist() == [deliveries]


def test_the_first_branch_that_fails_gives_its_reason():
    system = """
    services:
      a: {workers: 1, endpoints: {x: [{parallel: [[{work: 1ms}], [{call: b.x}], [{fail: 100%}]]}]}}
      b: {workers: 1, endpoints: {x: [{call: c.x, policy: {timeout: 10ms}}]}}
      c: {workers: 1, endpoints: {x: [{work: 1s}]}}
    """
    played = testing.play(system, [0.0], sends="a.x")
    assert (played.outcomes(), played.requests["where"].tolist()) == (["timeout"], ["c.x"])


def test_a_fallback_that_fails_itself_is_the_reason():
    system = """
    services:
      a: {workers: 1, endpoints: {x: [{call: b.x, fallback: [{fail: 100%}]}]}}
      b: {workers: 1, endpoints: {x: [{call: c.x, policy: {timeout: 10ms}}]}}
      c: {workers: 1, endpoints: {x: [{work: 1s}]}}
    """
    played = testing.play(system, [0.0], sends="a.x")
    assert (played.outcomes(), played.requests["where"].tolist()) == (["error"], ["a.x"])
