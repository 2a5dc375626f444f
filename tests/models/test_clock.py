"""The order of events: what happens in one instant, and that a stock SimPy process may take part."""

import math

import pytest

from sim import testing
from sim.models import simulate
from sim.models.clock import CONTROL, OBSERVATION, ORDINARY, TIMER, Clock, Signal
from sim.models.world import World
from sim.spec import load_document
from tests.models.any_scenario import any_scenario


def test_events_of_one_instant_go_by_rank_and_then_by_the_order_of_scheduling():
    clock, seen = Clock(), []
    for rank, name in [
        (OBSERVATION, "sample"),
        (TIMER, "late"),
        (ORDINARY, "one"),
        (CONTROL, "fault"),
        (ORDINARY, "two"),
    ]:
        clock.schedule(Signal(lambda _, name=name: seen.append(name)), rank, 1.0)
    for _ in range(5):
        clock.step()
    assert seen == ["fault", "one", "two", "late", "sample"]


PLUGIN = """
import simpy
from sim.models.behaviours import behaviour
from sim.spec.base import register
from sim.spec.step import Step


@register("step", "printing")
class Printing(Step):
    positional = "pages"
    pages: int


@behaviour(Printing)
class Behaviour:
    # One printer for all replicas, as a SimPy resource; a page takes 100 ms.

    def __init__(self, step, site):
        self.site, self.pages = site, step.pages
        self.printer = simpy.Resource(site.env, capacity=1)

    def run(self, task):
        return (yield from self.site.wait_for(task, self.site.env.process(self._print())))

    def _print(self):
        with self.printer.request() as turn:
            yield turn
            yield self.site.env.timeout(0.1 * self.pages)
"""


def test_a_plug_in_step_may_use_stock_simpy_processes_and_resources(tmp_path):
    path = tmp_path / "printing.py"
    path.write_text(PLUGIN)
    system = {
        "plugins": [str(path)],
        "services": {"a": {"workers": 5, "endpoints": {"get": [{"printing": 2}, {"work": "50ms"}]}}},
    }
    assert testing.play(system, [0.0, 0.1], plugins=[path]).responses() == [0.25, 0.35]


def test_a_plug_in_step_that_is_killed_leaves_its_with_blocks(tmp_path):
    """The first request prints until its replica dies at 1 s; then the printer is free for the second, which takes 10 s."""
    path = tmp_path / "printing.py"
    holding = """
    def run(self, task):
        with self.printer.request() as turn:
            yield from self.site.wait_for(task, turn)
            yield from self.site.wait_for(task, self.site.env.timeout(10.0))
        return 0
"""
    head, _, _ = PLUGIN.partition("    def run(")
    path.write_text(head.replace('"printing"', '"holding"') + holding)
    system = {
        "plugins": [str(path)],
        "services": {"a": {"replicas": 2, "workers": 1, "endpoints": {"get": [{"holding": 1}]}}},
        "faults": [{"at": "1s", "crash": {"of": "a", "replicas": 1}}],
    }
    played = testing.play(system, [0.0, 0.5], plugins=[path])
    assert (played.outcomes(), played.responses()) == (["unreachable", "ok"], [1.0, 10.5])


def test_a_fault_comes_before_the_arrival_of_its_instant_an_answer_before_the_timeout_and_a_sample_after_all():
    text = """
    duration: 2s
    services:
      a: {workers: 1, endpoints: {get: [{call: b.get, policy: {timeout: 500ms}}]}}
      b: {workers: 1, endpoints: {get: [{work: 500ms}]}}
    faults: [{at: 1s, slow: {of: b, by: 2x}}]
    """
    played = testing.play(text, [0.25, 1.0], sends="a.get")
    assert played.outcomes() == ["ok", "timeout"]
    assert played.records.gauge("b", "in_flight")[1] == 1.0


def test_arrivals_of_one_instant_are_served_in_the_order_in_which_the_traffic_stands():
    text = """
    traffic: {first: {sends: a.get}, second: {sends: a.get}}
    services: {a: {workers: 1, endpoints: {get: [{work: 1s}]}}}
    """
    played = testing.play(text, {"second": [0.0], "first": [0.0]})
    assert (played.responses("first"), played.responses("second")) == ([1.0], [2.0])


def test_traffic_and_clock_stop_at_the_duration():
    played = testing.play(
        "duration: 1s\nservices: {a: {workers: 1, endpoints: {get: [{work: 100ms}]}}}", [0.0, 0.9, 0.99, 1.0, 1.5]
    )
    assert played.outcomes() == ["ok", "ok", "in_flight"]  # an answer at the very end is in time, an arrival is not


def test_simpys_own_run_goes_through_both_queues_in_one_order():
    clock, seen = Clock(fixed_delay=1.0), []

    def signal(name):
        return Signal(lambda _: seen.append((clock.now, name)))

    clock.fixed_delay_queue.append((1.0, ORDINARY, next(clock.numbers), signal("first")))
    clock.schedule(signal("second"), ORDINARY, 1.0)
    clock.schedule(signal("fault"), CONTROL, 1.0)
    clock.fixed_delay_queue.append((1.0, ORDINARY, next(clock.numbers), signal("third")))
    assert clock.peek() == 1.0
    clock.run()
    assert seen == [(1.0, "fault"), (1.0, "first"), (1.0, "second"), (1.0, "third")]
    assert clock.peek() == math.inf


def test_the_queue_of_the_fixed_delay_changes_nothing(monkeypatch):
    network = {"default": {"latency": "1ms"}, "links": [{"between": ["s0", "s1"], "latency": "3ms"}]}
    documents = [{**any_scenario(seed), "network": network} for seed in range(8)]
    scenarios = [next(iter(load_document(document).variants.values())) for document in documents]
    with_it = [simulate(scenario).fingerprint() for scenario in scenarios]
    monkeypatch.setattr("sim.models.world.Clock", lambda fixed_delay: Clock())
    assert [simulate(scenario).fingerprint() for scenario in scenarios] == with_it


@pytest.mark.parametrize(
    ("network", "delay"),
    [({}, math.nan), ({"default": {"latency": "0s"}}, math.nan), ({"default": {"latency": "1ms"}}, 0.001)],
)
def test_a_hop_of_no_length_takes_no_event_and_so_has_no_fixed_delay(network, delay):
    scenario = next(iter(load_document({**any_scenario(0), "network": network}).variants.values()))
    assert World(scenario).env.fixed_delay == pytest.approx(delay, nan_ok=True)
