"""Utilisation, saturation and errors, on runs made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sim.metrics import measure
from sim.metrics.use import use_table
from sim.models import simulate
from sim.records.tables import Book
from sim.spec import load_text
from sim.vocabulary import Outcome

from .building import records, scenario, span

TICKS = [float(tick) for tick in range(10, 101, 10)]


def table(**options):
    return {(use.station, use.resource): use for use in use_table(records(**options), scenario())}


def test_utilisation_and_queue_are_those_after_the_warm_up_and_of_the_worst_interval():
    busy, queue = [8.0] + [2.0] * 8 + [7.0], [50.0] + [0.0] * 8 + [4.5]
    use = table(gauges={"payments.busy": busy, "payments.workers": [8.0] * 10, "payments.queue": queue})[
        "payments", "workers"
    ]
    assert use.utilisation == pytest.approx((8 * 2 + 7) / 9 / 8)
    assert use.utilisation_max == pytest.approx(7 / 8)
    assert use.queue_mean == pytest.approx(0.5)
    assert use.queue_max == 4.5


def test_a_station_is_full_from_the_beginning_of_the_first_interval_of_a_lasting_spell():
    busy = [0.0, 8.0, 8.0, 0.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0]
    gauges = {"payments.busy": busy, "payments.workers": [8.0] * 10, "payments.queue": [0.0] * 10}
    assert table(gauges=gauges)["payments", "workers"].full_at == 10.0
    assert table(gauges=gauges, ticks=[*range(1, 11)], duration=10.0, warmup=0.0)["payments", "workers"].full_at == 4.0


def test_unlimited_workers_are_never_full():
    gauges = {"payments.busy": [100.0] * 10, "payments.workers": [math.inf] * 10, "payments.queue": [0.0] * 10}
    use = table(gauges=gauges)["payments", "workers"]
    assert math.isnan(use.utilisation)
    assert use.full_at == math.inf


def test_errors_are_counted_by_outcome_of_the_attempts_that_arrived_after_the_warm_up():
    gauges = {"payments.busy": [1.0] * 10, "payments.workers": [8.0] * 10, "payments.queue": [0.0] * 10}
    early = {**span(5, 5, 6), "outcome": Outcome.SHED}
    spans = [
        early,
        *(
            {**span(20, 21, 22), "outcome": outcome}
            for outcome in (Outcome.OK, Outcome.REFUSED, Outcome.SHED, Outcome.SHED, Outcome.ERROR)
        ),
    ]
    use = table(gauges=gauges, spans=spans)["payments", "workers"]
    assert use.attempts == 5
    assert use.errors == {"shed": 2, "error": 1}


def test_a_sample_of_spans_is_not_taken_for_all_of_them():
    gauges = {"payments.busy": [1.0] * 10, "payments.workers": [8.0] * 10, "payments.queue": [0.0] * 10}
    run = replace(
        records(gauges=gauges, spans=[span(20, 21, 22)]),
        exemplary=True,
        books=(Book("payments", 70, {"ok": 60, "shed": 9}, 1),),
    )
    use = next(use for use in use_table(run, scenario()) if use.station == "payments")
    assert use.attempts == 70
    assert use.errors == {"shed": 9}


def test_a_group_waits_for_messages():
    component = "payment-group order-events"
    gauges = {
        f"{component}.busy": [4.0] * 10,
        f"{component}.workers": [4.0] * 10,
        f"{component}.lag": [float(lag) for lag in range(10)],
    }
    use = table(gauges=gauges)[component, "consumers"]
    assert (use.utilisation, use.queue_max, use.full_at) == (1.0, 9.0, 0.0)


def of_run(system, **record):
    (study_variant,) = load_text(system).variants.values()
    return {
        (use.station, use.resource): use for use in use_table(simulate(study_variant), study_variant)
    }, study_variant


def test_the_places_of_a_bulkhead_are_servers_and_little_says_how_many_are_taken():
    """1 s each at 2/s, deterministic: two of five places; at 10/s all five are taken and half of what comes is turned away."""
    system = """
    duration: 60s
    warmup: 10s
    traffic: {{u: {{sends: a.go, arrivals: {{deterministic: {rate}/s}}}}}}
    services:
      a: {{workers: 100, endpoints: {{go: [{{call: b.go, policy: {{bulkhead: {{max_concurrent_calls: 5}}}}}}]}}}}
      b: {{workers: 100, endpoints: {{go: [{{wait: 1s}}]}}}}
    """
    calm, scenario = of_run("version: 1" + system.format(rate=2).replace("\n    ", "\n"))
    assert calm["a -> b", "places"].utilisation == pytest.approx(2 / 5)
    assert calm["a -> b", "places"].errors == {}
    full, scenario = of_run("version: 1" + system.format(rate=10).replace("\n    ", "\n"))
    use = full["a -> b", "places"]
    assert use.utilisation == pytest.approx(1.0, abs=0.001)
    assert use.full_at <= 1.0
    assert use.attempts == pytest.approx(500, abs=1)
    assert use.errors["bulkhead_full"] == pytest.approx(250, abs=6)
    assert measure(simulate(scenario), scenario).values["utilisation(a -> b)"] == pytest.approx(1.0, abs=0.001)


def test_a_bulkhead_that_turns_away_half_is_full_though_its_places_are_free_now_and_then():
    """Erlang: 10 erlangs on 5 places leave each of them idle 13 % of the time."""
    system = """version: 1
duration: 60s
traffic: {u: {sends: a.go, arrivals: {poisson: 10/s}}}
services:
  a: {workers: 100, endpoints: {go: [{call: b.go, policy: {bulkhead: {max_concurrent_calls: 5}}}]}}
  b: {workers: 100, endpoints: {go: [{wait: 1s}]}}
"""
    use = of_run(system)[0]["a -> b", "places"]
    assert use.utilisation == pytest.approx(10 * (1 - 0.564) / 5, abs=0.05)
    assert use.full_at < 5.0


def test_who_stands_in_line_for_a_place_is_its_queue():
    system = """version: 1
duration: 20s
traffic: {u: {sends: a.go, arrivals: {deterministic: 10/s}}}
services:
  a: {workers: 100, replicas: 2, endpoints: {go: [{call: b.go, policy: {scope: service, bulkhead: {max_concurrent_calls: 4, max_wait: 1h}}}]}}
  b: {workers: 100, endpoints: {go: [{wait: 1s}]}}
"""
    use = of_run(system)[0]["a -> b", "places"]
    assert use.utilisation > 0.97
    assert use.queue_max == pytest.approx((10 - 4) * 20, abs=8)


def test_a_limit_is_full_where_as_much_passes_as_may():
    system = """version: 1
duration: 30s
traffic: {u: {sends: GET /, arrivals: {deterministic: 40/s}}}
gateway: {workers: 4, rate_limits: [{per: all, rate: 20/s}, {per: route, rate: 1000/s}], routes: {GET /: {to: a.x}}}
services: {a: {workers: 9, endpoints: {x: [{work: 1ms}]}}}
"""
    found, scenario = of_run(system)
    use = found["gateway all limit", "rate"]
    assert use.utilisation == pytest.approx(1.0, abs=0.01)
    assert use.errors["rate_limited"] == pytest.approx(600, abs=3)
    assert math.isnan(found["gateway route limit 2", "rate"].utilisation), "each route has a limit of its own"
    assert measure(simulate(scenario), scenario).values["utilisation_max"] == pytest.approx(1.0, abs=0.01)


def test_the_hottest_consumer_is_full_while_the_others_are_not():
    """All orders of one user go to one of four partitions: one member works 90 % of the time, the group of four less than a quarter."""
    system = """version: 1
duration: 60s
warmup: 10s
traffic: {u: {sends: a.x, arrivals: {deterministic: 9/s}, users: {count: 1}, completes_with: [done]}}
services:
  a: {workers: 9, endpoints: {x: [{publish: t}]}}
  w: {workers: 4, consumes: {t: {group: g, consumers: 4, do: [{wait: 100ms}, {effect: done}]}}}
brokers: {k: {kind: log, topics: {t: {partitions: 4, key: user}}}}
"""
    found, scenario = of_run(system)
    assert found["g t", "consumers"].utilisation == pytest.approx(0.9 / 4, rel=0.01)
    assert found["g t", "hottest consumer"].utilisation == pytest.approx(0.9, rel=0.01)
    values = measure(simulate(scenario), scenario).values
    assert values["utilisation_max"] == pytest.approx(0.9, rel=0.01)
    assert values["utilisation(g t)"] == pytest.approx(0.9 / 4, rel=0.01)


def test_a_member_without_partitions_does_not_count_and_one_that_takes_them_over_does():
    """Two members share two partitions; one crashes at 20 s and its session ends at 21 s: from then on one member holds both."""
    system = """version: 1
duration: 40s
traffic: {u: {sends: a.x, arrivals: {deterministic: 5/s}, completes_with: [done]}}
services:
  a: {workers: 9, endpoints: {x: [{publish: t}]}}
  w: {workers: 4, replicas: 2, consumes: {t: {group: g, consumers: 1, session_timeout: 1s, do: [{wait: 10ms}, {effect: done}]}}}
brokers: {k: {kind: log, topics: {t: {partitions: 2}}}}
faults: [{at: 20s, crash: {of: w, replicas: 1, restart_after: 1h}}]
"""
    (scenario,) = load_text(system).variants.values()
    held = simulate(scenario).gauge("g t", "workers")
    assert held[1:21].tolist() == [2.0] * 20
    assert held[21:].tolist() == [1.0] * 20
