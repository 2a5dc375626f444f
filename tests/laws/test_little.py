"""Little's law and the utilisation law, to float rounding: what the gauges saw and what the spans tell are the same seconds."""

import numpy as np
import pytest
from scipy import stats

from sim.vocabulary import Outcome
from tests.laws.both_sides import little, utilisation_law

from .systems import STATION, Golden, run

PAIR = """
version: 1
duration: 60s
warmup: 7.3s
record: {interval: 2.5s, spans: all}
traffic:
  clients: {sends: front.ask, arrivals: {poisson: 60/s}}
services:
  front:
    replicas: 2
    workers: 6
    queue: {capacity: 20}
    endpoints: {ask: [{work: {exponential: 20ms}}, {call: back.answer, policy: guarded}, {work: {exponential: 2ms}}]}
  back: {replicas: 3, workers: 2, endpoints: {answer: [{work: {exponential: 50ms}}, {fail: 5%}]}}
policies:
  guarded: {timeout: 150ms, retry: {max_attempts: 3, backoff: {constant: 10ms}, jitter: full}}
network: {default: {latency: {exponential: 1ms}, loss: 1%}}
"""

CALLS = "{call: back.answer, policy: guarded}, {call: back.answer, policy: {timeout: 1s}}"
CRASH_OF_BACK = "{crash: {of: back, replicas: 2, restart_after: 3s}, name: f, at: 20s}"
CRASH_OF_FRONT = "{crash: {of: front, replicas: 1, restart_after: 3s}, name: g, at: 30s}"
SYSTEMS = {
    "timeouts and retries": (),
    "callees are cancelled at a timeout": ("policies.guarded.on_timeout=cancel",),
    "a bulkhead that lets wait": ("policies.guarded.bulkhead={max_concurrent_calls: 2, max_wait: 40ms}",),
    "a breaker": ("policies.guarded.circuit_breaker={failures: 5, within: 1s, open_for: 2s, half_open_calls: 2}",),
    "impatience in the queue": ("services.back.queue={timeout: 60ms, capacity: 10}",),
    "last come first served": ("services.back.queue={timeout: 60ms, discipline: lifo}",),
    "least request": ("services.back.load_balancing=least_request", "services.front.load_balancing=power_of_two"),
    "shared cores": ("services.back.cores=2", "services.back.workers=8"),
    "an impatient client": ("traffic.clients.timeout=100ms", "traffic.clients.retry={max_attempts: 2}"),
    "parallel calls": (f"services.front.endpoints.ask=[{{parallel: [{CALLS}, {{work: {{exponential: 30ms}}}}]}}]",),
    "an early answer": (
        "services.front.endpoints.ask=[{work: {exponential: 10ms}}, {reply: null}, {call: back.answer, policy: guarded}]",
    ),
    "a freeze": ("faults=[{name: f, at: 20s, for: 5s, outage: back, how: hang}]",),
    "a freeze of shared cores": (
        "services.back.cores=2",
        "faults=[{name: f, at: 20s, for: 5s, outage: back, how: hang}]",
    ),
    "a refusal": ("faults=[{name: f, at: 20s, for: 5s, outage: back, how: refuse}]",),
    "a black hole": ("faults=[{name: f, at: 20s, for: 5s, outage: back, how: blackhole}]",),
    "crashes": (f"faults=[{CRASH_OF_BACK}, {CRASH_OF_FRONT}]",),
    "cancelled and crashed": ("policies.guarded.on_timeout=cancel", f"faults=[{CRASH_OF_BACK}, {CRASH_OF_FRONT}]"),
    "slow": ("faults=[{slow: {of: back, by: 4}, name: f, at: 20s, for: 20s}]",),
    "errors": ("faults=[{errors: {of: back, share: 50%}, name: f, at: 20s, for: 20s}]",),
    "a cut wire": ("faults=[{network: {between: [front, back], partition: true}, name: f, at: 20s, for: 5s}]",),
    "everything at the end": (
        "faults=[{name: f, at: 57s, outage: back, how: hang}, {crash: {of: front}, name: g, at: 59s}]",
    ),
}


@pytest.mark.parametrize("kind", SYSTEMS)
def test_the_laws_hold_exactly(kind):
    system = run(PAIR, *SYSTEMS[kind])
    spans, books = system.records.spans, {book.component: book for book in system.records.books}
    for service, endpoint in (("front", "front.ask"), ("back", "back.answer")):
        for law in (little, utilisation_law):
            seen, told = law(system.records, service)
            assert seen == pytest.approx(told, rel=1e-11)
        its = spans[spans["endpoint"] == system.records.names.index(endpoint)]
        assert its.size == books[service].offered > 1000
        assert np.isnan(its["ended"]).sum() == books[service].open
        found = np.bincount(its["outcome"], minlength=len(Outcome))
        assert {
            outcome.word: found[outcome] for outcome in Outcome if found[outcome] and outcome != Outcome.IN_FLIGHT
        } == books[service].ended


@pytest.mark.parametrize("service", ["orders", "payments"])
def test_the_laws_hold_behind_a_gateway_of_threads(service):
    text = """
version: 1
duration: 40s
record: {spans: all}
traffic: {shop: {sends: POST /, arrivals: {closed: {users: 40, think: {exponential: 300ms}}}}}
gateway: {workers: 30, concurrency: threads, work: {exponential: 1ms}, routes: {POST /: {to: orders.create, timeout: 300ms}}}
services:
  orders: {workers: 8, endpoints: {create: [{work: {exponential: 5ms}}, {call: payments.charge}]}}
  payments: {workers: 4, endpoints: {charge: [{wait: {lognormal: {mean: 60ms, p99: 400ms}}}]}}
"""
    system = run(text)
    for law in (little, utilisation_law):
        seen, told = law(system.records, service)
        assert seen == pytest.approx(told, rel=1e-11)
        assert seen > 0.5


def test_qt_little():
    """The measured rate times the measured time is the measured number, for each replica's sake on all three sides."""
    system = run(STATION, "duration=800s", "record.spans=all")
    spans = system.spans("station.serve")
    assert "mean wait" in Golden("qt_little", "ciw_qt_tests.json").case["scenario"]
    wait = np.minimum(spans["started"], 800.0) - spans["arrived"]
    assert spans.size / 800 * wait.mean() == pytest.approx(system.mean("station", "queue"), rel=1e-3)


def test_qt_burke():
    """Departures of M/M/3 are a Poisson process: exponential gaps, uncorrelated, and counts with an index of dispersion of one."""
    station = ("services.station.workers=3", "services.station.endpoints.serve.0.work=exponential: 30ms")
    ends = np.sort(run(STATION, *station, "duration=1500s", "warmup=20s").requests["end"])
    ends = ends[~np.isnan(ends)]
    gaps = np.diff(ends)
    counts = np.histogram(ends, np.arange(20.0, 1500.0, 0.5))[0]
    assert Golden("qt_burke", "ciw_qt_tests.json").case["kind"] == "property"
    assert stats.kstest(gaps, stats.expon(scale=1 / 80).cdf).pvalue > 0.01
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 4 / np.sqrt(gaps.size) < 0.1
    assert abs(counts.var() / counts.mean() - 1) < 4 * np.sqrt(2 / counts.size)


@pytest.mark.parametrize("workers", [5, 8, 11, 14])
def test_qt_loss(workers):
    """Erlang-distributed work, no place to wait: the blocking of Erlang's formula."""
    load = 0.8 * workers
    station = (f"services.station.workers={workers}", "services.station.queue.capacity=0")
    work = "services.station.endpoints.serve.0.work=erlang: {phases: 4, mean: 100ms}"
    found = run(
        STATION, *station, work, f"traffic.clients.arrivals.poisson={10 * load:.9f}/s", "duration=800s", "warmup=5s"
    ).share(Outcome.SHED)
    blocked = 1.0
    for count in range(1, workers + 1):
        blocked = load * blocked / (count + load * blocked)
    assert Golden("qt_loss", "ciw_qt_tests.json").case["kind"] == "property"
    assert found == pytest.approx(blocked, abs=0.01)
