"""A guarded call is the layers that its policy names, each around the next, and who is killed in one gives back what it
holds.
"""

import pytest

from sim import testing
from sim.models.call import Layer
from sim.models.calls import layered
from sim.models.layers import LAYERS
from sim.models.layers.attempt import Attempt
from sim.models.layers.breaker import BreakerMemory
from sim.models.layers.bulkhead import BulkheadMemory
from sim.models.world import World
from sim.spec import load_document

GUARDS = {
    "total_timeout": ("TotalTimeout", "10s"),
    "retry": ("Retry", {"max_attempts": 2}),
    "hedge": ("Hedge", {"after": "50ms"}),
    "circuit_breaker": ("Breaker", {"failures": 3, "within": "10s", "open_for": "5s"}),
    "rate_limit": ("RateLimit", {"rate": "100/s", "wait": "1s"}),
    "timeout": ("Timeout", "1s"),
    "bulkhead": ("Bulkhead", {"max_concurrent_calls": 2}),
    "pool": ("Pool", {"size": 2}),
}
"""Word of a policy -> its layer, and something to say there; in the order of the layers."""


def call_under(policy, **more):
    step = {"call": "bank.pay", "policy": policy, **more}
    services = {
        "app": {"workers": 1, "endpoints": {"get": [step]}},
        "bank": {"workers": 1, "endpoints": {"pay": [{"work": "1s"}], "token": [{"work": "1s"}]}},
    }
    traffic = {"users": {"sends": "app.get", "arrivals": {"poisson": "1/s"}}}
    document = {"version": 1, "duration": "1s", "services": services, "traffic": traffic}
    (scenario,) = load_document(document).variants.values()
    ((_, step),) = World(scenario).services["app"].endpoints["get"].sequence.steps
    return step.call


def layers_of(run):
    layer = run.__self__
    return [type(layer).__name__, *([] if isinstance(layer, Attempt) else layers_of(layer.inner))]


def test_a_call_without_a_policy_is_an_attempt_and_nothing_else():
    assert layers_of(call_under({}).run) == ["Attempt"]


def test_a_call_has_all_layers_of_its_policy_in_their_order():
    policy = {word: value for word, (_, value) in reversed(GUARDS.items())}
    call = call_under(policy, fallback=[], token={"from": "bank.token"})
    assert layers_of(call.run) == [layer.__name__ for layer in LAYERS]


@pytest.mark.parametrize("word", GUARDS)
def test_a_layer_that_a_policy_does_not_name_is_not_there(word):
    name, value = GUARDS[word]
    assert layers_of(call_under({word: value}).run) == [name, "Attempt"]


def test_a_retry_that_is_never_made_takes_no_layer():
    assert layers_of(call_under({"retry": {"max_attempts": 1}}).run) == ["Attempt"]


def test_what_is_remembered_is_what_layers_of_the_policy_ask_for():
    call = call_under({"circuit_breaker": GUARDS["circuit_breaker"][1]})
    (guard,) = call.guards.values()
    assert guard.find(BreakerMemory) is guard.of(BreakerMemory)
    assert guard.find(BulkheadMemory) is None
    assert call_under({"timeout": "1s"}).guards == {}


def test_a_layer_of_ones_own_runs_around_those_behind_it_in_the_list():
    told = []

    class Outer(Layer):
        name = "outer"

        @staticmethod
        def wanted(_call):
            return True

        def run(self, task):
            told.append(f"{self.name} enters")
            outcome = yield from self.inner(task)
            told.append(f"{self.name} leaves with {outcome}")
            return outcome + 1

    class Inner(Outer):
        name = "inner"

    class Innermost(Outer):
        def run(self, task):
            told.append(f"attempt for {task}")
            return 5
            yield

    with pytest.raises(StopIteration) as end:
        next(layered(call_under({}), (Outer, Inner, Innermost))("somebody"))
    assert end.value.value == 7
    assert told == [
        "outer enters",
        "inner enters",
        "attempt for somebody",
        "inner leaves with 5",
        "outer leaves with 6",
    ]


SHARED = """
services:
  app: {replicas: 2, workers: 1, endpoints: {get: [{call: bank.pay, policy: one_at_a_time}]}}
  bank: {workers: unlimited, endpoints: {pay: [{work: 2s}]}}
policies: {one_at_a_time: {scope: service, bulkhead: {max_concurrent_calls: 1, max_wait: 60s}}}
faults: [{at: 1s, crash: {of: app, replicas: 1}}]
"""


def test_the_place_of_one_who_is_killed_in_a_bulkhead_goes_to_who_stands_in_line():
    """The first replica has the only place and dies with it at 1 s; the second, which has waited from 0.5 s, then takes
    2 s.
    """
    played = testing.play(SHARED, [0.0, 0.5], sends="app.get")
    assert played.outcomes() == ["unreachable", "ok"]
    assert played.responses() == [1.0, 2.5]


def test_who_is_killed_in_line_leaves_nothing_behind():
    """The second replica waits for the place of the first, until both die: the bank hears of one call only."""
    system = SHARED.replace("replicas: 1}}]", "replicas: 2, restart_after: 100ms}}]")
    played = testing.play(system, [0.0, 0.5, 5.0], sends="app.get")
    assert played.outcomes() == ["unreachable", "unreachable", "ok"]
    assert played.responses() == [1.0, 0.5, 2.0]
    assert len(played.attempts("bank.pay")) == 2


PROBED = """
services:
  app: {replicas: 2, workers: 1, endpoints: {get: [{call: bank.pay, policy: careful}]}}
  bank: {workers: unlimited, endpoints: {pay: [{work: 2s}, {fail: 100%}]}}
policies: {careful: {scope: service, circuit_breaker: {failures: 1, within: 60s, open_for: 1s, half_open_calls: 1}}}
faults: [{at: 4s, crash: {of: app, replicas: 1}}]
"""


def test_a_probe_of_one_who_is_killed_is_free_again():
    """One failure at 2 s opens the breaker until 3 s. The probe of 3.4 s dies with its replica at 4 s: another may ask
    at 5 s.
    """
    played = testing.play(PROBED, [0.0, 2.5, 3.4, 5.0], sends="app.get")
    assert played.outcomes() == ["error", "breaker_open", "unreachable", "error"]
