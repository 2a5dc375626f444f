"""A rate limit that all replicas count in one store: what a round trip costs, and what becomes of requests without it."""

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import analysis_of
from sim.experiments.on_paper.unwise import findings
from sim.spec.loading import load_document

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SYSTEM = """
duration: 20s
gateway:
  replicas: 2
  workers: 1
  rate_limits: [{per: all, LIMIT, store: {latency: 10ms, timeout: 500ms, TOLERANT}}]
  routes: {GET /x: {to: app.get}}
services: {app: {workers: unlimited, endpoints: {get: [{work: 5ms}]}}}
FAULT
"""


def play(arrivals, limit="rate: 2/s", tolerant="fault_tolerant: true", fault=""):
    text = SYSTEM.replace("LIMIT", limit).replace("TOLERANT", tolerant)
    return testing.play_on_both(
        text.replace("FAULT", f"faults: [{{at: 1s, for: 3s, store_down: redis, {fault}}}]" if fault else ""), arrivals
    )


def undecided(played):
    return played.records.gauge("gateway all limit", "undecided")[-1]


def test_every_decision_waits_for_the_round_trip_and_two_nodes_count_as_one():
    played = play([0.1, 0.2, 0.3])
    assert played.outcomes() == ["ok", "ok", "rate_limited"]
    assert played.responses() == pytest.approx([0.015, 0.015, 0.01])


def test_kong_asks_its_store_once_for_each_period():
    played = play([0.1], "preset: kong, rates: [2/s, 100/m]")
    assert played.responses() == pytest.approx([0.025])


def test_a_store_that_hangs_costs_its_timeout_and_limits_nobody():
    played = play([1.1, 1.2, 1.3], fault="how: hang")
    assert played.outcomes() == ["ok"] * 3
    assert played.responses() == pytest.approx([0.505] * 3)
    assert undecided(played) == 3


def test_one_that_refuses_connections_costs_nothing_and_limits_nobody():
    played = play([0.1, 0.2, 1.1, 1.2, 1.3, 5.1, 5.2, 5.3], fault="how: refuse")
    assert played.outcomes() == ["ok"] * 7 + ["rate_limited"]
    assert played.responses()[2:5] == pytest.approx([0.005] * 3)
    assert undecided(played) == 3


def test_without_fault_tolerance_its_outage_is_an_outage():
    played = play([1.1, 1.2], tolerant="fault_tolerant: false", fault="how: hang")
    assert played.outcomes() == ["error"] * 2
    assert played.responses() == pytest.approx([0.5] * 2)


def test_a_thread_waits_for_the_store_on_its_worker_and_so_do_all_behind_it():
    """Each holds the only worker for 500 ms and its 5 ms: the second begins at 1.605, the third at 2.11 s."""
    text = """
    duration: 20s
    services:
      app:
        workers: 1
        rate_limits: [{per: all, rate: 9/s, store: {latency: 1ms, timeout: 500ms}}]
        endpoints: {get: [{work: 5ms}]}
    faults: [{at: 1s, for: 3s, store_down: redis, how: hang}]
    """
    played = testing.play_on_both(text, [1.1, 1.2, 1.3])
    assert played.requests["end"].tolist() == pytest.approx([1.605, 2.11, 2.615])


def test_each_node_for_itself_has_no_store():
    with pytest.raises(ScenarioError, match="found store beside `scope: node`"):
        play([0.1], "rate: 2/s, scope: node")


def test_the_store_of_a_fault_must_be_that_of_a_limit():
    text = (
        SYSTEM.replace("LIMIT", "rate: 2/s")
        .replace("TOLERANT", "name: redis")
        .replace("FAULT", "faults: [{at: 1s, store_down: redsi}]")
    )
    with pytest.raises(ScenarioError, match="unknown store of a rate limit 'redsi'; did you mean 'redis'"):
        testing.play(text, [0.1])


def test_check_says_what_an_outage_of_the_store_does_to_every_request():
    limit = {"per": "all", "rate": "100/s", "store": {"latency": "1ms"}}
    service = {"workers": 100, "rate_limits": [limit], "endpoints": {"get": [{"work": "5ms"}]}}
    document = {
        "version": 1,
        "duration": "60s",
        "traffic": {"users": {"sends": "app.get", "arrivals": {"poisson": "60/s"}}},
        "services": {"app": service},
        "faults": [{"at": "20s", "for": "10s", "store_down": "redis", "how": "hang"}],
    }
    (scenario,) = load_document(document).variants.values()
    analysis = analysis_of(scenario)
    (found,) = (one for one in findings(analysis, analysis.load("")) if one.kind == "limits_without_store")
    assert found.place == "services.app.rate_limits.0.store"
    assert found.finding == "in store_down of redis every request waits 2s for it, 120 at once on average"
    assert found.why == "each holds a worker meanwhile; then it passes, however many there are: nobody is limited"
