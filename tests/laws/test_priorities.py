"""Non-preemptive priorities: Cobham's formula for M/M/c, and what no order of service can change."""

import math

import numpy as np
import pytest

from .systems import Golden, run

CLASSES = """
version: 1
duration: 6000s
record: {interval: 10s, spans: all}
traffic:
  high: {sends: station.high, arrivals: {poisson: 20/s}}
  middle: {sends: station.middle, arrivals: {poisson: 30/s}}
  low: {sends: station.low, arrivals: {poisson: 14/s}}
services:
  station:
    workers: 4
    queue: {discipline: priority, classes: {high: 0, middle: 1, low: 2}}
    endpoints:
      high: [work: {exponential: 50ms}]
      middle: [work: {exponential: 50ms}]
      low: [work: {exponential: 50ms}]
"""


def cobham(rates, mean, servers):
    """Mean wait of each class: C / (c mu (1 - s before) (1 - s so far)), C by Erlang's second formula."""
    load = sum(rates) * mean
    terms = [load**k / math.factorial(k) for k in range(servers)]
    last = load**servers / math.factorial(servers) / (1 - load / servers)
    waits, before = [], 0.0
    for rate in rates:
        so_far = before + rate * mean / servers
        waits.append(last / (sum(terms) + last) * mean / servers / (1 - before) / (1 - so_far))
        before = so_far
    return waits


@pytest.mark.long
def test_t09a_classes_wait_as_cobham_says_and_all_together_as_without_classes():
    system = run(CLASSES, "record.spans=all")
    waits = [system.spans(f"station.{name}") for name in ("high", "middle", "low")]
    found = [float((its["started"] - its["arrived"]).mean()) for its in waits]
    overall = sum(mean * its.size for mean, its in zip(found, waits, strict=True)) / sum(its.size for its in waits)
    with Golden("T09a") as golden:
        for mean, expected in zip(found, golden.expected["mean_wait_class"], strict=True):
            golden.near("wait of a class", mean, relative=0.04, expected=expected)
        golden.near("overall_mean_wait", overall, relative=0.03)
    assert golden.expected["mean_wait_class"] == pytest.approx(cobham([20, 30, 14], 0.05, 4), rel=1e-6)


@pytest.mark.long
def test_two_classes_of_one_server_answer_as_in_the_literature():
    text = """
    version: 1
    duration: 300000s
    record: {interval: 1000s}
    traffic:
      high: {sends: station.high, arrivals: {poisson: 0.2/s}}
      low: {sends: station.low, arrivals: {poisson: 0.6/s}}
    services:
      station:
        workers: 1
        queue: {discipline: priority, classes: {high: 0, low: 1}}
        endpoints: {high: [work: {exponential: 1s}], low: [work: {exponential: 1s}]}
    """
    system = run(text, "warmup=1000s")
    rows = system.requests
    with Golden("ciw_priority_literature", "ciw_qt_tests.json") as golden:
        for name, source in (("mean_response_hi", "high"), ("mean_response_lo", "low")):
            its = rows[rows["source"] == system.records.names.index(source)]
            times = its["end"] - its["arrival"]
            golden.near(name, times[~np.isnan(times)].mean(), relative=0.04)


@pytest.mark.parametrize(
    "discipline", ["fifo", "lifo", "fair, by: traffic", "adaptive_lifo", "edf, deadlines: {high: 1s}"]
)
def test_work_is_conserved_whoever_is_served_first(discipline):
    """The same requests and the same work: the number inside is the same at every instant, so is what has been done at
    the end.
    """
    counted = {}
    for words in ("fifo", discipline):
        text = CLASSES.replace(
            "{discipline: priority, classes: {high: 0, middle: 1, low: 2}}", f"{{discipline: {words}}}"
        )
        text = text.replace("{exponential: 50ms}", "50ms").replace("spans: all", "spans: none")
        system = run(text, "duration=40s")
        rows = system.records.requests
        counted[words] = sorted(rows["end"][~(rows["end"] != rows["end"])].tolist())
    assert counted["fifo"] == pytest.approx(counted[discipline], abs=1e-9)
