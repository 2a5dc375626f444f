"""The way through a host: the short way of steps that only take time, and the long way of all others, are one."""

import pytest

from sim import testing

WAYS = {
    "plain": "",
    "watched for a hang": "faults: [{at: 50s, outage: app, how: hang}]",
    "watched for a crash": "faults: [{at: 50s, crash: {of: app, replicas: 1}}]",
}
STEPS = "[{work: {exponential: 50ms}}, {effect: begun}, {wait: {exponential: 20ms}}, {fail: 10%}, {work: 5ms}, {refuse: 10%}, {effect: done}]"


@pytest.mark.parametrize("more", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("queue", ["{}", "{capacity: 2}", "{discipline: lifo, timeout: 100ms}"])
def test_all_ways_lead_to_the_same_requests(queue, more):
    text = f"""
    duration: 60s
    traffic: {{clients: {{sends: app.get, arrivals: {{poisson: 40/s}}, completes_with: [begun, done]}}}}
    services: {{app: {{workers: 3, queue: {queue}, endpoints: {{get: STEPS}}}}}}
    """
    short = testing.play(text.replace("STEPS", STEPS))
    long = testing.play(text.replace("STEPS", STEPS[:-1] + ", {parallel: [[], []]}]") + more)
    begun = short.requests["end"] < 50
    for column in ("arrival", "end", "completion", "outcome", "effects"):
        assert short.requests[begun][column].equals(long.requests[begun][column]), column


def test_an_error_fault_strikes_before_the_first_step_and_gives_the_worker_back():
    text = "services: {app: {workers: 1, endpoints: {get: [{effect: done}, {work: 1s}]}}}\nfaults: [{at: 0s, for: 5s, errors: {of: app, share: 100%}}]"
    played = testing.play(text, [0.0, 1.0, 6.0])
    assert (played.outcomes(), played.responses()) == (["error", "error", "ok"], [0.0, 0.0, 1.0])
    assert played.effects() == [[], [], ["done"]]


def test_an_attempt_that_waits_when_an_error_fault_begins_is_struck_when_it_gets_its_worker():
    text = "services: {app: {workers: 1, endpoints: {get: [{work: 1s}]}}}\nfaults: [{at: 500ms, for: 5s, errors: {of: app, share: 100%}}]"
    assert testing.play(text, [0.0, 0.1]).outcomes() == ["ok", "error"]


def test_an_endpoint_of_no_steps_answers_at_once():
    assert testing.play("services: {app: {workers: 1, endpoints: {get: []}}}", [0.0, 0.0]).responses() == [0.0, 0.0]


def test_work_of_a_slowed_service_counts_as_done_at_its_stretched_length():
    played = testing.play(
        "services: {app: {workers: 1, endpoints: {get: [{work: 1s}]}}}\nfaults: [{at: 0s, slow: {of: app, by: 3x}}]",
        [0.0],
    )
    assert played.records.gauge("app", "work_done")[-1] == 3.0


CALLS = """
duration: 60s
traffic: {clients: {sends: app.get, arrivals: {poisson: 40/s}}}
services:
  app: {workers: 20, endpoints: {get: STEPS}}
  far: {workers: 3, queue: {capacity: 4}, endpoints: {get: [{work: {exponential: 50ms}}, {fail: 10%}]}}
network: {default: {latency: 1ms}}
policies: {guarded: POLICY}
"""


@pytest.mark.parametrize("concurrency", ["threads", "event_loop"])
@pytest.mark.parametrize(
    "policy",
    [
        "{timeout: 80ms, retry: {max_attempts: 3, backoff: {constant: 10ms}}, circuit_breaker: {failures: 5, within: 1s, open_for: 500ms}}",
        "{retry: {max_attempts: 3, backoff: {constant: 0s}, budget: {ratio: 20%}}, bulkhead: {max_concurrent_calls: 3, max_wait: 20ms}}",
    ],
)
def test_calls_lead_to_the_same_requests_whoever_drives_them(policy, concurrency):
    text = CALLS.replace("POLICY", policy).replace("workers: 20", f"workers: 20, concurrency: {concurrency}")
    steps = "[{call: far.get, policy: guarded}, {effect: done}, {call: far.get, policy: guarded}]"
    short = testing.play(text.replace("STEPS", steps))
    long = testing.play(text.replace("STEPS", steps[:-1] + ", {parallel: [[], []]}]"))
    assert len(set(short.outcomes())) >= 3
    for column in ("arrival", "end", "outcome", "effects"):
        assert short.requests[column].equals(long.requests[column]), column
