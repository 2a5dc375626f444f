"""Whose luck a time is: that of the request, which every attempt meets again, or that of the attempt."""

import pytest

from sim import testing

AGAIN = "policy: {retry: {max_attempts: 3, backoff: {constant: 0s}}}"
"""Three tries in all, and the endpoints below always fail."""


def lasted(played, endpoint):
    """The time of each attempt, in the order of their arrival."""
    return [round(attempt.ended - attempt.started, 7) for attempt in played.attempts(endpoint)]


def called(step, ask=f"{{call: back.do, {AGAIN}}}", arrivals=(0.0,), more=""):
    text = f"""
    duration: 60s
    services:
      front: {{workers: 99, endpoints: {{ask: [{ask}]}}}}
      back: {{workers: 99, endpoints: {{do: [{step}, fail: 100%]}}}}
    {more}
    """
    return lasted(testing.play(text, list(arrivals), sends="front.ask"), "back.do")


@pytest.mark.parametrize(
    ("step", "different"),
    [
        ("{work: {exponential: 100ms}}", 1),
        ("{work: {exponential: 100ms}, per: request}", 1),
        ("{work: {exponential: 100ms}, per: attempt}", 3),
        ("{wait: {exponential: 100ms}}", 3),
        ("{wait: {exponential: 100ms}, per: attempt}", 3),
        ("{wait: {exponential: 100ms}, per: request}", 1),
        (
            "{work: {mixture: [{constant: 1ms}, {gamma: {mean: 100ms, cv: 2}}, {hyperexponential: {mean: 100ms, cv: 3}}]}}",
            1,
        ),
    ],
)
@pytest.mark.parametrize("where", ["simple", "watched for a freeze", "on shared cores", "on an event loop"])
def test_work_is_kept_for_the_request_and_waits_are_drawn_anew(step, different, where):
    more = "faults: [{name: late, at: 59s, outage: back, how: hang}]" if where.startswith("watched") else ""
    text = f"""
    duration: 60s
    services:
      front: {{workers: 99, endpoints: {{ask: [{{call: back.do, {AGAIN}}}]}}}}
      back:
        workers: 99
        {"cores: 9" if "cores" in where else ""}
        {"concurrency: event_loop" if "loop" in where else ""}
        endpoints: {{do: [{step}, fail: 100%]}}
    {more}
    """
    times = lasted(testing.play(text, [0.0], sends="front.ask"), "back.do")
    assert len(times) == 3
    assert len({round(time, 6) for time in times}) == different


def test_every_request_has_a_demand_of_its_own_and_so_has_every_site():
    twice = f"{{call: back.do, {AGAIN}, fallback: []}}, {{call: back.do, {AGAIN}}}"
    times = called("{work: {exponential: 100ms}}", twice, (0.0, 20.0))
    assert [len(set(times[i : i + 3])) for i in range(0, 12, 3)] == [1] * 4
    assert len(set(times)) == 4


def test_a_retry_above_meets_all_below_again():
    text = f"""
    duration: 60s
    services:
      front: {{workers: 99, endpoints: {{ask: [{{call: middle.do, {AGAIN}}}]}}}}
      middle: {{workers: 99, endpoints: {{do: [{{parallel: [[{{call: back.do}}], [{{call: back.do}}]]}}, {{fail: 100%}}]}}}}
      back: {{workers: 99, endpoints: {{do: [{{work: {{exponential: 100ms}}}}]}}}}
    """
    times = lasted(testing.play(text, [0.0], sends="front.ask"), "back.do")
    assert len(times) == 6
    assert sorted(times) == sorted(3 * [times[0]] + 3 * [times[1]])
    assert times[0] != times[1]


def test_a_client_who_tries_again_asks_for_the_same():
    text = """
    duration: 60s
    gateway: {workers: 9, work: {exponential: 100ms}, authentication: {jwt: {work: {exponential: 100ms}}}, routes: {GET /: {to: back.do}}}
    services: {back: {workers: 99, endpoints: {do: [{work: {exponential: 100ms}}, {fail: 100%}]}}}
    traffic: {clients: {sends: GET /, retry: {max_attempts: 3, backoff: {constant: 0s}}}}
    """
    played = testing.play(text, [0.0])
    assert [len({round(time, 6) for time in lasted(played, place)}) for place in ("gateway", "back.do")] == [1, 1]
    assert len(lasted(played, "gateway")) == len(lasted(played, "back.do")) == 3


CONSUMER = """
duration: 60s
brokers: {kafka: {kind: log, topics: {events: {}}}}
services:
  front: {workers: 99, endpoints: {ask: [{publish: events}]}}
  back:
    workers: 99
    consumes: {events: {group: g, max_deliveries: 3, do: [{perform: back.do}, {call: deep.do}, {fail: 100%}]}}
    endpoints: {do: [STEP]}
  deep: {workers: 99, endpoints: {do: [STEP]}}
"""


@pytest.mark.parametrize(
    ("step", "different"), [("{work: {exponential: 100ms}}", 1), ("{wait: {exponential: 100ms}}", 3)]
)
def test_a_redelivery_is_the_same_work_again(step, different):
    played = testing.play(CONSUMER.replace("STEP", step), [0.0], sends="front.ask")
    (below, arrived) = lasted(played, "deep.do"), [attempt.arrived for attempt in played.attempts("deep.do")]
    own = [
        round(arrived[0], 7),
        *(round(later - earlier - took, 7) for earlier, later, took in zip(arrived, arrived[1:], below, strict=False)),
    ]
    assert len(below) == 3
    assert len({round(time, 6) for time in below}) == different
    assert len({round(time, 6) for time in own}) == different


def test_the_first_try_meets_the_same_whether_it_is_kept_or_not():
    kept, anew = (called(f"{{work: {{exponential: 100ms}}, per: {per}}}") for per in ("request", "attempt"))
    assert kept[0] == anew[0]


def test_shares_are_of_the_attempt():
    text = f"""
    duration: 60s
    services:
      front: {{workers: 99, endpoints: {{ask: [{{call: back.do, {AGAIN}}}]}}}}
      back: {{workers: 99, endpoints: {{do: [{{work: {{exponential: 1ms}}}}, {{fail: 50%}}]}}}}
    """
    outcomes = testing.play(text, [0.1 * k for k in range(200)], sends="front.ask").outcomes()
    assert 0.8 < outcomes.count("ok") / 200 < 0.95  # 1 - 1/8
