"""Faults that come by chance against the theory of machines that break down."""

import numpy as np
import pytest

import sim
from sim.models import simulate
from sim.vocabulary import EventKind, Outcome

BROKEN = """
version: 1
duration: 40000s
seed: 8
record: {keep: rows, interval: 100s}
traffic: {clients: {sends: shop.buy, arrivals: {poisson: RATE}}}
services: {shop: {workers: 1, endpoints: {buy: [{work: {exponential: 1s}}]}}}
faults: [{name: chance, at: 0s, random: {mtbf: {exponential: MTBF}, mttr: {exponential: MTTR}, fault: FAULT}}]
"""


def run(rate, mtbf, mttr, fault, replication=0):
    text = BROKEN.replace("RATE", rate).replace("MTBF", mtbf).replace("MTTR", mttr).replace("FAULT", fault)
    (scenario,) = sim.load_text(text).variants.values()
    return scenario, simulate(scenario, replication)


@pytest.mark.long
def test_who_comes_finds_it_up_for_the_share_of_time_that_renewals_say():
    """mtbf / (mtbf + mttr) = 90 / (90 + 10): arrivals see time averages."""
    scenario, records = run("0.1/s", "90s", "10s", "{outage: shop, how: refuse}")
    unreachable = (records.requests["outcome"] == Outcome.UNREACHABLE).sum()
    # What is inside at one of about 400 failures is lost, too: a tenth of a request each time, 1 % of all.
    assert 1.0 - unreachable / len(records.requests) == pytest.approx(0.89, abs=0.025)
    assert scenario.faults[0].availability == pytest.approx(0.9)
    begins = records.events[records.events["kind"] == EventKind.FAULT_BEGAN]["time"][1:]
    ends = records.events[records.events["kind"] == EventKind.FAULT_ENDED]["time"]
    assert len(begins) == pytest.approx(400, abs=4 * 20)
    down = (ends - begins[: len(ends)]).sum() / 40000
    assert down == pytest.approx(0.1, abs=0.03)


def mean_in_system(rate, breaks, repairs):
    """M/M/1 whose server breaks down at any time and then goes on where it was: the stationary distribution of (number, up
    or down), with room for 400, by the balance of flows.
    """
    room = 400
    size = 2 * (room + 1)
    flow = np.zeros((size, size))
    for number in range(room + 1):
        up, down = 2 * number, 2 * number + 1
        flow[up, down], flow[down, up] = breaks, repairs
        if number < room:
            flow[up, up + 2] = flow[down, down + 2] = rate
        if number > 0:
            flow[up, up - 2] = 1.0
    balance = flow.T - np.diag(flow.sum(axis=1))
    balance[-1] = 1.0
    right = np.zeros(size)
    right[-1] = 1.0
    return float(np.linalg.solve(balance, right) @ (np.arange(size) // 2))


@pytest.mark.long
def test_a_queue_before_a_machine_that_breaks_down_is_as_long_as_markov_says():
    """Up for 20 s, down for 5 s, work of 1 s, 0.4 a second: 50 % of what it can do. Little's law gives the response."""
    expected = mean_in_system(0.4, 1 / 20, 1 / 5) / 0.4
    found = [
        np.nanmean(records.requests["end"] - records.requests["arrival"])
        for replication in range(3)
        for _, records in [run("0.4/s", "20s", "5s", "{outage: shop, how: hang}", replication)]
    ]
    assert np.mean(found) == pytest.approx(expected, rel=0.06)


def test_what_comes_by_chance_ends_with_its_time_and_luck_is_that_of_the_replication():
    text = BROKEN.replace("RATE", "1/s").replace("MTBF", "20s").replace("MTTR", "5s").replace("40000s", "400s")
    text = text.replace("at: 0s", "at: 100s, for: 100s").replace("FAULT", "{outage: shop, how: refuse}")
    (scenario,) = sim.load_text(text).variants.values()
    logs = []
    for replication in (0, 0, 1):
        events = simulate(scenario, replication).events
        faults = events[(events["kind"] <= EventKind.FAULT_ENDED)]["time"].tolist()
        assert min(faults) == 100.0
        assert max(faults) == 200.0
        logs.append(faults)
    assert logs[0] == logs[1] != logs[2]


def test_crashes_by_chance_are_repaired_after_their_time():
    text = BROKEN.replace("RATE", "1/s").replace("MTBF", "50s").replace("MTTR", "5s").replace("40000s", "400s")
    (scenario,) = sim.load_text(text.replace("FAULT", "{crash: {}, of: shop}")).variants.values()
    records = simulate(scenario)
    crashed, restarted = (
        records.events[records.events["kind"] == kind]["time"]
        for kind in (EventKind.REPLICA_CRASHED, EventKind.REPLICA_RESTARTED)
    )
    assert len(crashed) >= 3
    assert (restarted > crashed[: len(restarted)]).all()
    assert all(book.balances for book in records.books)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{mtbf: 9s, mttr: 9s, fault: {outage: shpo}}", "unknown service 'shpo'; did you mean 'shop'?"),
        ("{mtbf: 9s, mttr: 9s, fault: {outage: shop, at: 3s}}", "found `at` of a fault that comes by chance"),
        ("{mtbf: 0s, mttr: 9s, fault: {outage: shop}}", "found a mean time of 0"),
        ("{mtfb: 9s, mttr: 9s, fault: {outage: shop}}", "did you mean 'mtbf'?"),
    ],
)
def test_what_is_said_wrong_is_told(said, words):
    with pytest.raises(sim.errors.ScenarioError) as caught:
        sim.load_text(f"""
        version: 1
        duration: 10s
        traffic: {{a: {{sends: shop.look, arrivals: {{poisson: 1/s}}}}}}
        services: {{shop: {{workers: 1, endpoints: {{look: [{{work: 1ms}}]}}}}}}
        faults: [{{at: 1s, random: {said}}}]
        """)
    assert words in str(caught.value)
