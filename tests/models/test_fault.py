"""The schedule of faults, their names in the event log, and the state they leave behind."""

import pytest

from sim import testing

TEXT = """
duration: 30s
services:
  a: {replicas: 3, workers: 1, endpoints: {get: [{call: b.get, policy: {timeout: 1s}}]}}
  b: {replicas: 3, workers: 1, endpoints: {get: [{work: 100ms}]}}
"""


def faults(*told):
    return TEXT + "faults: [" + ", ".join(told) + "]"


def log(played, *kinds):
    return [(event.time, event.kind, event.subject) for event in played.events(*kinds)]


def test_a_fault_begins_and_ends_in_the_log_under_its_name():
    played = testing.play(
        faults("{name: trouble, at: 1s, for: 2s, slow: {of: b, by: 2x}}", "{at: 2s, outage: b}"), [], sends="a.get"
    )
    assert log(played) == [
        (1.0, "fault_began", "trouble"),
        (2.0, "fault_began", "outage of b"),
        (3.0, "fault_ended", "trouble"),
    ]


def test_a_crash_takes_the_first_replicas_that_are_up():
    played = testing.play(
        faults("{name: one, at: 1s, crash: {of: b, replicas: 1}}", "{name: two, at: 2s, crash: {of: b, replicas: 1}}"),
        [],
        sends="a.get",
    )
    assert log(played, "replica_crashed") == [(1.0, "replica_crashed", "b[0]"), (2.0, "replica_crashed", "b[1]")]


def test_a_crash_ends_by_its_restart_or_by_its_own_end_whichever_is_first():
    for told, back in (("restart_after: 2s", [3.0]), ("restart_after: 9s", [6.0])):
        played = testing.play(faults(f"{{at: 1s, for: 5s, crash: {{of: b, replicas: 1, {told}}}}}"), [], sends="a.get")
        assert [time for time, *_ in log(played, "replica_restarted")] == back


def test_capacity_that_is_down_is_not_counted_as_there():
    played = testing.play(faults("{at: 1s, for: 2s, crash: {of: b, replicas: 2}}"), [], sends="a.get")
    assert played.records.gauge("b", "replicas")[:6].tolist() == [0.0, 3.0, 1.0, 1.0, 3.0, 3.0]
    assert played.records.gauge("b", "workers")[2] == 1.0


def test_a_replica_that_crashes_while_frozen_comes_back_frozen_until_the_freeze_is_over():
    text = faults(
        "{name: freeze, at: 1s, for: 9s, outage: b, how: hang}",
        "{name: crash, at: 2s, crash: {of: b, replicas: 3, restart_after: 1s}}",
    )
    played = testing.play(text, [0.99, 5.0], sends="a.get")
    assert played.outcomes() == ["timeout", "timeout"]
    killed, later = played.attempts("b.get")
    assert (killed.ended, killed.outcome) == (2.0, "unreachable")
    assert (later.arrived, later.ended) == (5.0, 10.1)


def test_a_replica_restarted_during_a_refusal_refuses_until_that_is_over():
    text = faults(
        "{name: refusal, at: 1s, for: 9s, outage: b, how: refuse}",
        "{name: crash, at: 2s, crash: {of: b, replicas: 3, restart_after: 1s}}",
    )
    assert testing.play(text, [5.0, 10.5], sends="a.get").outcomes() == ["unreachable", "ok"]


def test_balancers_do_not_send_to_a_crashed_replica_but_do_to_a_refusing_one():
    crashed = testing.play(faults("{at: 1s, crash: {of: b, replicas: 2}}"), [2.0 + k for k in range(6)], sends="a.get")
    assert {attempt.replica for attempt in crashed.attempts("b.get")} == {2}
    refusing = testing.play(faults("{at: 1s, outage: b, how: refuse}"), [2.0 + k for k in range(6)], sends="a.get")
    assert {attempt.replica for attempt in refusing.attempts("b.get")} == {0, 1, 2}


@pytest.mark.parametrize("how", ["hang", "refuse", "blackhole"])
def test_an_outage_of_one_service_does_not_touch_another(how):
    text = (
        """
    duration: 10s
    traffic: {one: {sends: a.get}, two: {sends: b.get}}
    services: {a: {workers: 1, endpoints: {get: [{work: 100ms}]}}, b: {workers: 1, endpoints: {get: [{work: 100ms}]}}}
    """
        + f"faults: [{{at: 1s, outage: a, how: {how}}}]"
    )
    played = testing.play(text, {"one": [2.0], "two": [2.0]})
    assert played.outcomes("one") == ["unreachable" if how == "refuse" else "in_flight"]
    assert played.responses("two") == [0.1]


def test_latency_of_two_network_faults_adds_up():
    told = [
        f"{{name: {name}, at: {at}s, for: 10s, network: {{between: [a, b], latency: {latency}}}}}"
        for name, at, latency in (("one", 1, "10ms"), ("two", 5, "20ms"))
    ]
    played = testing.play(faults(*told), [0.0, 2.0, 6.0, 12.0, 20.0], sends="a.get")
    assert played.responses() == [0.1, 0.12, 0.16, 0.14, 0.1]


DOOR = """
duration: 30s
gateway: {replicas: 2, workers: 2, work: 10ms, routes: {GET /x: {to: b.get}}}
services:
  b: {workers: 4, endpoints: {get: [{work: 100ms}]}}
"""


@pytest.mark.parametrize(
    ("fault", "outcomes", "seconds"),
    [
        ("outage: gateway, how: hang", ["ok", "ok", "ok"], [0.11, 4.11, 0.11]),  # frozen from 2 s to 9 s
        ("outage: gateway, how: refuse", ["ok", "unreachable", "ok"], [0.11, 0.0, 0.11]),
        ("slow: {of: gateway, by: 5x}", ["ok", "ok", "ok"], [0.11, 0.15, 0.11]),
        ("errors: {of: gateway, share: 100%}", ["ok", "error", "ok"], [0.11, 0.0, 0.11]),
        ("crash: {of: gateway, replicas: 1}", ["ok", "ok", "ok"], [0.11, 0.11, 0.11]),
        ("crash: {of: gateway, replicas: 2}", ["ok", "unreachable", "ok"], [0.11, 0.0, 0.11]),
    ],
)
def test_the_gateway_can_be_harmed_as_a_service_can(fault, outcomes, seconds):
    played = testing.play(f"{DOOR}faults: [{{at: 2s, for: 7s, {fault}}}]", [1.0, 5.0, 10.0], sends="GET /x")
    assert played.outcomes() == outcomes
    rows = played.records.requests
    assert (rows["end"] - rows["arrival"])[rows["arrival"].argsort()].tolist() == pytest.approx(seconds)


def test_a_black_hole_before_the_gateway_swallows_what_clients_send():
    played = testing.play(
        f"{DOOR}faults: [{{at: 2s, for: 7s, outage: gateway, how: blackhole}}]", [1.0, 5.0, 10.0], sends="GET /x"
    )
    assert played.outcomes() == ["ok", "in_flight", "ok"]


def test_an_error_fault_strikes_each_endpoint_by_its_own_luck():
    """Half of the attempts at each of two endpoints that a request calls: a quarter of the requests come through, not half."""
    text = """
    duration: 3000s
    services:
      a: {workers: 1, endpoints: {get: [{call: b.one}, {call: b.other}]}}
      b: {workers: 1, endpoints: {one: [], other: []}}
    faults: [{at: 0s, errors: {of: b, share: 50%}}]
    """
    outcomes = testing.play(text, [float(k) for k in range(2000)], sends="a.get").outcomes()
    assert outcomes.count("ok") / 2000 == pytest.approx(0.25, abs=0.04)
