"""The order of events: what happens in one instant, and that a stock SimPy process may take part."""

from sim import testing
from sim.models.task import CONTROL, OBSERVATION, ORDINARY, TIMER, Clock, Signal


def test_events_of_one_instant_go_by_rank_and_then_by_the_order_of_scheduling():
    clock, seen = Clock(), []
    for rank, name in [(OBSERVATION, "sample"), (TIMER, "late"), (ORDINARY, "one"), (CONTROL, "fault"), (ORDINARY, "two")]:
        Signal(lambda _, name=name: seen.append(name)).at(clock.schedule, rank, 1.0)
    for _ in range(5):
        clock.step()
    assert seen == ["fault", "one", "two", "late", "sample"]


PLUGIN = """
import simpy
from sim.models.steps import behaviour
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
    system = {"plugins": [str(path)], "services": {"a": {"workers": 5, "endpoints": {"get": [{"printing": 2}, {"work": "50ms"}]}}}}
    assert testing.play(system, [0.0, 0.1], plugins=[path]).responses() == [0.25, 0.35]


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
    played = testing.play("duration: 1s\nservices: {a: {workers: 1, endpoints: {get: [{work: 100ms}]}}}", [0.0, 0.9, 0.99, 1.0, 1.5])
    assert played.outcomes() == ["ok", "ok", "in_flight"]  # an answer at the very end is in time, an arrival is not
