"""Replicas that stand still by themselves: exact timelines, and a queue before one that pauses against its theory."""

import numpy as np
import pytest

import sim
from sim import testing
from sim.experiments.on_paper.offered_load import analysis_of, check
from sim.metrics.ways import Part, Ways
from sim.models import simulate
from sim.vocabulary import EventKind

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each


def system(service=(), more=()):
    app = {"workers": 1, "pauses": {"every": "1s", "for": "300ms"}, "endpoints": {"get": [{"work": "100ms"}]}}
    document = {
        "duration": "6s",
        "network": {"default": {"latency": "0s"}},
        "services": {"app": {**app, **dict(service)}},
    }
    return {**document, **dict(more)}


def ends(run):
    return run.requests["end"].tolist()


def pauses(records):
    """(when, whose, how long) of each."""
    events = records.events[records.events["kind"] == EventKind.REPLICA_PAUSED]
    return [(float(its["time"]), records.names[its["subject"]], float(its["value"])) for its in events]


@pytest.mark.parametrize("cores", [None, 1])
def test_work_stands_still_and_goes_on_where_it_was(cores):
    """50 ms before the pause from 1.0 to 1.3 s and 50 after it; the next pause begins a second after that one ended."""
    run = testing.play_on_both(system({"cores": cores} if cores else {}), [0.95, 1.1, 2.25])
    assert ends(run) == pytest.approx([1.35, 1.45, 2.65])
    found = pauses(run.records)
    assert [time for time, _, _ in found] == pytest.approx([1.0, 2.3, 3.6, 4.9])
    assert found[0][1:] == ("app[0]", 0.3)
    assert run.records.gauge("app", "paused")[2] == pytest.approx(0.3)  # on average in the second second


def test_each_replica_has_luck_of_its_own():
    run = testing.play_on_both(
        system({"replicas": 3, "pauses": {"every": {"exponential": "1s"}, "for": "100ms"}}), [0.0]
    )
    times = {}
    for time, whose, _ in pauses(run.records):
        times.setdefault(whose, []).append(time)
    assert sorted(times) == ["app[0]", "app[1]", "app[2]"]
    assert len({tuple(its) for its in times.values()}) == 3
    other = testing.play(system({"replicas": 1, "pauses": {"every": {"exponential": "1s"}, "for": "100ms"}}), [0.0])
    assert [time for time, _, _ in pauses(other.records)] == times["app[0]"]  # who stands beside it moves no luck


def test_a_crash_ends_the_pause_and_a_new_process_pauses_after_a_time_of_its_own():
    """Crashed at 1.1 s in its pause, back at 1.5: it answers at once, and pauses at 2.5."""
    run = testing.play_on_both(
        system(more={"faults": [{"crash": "app", "at": "1.1s", "restart_after": "400ms"}]}), [1.55]
    )
    assert ends(run) == pytest.approx([1.65])
    assert [time for time, _, _ in pauses(run.records)] == pytest.approx([1.0, 2.5, 3.8, 5.1])
    assert run.records.gauge("app", "paused")[2] == pytest.approx(0.1)


def test_a_replica_that_is_down_does_not_pause():
    run = testing.play_on_both(system(more={"faults": [{"crash": "app", "at": "900ms", "restart_after": "2s"}]}), [0.0])
    assert [time for time, _, _ in pauses(run.records)] == pytest.approx([3.9, 5.2])


def test_a_freeze_and_a_pause_that_overlap_are_both_waited_for():
    """Paused from 1.0 to 1.3 s and frozen from 1.2 to 1.6: 50 ms of work are left at 1.6."""
    run = testing.play_on_both(system(more={"faults": [{"outage": "app", "at": "1.2s", "for": "400ms"}]}), [0.95])
    assert ends(run) == pytest.approx([1.65])


def test_explain_tells_the_pause_from_the_work():
    for cores in (None, 2):
        run = testing.play(
            system({"cores": cores} if cores else {}, {"record": {"spans": "all"}}), [0.95], sends="app.get"
        )
        parts = Ways(run.records, run.scenario, np.array([0])).parts(0)
        assert parts == pytest.approx({Part("app", "work"): 0.1, Part("app", "frozen"): 0.3})


QUEUE = """
version: 1
duration: 20000s
seed: 3
network: {default: {latency: 0s}}
record: {interval: 100s}
traffic: {clients: {sends: app.get, arrivals: {poisson: 0.4/s}}}
services:
  app: {workers: 1, pauses: {every: {exponential: 20s}, for: {exponential: 5s}}, endpoints: {get: [{work: {exponential: 1s}}]}}
"""


def mean_response(rate, work, breaks, repair):
    """M/M/1 whose server breaks down at any time, also when idle, and then goes on where it was, by the transform of White
    and Christie ("Queuing with preemptive priorities or with breakdown", Operations Research 6, 1958): a pause is a
    customer who pre-empts and of whom there is one at most.
    """
    share = 1.0 / (1.0 + breaks * repair)  # of its time that it works
    load = rate * work / share
    return (work / share + breaks * repair**2 * share) / (1.0 - load)


@pytest.mark.long
def test_a_queue_before_a_replica_that_pauses_is_as_long_as_theory_says():
    (scenario,) = sim.load_text(QUEUE).variants.values()
    found = [
        np.nanmean(records.requests["end"] - records.requests["arrival"])
        for records in (simulate(scenario, replication) for replication in range(4))
    ]
    assert np.mean(found) == pytest.approx(mean_response(0.4, 1.0, 1 / 20, 5.0), rel=0.06)


def test_on_paper_pauses_stretch_every_visit():
    """Up for 20 s of each 25: 0.4 a second of 1 s fill half of it, as Markov has it."""
    (scenario,) = sim.load_text(QUEUE).variants.values()
    (workers,) = analysis_of(scenario).load("base").stations
    assert (workers.demand, workers.utilisation) == (pytest.approx(1.25), pytest.approx(0.5))


def test_check_tells_of_pauses_beyond_what_others_wait_for():
    """Of pauses of 1 s on average exp(-0.5) are longer than 500 ms, and exp(-2) than two checks a second apart."""
    text = """
    version: 1
    duration: 10s
    policies: {hasty: {timeout: 500ms}}
    traffic: {clients: {sends: shop.buy, arrivals: {poisson: 1/s}}}
    services:
      shop: {workers: 9, endpoints: {buy: [{call: app.get, policy: hasty}]}}
      app:
        replicas: 2
        workers: 9
        pauses: {every: 60s, for: {exponential: 1s}}
        health_checks: {interval: 1s, timeout: 1s, unhealthy_threshold: 2}
        endpoints: {get: [{work: 1ms}]}
    """
    report = " ".join(str(check(sim.load_text(text))).split())
    assert "gives app.get 500ms, and 60.7% of its pauses are longer" in report
    assert "13.5% of the pauses last longer than 2s, in which checks fail" in report


def test_pauses_of_no_length_are_refused():
    with pytest.raises(sim.errors.ScenarioError, match="found a mean time of 0"):
        sim.load_text(QUEUE.replace("{exponential: 5s}", "0s"))
