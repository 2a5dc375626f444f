"""Rolling deployments: how many there are at any time, how long it takes, and what it costs those who are under way."""

import numpy as np
import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.models import simulate


def play(deploy, arrivals=(), more="start: {time: 10s}", steps="[{work: 1s}]", replicas=4):
    text = f"""
    duration: 200s
    traffic: {{clients: {{sends: shop.buy}}}}
    services: {{shop: {{replicas: {replicas}, workers: 9, {more}, endpoints: {{buy: {steps}}}}}}}
    faults: [{{at: 10s, deploy: shop, {deploy}}}]
    """
    return testing.play(text, list(arrivals))


def level(played, quantity, at):
    frame = played.records.gauge_frame()
    return float(frame.loc[frame.index <= at, f"shop.{quantity}"].iloc[-1])


def times(played, kind):
    return [event.time for event in played.events(kind)]


def test_one_more_and_none_missing_goes_one_by_one():
    """Each new one takes 10 s, and an old one goes as it is ready: four steps."""
    played = play("surge: 25%, unavailable: 0%")
    assert times(played, "replica_ready") == [20.0, 30.0, 40.0, 50.0]
    assert times(played, "replica_draining") == [20.0, 30.0, 40.0, 50.0]
    assert {event.subject for event in played.events("replica_draining")} == {f"shop[{index}]" for index in range(4)}
    assert level(played, "replicas_paid", 15.0) == 5.0
    assert min(level(played, "replicas", float(at)) for at in range(1, 100)) >= 4.0


def test_the_defaults_are_those_of_a_deployment():
    """A quarter more and a quarter less: one old one goes at once, two new ones start; then two and one."""
    played = play("name: deploy")
    assert times(played, "replica_draining") == [10.0, 20.0, 20.0, 30.0]
    assert times(played, "replica_starting") == [10.0, 10.0, 20.0, 20.0]
    assert level(played, "replicas", 15.0) == 3.0
    assert level(played, "replicas", 60.0) == 4.0


def test_all_at_once_is_an_outage_of_a_start():
    played = play("surge: 0%, unavailable: 100%", [12.0, 25.0])
    assert played.outcomes() == ["unreachable", "ok"]
    assert times(played, "replica_ready") == [20.0] * 4


def test_where_neither_is_allowed_one_may_be_missing():
    played = play("surge: 0%, unavailable: 25%", replicas=2)  # half a replica, which is none
    assert times(played, "replica_draining") == [10.0, 20.0]


def test_it_waits_for_what_drains_only_as_far_as_places_go():
    """An old one has 15 s of work: the next new one does not wait for it."""
    played = play("surge: 25%, unavailable: 0%", [9.0, 9.1, 9.2, 9.3], steps="[{work: 15s}]")
    assert played.outcomes() == ["ok"] * 4
    assert times(played, "replica_ready") == [20.0, 30.0, 40.0, 50.0]
    assert times(played, "replica_stopped") == [24.0, 30.0, 40.0, 50.0]


def test_a_crash_meanwhile_counts_as_missing():
    """One of the old dies at 15 s for good: it goes first, and no ready one may go before two new ones are."""
    text = """
    duration: 200s
    traffic: {clients: {sends: shop.buy}}
    services: {shop: {replicas: 4, workers: 9, start: {time: 10s}, endpoints: {buy: [{work: 1s}]}}}
    faults: [{at: 10s, deploy: shop, surge: 25%, unavailable: 0%}, {at: 15s, crash: {}, of: shop}]
    """
    played = testing.play(text, [])
    assert min(level(played, "replicas", float(at)) for at in range(16, 120)) >= 3.0
    assert level(played, "replicas", 120.0) == 4.0
    assert {event.subject for event in played.events("replica_stopped")} == {f"shop[{index}]" for index in range(4)}


def test_an_autoscaler_goes_on_meanwhile():
    text = """
    duration: 200s
    traffic: {clients: {sends: shop.buy}}
    services:
      shop:
        replicas: 2
        workers: 9
        start: {time: 10s}
        autoscaling: {min: 1, max: 8, scheduled: [{at: 12s, for: 300s, replicas: 4}]}
        endpoints: {buy: [{work: 1s}]}
    faults: [{at: 10s, deploy: shop, surge: 50%, unavailable: 0%}]
    """
    played = testing.play(text, [])
    assert level(played, "replicas", 150.0) == 4.0
    assert {"shop[0]", "shop[1]"} <= {event.subject for event in played.events("replica_stopped")}


def test_deployments_may_come_by_chance():
    text = """
    duration: 60s
    traffic: {clients: {sends: shop.buy}}
    services: {shop: {replicas: 1, workers: 9, start: {time: 1s}, endpoints: {buy: [{work: 100ms}]}}}
    faults: [{at: 10s, for: 30s, random: {mtbf: 10s, mttr: 5s, fault: {deploy: shop}}}]
    """
    played = testing.play(text, [30.0])
    assert times(played, "replica_ready") == [21.0, 36.0]
    assert times(played, "replica_stopped") == [21.0, 36.0]
    assert played.outcomes() == ["ok"]


def test_one_that_drains_and_crashes_is_not_brought_back():
    """Kubernetes does not start again what is being deleted: shop[0] drains from 11 s on, and crashes while its preStop
    hook sleeps.
    """
    text = """
    duration: 100s
    traffic: {clients: {sends: shop.buy}}
    services:
      shop:
        replicas: 2
        workers: 9
        start: {time: 1s}
        drain: {grace: 60s, pre_stop: 30s}
        endpoints: {buy: [{work: 100ms}]}
    faults:
    - {at: 10s, deploy: shop, surge: 100%, unavailable: 0%}
    - {at: 15s, crash: {of: shop, replicas: 1, restart_after: 2s}}
    """
    played = testing.play(text, [20.0 + second for second in range(10)])
    assert times(played, "replica_crashed") == [15.0]
    assert not played.events("replica_restarted")
    assert times(played, "replica_stopped") == [41.0, 41.0]
    assert {attempt.replica for attempt in played.attempts()} == {2, 3}


def test_a_restart_leaves_those_alone_that_drain():
    """shop[0] drains from 11 s on, and its preStop hook sleeps until 41 s; only the new one is restarted."""
    text = """
    duration: 100s
    traffic: {clients: {sends: shop.buy}}
    services:
      shop:
        workers: 9
        start: {time: 1s}
        drain: {grace: 60s, pre_stop: 30s}
        endpoints: {buy: [{work: 100ms}]}
    faults:
    - {at: 10s, deploy: shop}
    - {at: 12s, restart: {of: shop, one_by_one: 0s}}
    """
    played = testing.play(text, [])
    stopped = [(event.time, event.subject) for event in played.events("replica_stopped")]
    assert stopped == [(12.0, "shop[1]"), (41.0, "shop[0]")]
    assert [event.subject for event in played.events("replica_restarted")] == ["shop[1]"]


def test_the_books_balance_while_it_goes_on_under_load():
    text = """
    version: 1
    duration: 120s
    record: {keep: rows}
    traffic: {clients: {sends: shop.buy, arrivals: {poisson: 40/s}}}
    services: {shop: {replicas: 4, workers: 5, queue: {capacity: 9}, start: {time: 3s}, drain: 1s, endpoints: {buy: [{work: {exponential: 300ms}}]}}}
    faults: [{at: 10s, deploy: shop}, {at: 40s, deploy: shop, surge: 0%, unavailable: 50%}]
    """
    (scenario,) = sim.load_text(text).variants.values()
    records = simulate(scenario)
    assert all(book.balances for book in records.books)
    assert np.isin(records.requests["outcome"], [0, 5, 10, 11]).all()


def test_who_is_not_there_cannot_be_deployed():
    with pytest.raises(ScenarioError, match="unknown service 'shpo'"):
        sim.load_text("""
        version: 1
        duration: 10s
        traffic: {a: {sends: shop.look, arrivals: {poisson: 1/s}}}
        services: {shop: {workers: 1, endpoints: {look: [{work: 1ms}]}}}
        faults: [{at: 1s, deploy: shpo}]
        """)
