"""What a timeout frees: the caller only, or the callee and everything below it as well."""

import pytest

from sim import testing

CHAIN = """
duration: 30s
traffic: {clients: {sends: a.get}}
services:
  a: {workers: 4, endpoints: {get: [{call: b.get, policy: patience}]}}
  b: {workers: 1, endpoints: {get: [{work: 100ms}, {call: c.get}, {effect: b-done}]}}
  c: {workers: 1, endpoints: {get: [{work: 5s}, {effect: c-done}]}}
policies: {patience: {timeout: 1s, on_timeout: HOW}}
"""


def chain(how):
    return CHAIN.replace("HOW", how)


def test_abandoned_work_goes_on_and_holds_its_workers():
    played = testing.play(chain("abandon"), [0.0, 2.0])
    assert played.outcomes() == ["timeout", "timeout"]
    first, second = played.attempts("b.get")
    assert (first.ended, second.started, second.ended) == (5.1, 5.1, 10.2)
    assert [attempt.abandoned for attempt in played.attempts("c.get")] == [True, True]
    assert played.effects() == [["b-done", "c-done"]] * 2


def test_cancelling_frees_the_worker_and_cascades_to_the_callees_of_the_callee():
    played = testing.play(chain("cancel"), [0.0, 2.0])
    assert played.outcomes() == ["timeout", "timeout"]
    for name in ("b.get", "c.get"):
        attempts = played.attempts(name)
        assert [attempt.ended for attempt in attempts] == [1.0, 3.0]
        assert [attempt.outcome for attempt in attempts] == ["timeout", "timeout"]
    assert played.effects() == [[], []]


def test_effects_survive_the_cancellation_of_what_follows_them():
    played = testing.play(chain("cancel").replace("{work: 100ms}", "{work: 100ms}, {effect: b-begun}"), [0.0])
    assert played.effects() == [["b-begun"]]


def test_cancelling_takes_a_waiting_attempt_out_of_the_queue():
    """A queue of one: its only place is taken until the hasty client gives up at 1.1 s, and free from then on."""
    system = """
    duration: 30s
    traffic: {patient: {sends: b.get}, hasty: {sends: a.get}}
    services:
      a: {workers: 4, endpoints: {get: [{call: b.get, policy: {timeout: 1s, on_timeout: HOW}}]}}
      b: {workers: 1, queue: {capacity: 1}, endpoints: {get: [{work: 2s}]}}
    """
    arrivals = {"patient": [0.0, 1.05, 1.2], "hasty": [0.1]}
    cancelled = testing.play(system.replace("HOW", "cancel"), arrivals)
    assert cancelled.outcomes("patient") == ["ok", "shed", "ok"]
    assert cancelled.responses("patient") == [2.0, 0.0, 2.8]
    assert testing.play(system.replace("HOW", "abandon"), arrivals).outcomes("patient") == ["ok", "shed", "shed"]


def test_an_answer_at_the_very_deadline_is_in_time():
    system = """
    services:
      a: {workers: 4, endpoints: {get: [{call: b.get, policy: {timeout: 1s, on_timeout: HOW}}]}}
      b: {workers: 4, endpoints: {get: [{work: TIME}]}}
    """
    for how in ("abandon", "cancel"):
        assert (
            testing.play(system.replace("TIME", "1s").replace("HOW", how), [0.0, 0.1, 0.7], sends="a.get").outcomes()
            == ["ok"] * 3
        )
        late = testing.play(system.replace("TIME", "1000.001ms").replace("HOW", how), [0.0, 0.1], sends="a.get")
        assert late.outcomes() == ["timeout"] * 2
        assert late.responses() == [1.0] * 2


def test_a_cancelled_answer_that_is_on_its_way_is_not_heard():
    """An early reply takes 300 ms back and the caller waits 200 ms: cancelling must find the courier, and the rest of the work goes on."""
    system = """
    network: {default: {latency: {replay: {data: [0.3]}}}}
    services:
      a: {workers: 4, endpoints: {get: [{call: b.get, policy: {timeout: 450ms, on_timeout: cancel}}]}}
      b: {workers: 4, endpoints: {get: [{work: 100ms}, {reply: {}}, {work: 1s}, {effect: done}]}}
    """
    played = testing.play(system, [0.0], sends="a.get")
    assert (played.outcomes(), played.responses()) == (["timeout"], [0.45])
    assert played.effects() == [["done"]]
    assert played.attempts("b.get")[0].ended == 1.4


@pytest.mark.parametrize("balancing", ["least_request", "power_of_two", "two_choices"])
def test_a_cancelled_or_killed_caller_leaves_no_phantom_load_at_the_balancer(balancing):
    """Twenty cancelled attempts of b on c later, the balancer still spreads one call to each replica in turn."""
    system = f"""
    duration: 80s
    traffic: {{clients: {{sends: a.get}}, later: {{sends: b.probe}}}}
    services:
      a: {{workers: 40, endpoints: {{get: [{{call: b.get, policy: {{timeout: 1s, on_timeout: cancel}}}}]}}}}
      b: {{workers: 40, endpoints: {{get: [{{call: c.slow}}], probe: [{{call: c.quick}}]}}}}
      c: {{replicas: 2, workers: 40, load_balancing: {balancing}, endpoints: {{slow: [{{work: 30s}}], quick: [{{work: 10ms}}]}}}}
    faults: [{{at: 20s, for: 1s, outage: b, how: refuse}}]
    """
    odd = [0.01 * k for k in range(21)]  # one more to one replica than to the other, three times over
    arrivals = {
        "clients": [*odd, *[5 + t for t in odd], *[19.5 + t for t in odd]],
        "later": [30.0 + k for k in range(40)],
    }
    replicas = [attempt.replica for attempt in testing.play(system, arrivals).attempts("c.quick")]
    assert len(replicas) == 40
    assert 10 <= sum(replicas) <= 30
