"""Systems without chance, event by event: the traces that Ciw's tests publish."""

import numpy as np
import pytest

from sim.vocabulary import Outcome

from .systems import STATION, Golden, run

CIW = "ciw_qt_tests.json"
SHED = int(Outcome.SHED)

AT_MOST_FIVE = """
version: 1
duration: 22s
record: {spans: all}
traffic:
  one: {sends: GET /one, arrivals: {deterministic: 1.25/s}}
  two: {sends: GET /two, arrivals: {deterministic: 1/s}}
gateway:
  workers: 5
  concurrency: threads
  queue: {capacity: 0}
  routes: {GET /one: {to: one.serve}, GET /two: {to: two.serve}}
services:
  one: {workers: 1, endpoints: {serve: [work: 5.1s]}}
  two: {workers: 1, endpoints: {serve: [work: 5.1s]}}
"""


def test_ciw_system_capacity():
    """At most five in two services together: a gateway whose five threads are held for the whole request."""
    system = run(AT_MOST_FIVE)
    spans = np.concatenate(
        [
            system.records.spans[system.records.spans["endpoint"] == system.records.names.index(f"{name}.serve")]
            for name in ("one", "two")
        ]
    )
    spans = spans[spans["started"] < 22]
    service = np.array([1 if system.records.names[row["endpoint"]] == "one.serve" else 2 for row in spans])
    order = np.lexsort((service, spans["started"]))
    spans, service = spans[order][:8], service[order][:8]
    arrived = {int(row["id"]): float(row["arrival"]) for row in system.records.requests}
    rejected = np.sort(system.requests["arrival"][system.requests["outcome"] == SHED])
    expected = Golden("ciw_system_capacity", CIW).expected
    assert [arrived[int(request)] for request in spans["request"]] == pytest.approx(expected["served_arrivals"])
    assert spans["started"] == pytest.approx(np.array(expected["service_start"]))
    assert np.where(np.isnan(spans["ended"]), spans["started"] + 5.1, spans["ended"]) == pytest.approx(
        np.array(expected["service_end"])
    )
    assert service.tolist() == expected["service"]
    assert rejected[:10] == pytest.approx(np.array(expected["first_rejections"]))
    assert np.sum(system.requests["outcome"] == Outcome.OK) == 8


def test_ciw_baulking():
    """One worker and two places to wait."""
    station = (
        "services.station.queue.capacity=2",
        "services.station.endpoints.serve.0.work=21s",
        "traffic.clients.arrivals={deterministic: 0.2/s}",
    )
    system = run(STATION, *station, "duration=51s", "record.spans=all")
    served = system.spans("station.serve")
    served = served[served["outcome"] == Outcome.OK]
    expected = Golden("ciw_baulking_det", CIW).expected
    assert system.requests["arrival"][system.requests["outcome"] == SHED].tolist() == expected["rejected_at"]
    assert served["started"].tolist() == expected["service_start"]
    assert served["ended"].tolist() == expected["service_end"]
    assert (served["started"] - served["arrived"]).tolist() == expected["waits"]


def test_ciw_reneging():
    """Who has waited 3 s leaves."""
    station = ("services.station.queue.timeout=3s", "services.station.endpoints.serve.0.work=11s")
    rows = run(
        STATION, *station, "traffic.clients.arrivals={deterministic: 0.142857142857142857/s}", "duration=33s"
    ).requests
    changes = sorted(
        [(time, 1) for time in rows["arrival"]] + [(time, -1) for time in rows["end"] if not np.isnan(time)]
    )
    history, inside = [(0.0, 0)], 0
    for time, change in changes:
        inside += change
        history.append((time, inside))
    expected = Golden("ciw_reneging_det", CIW).expected["history_t_n"]
    assert np.array(history) == pytest.approx(np.array(expected, dtype=float))


TWO_THEN_ONE = """
version: 1
duration: 36s
traffic:
  clients: {sends: first.serve, arrivals: {deterministic: 0.1/s}}
services:
  first: {workers: 2, endpoints: {serve: [{work: 5s}, {call: second.serve}]}}
  second: {workers: 1, endpoints: {serve: [work: 5s]}}
"""


def test_ciw_simultaneous():
    """Ciw breaks ties by chance; here events of one instant have the order in which they were planned, so every run is the same.

    The second visitor arrives at 20, when the first is just leaving, and the third at 30; none waits, and two are through by 36.
    """
    runs = [run(TWO_THEN_ONE, replication=replication) for replication in range(5)]
    assert all(rows.requests["end"][:2].tolist() == [20.0, 30.0] for rows in runs)
    assert len({rows.records.requests[["arrival", "end", "outcome"]].tobytes() for rows in runs}) == 1
    assert "25% of runs complete 2" in Golden("ciw_simultaneous", CIW).expected["note"]


# -- the order of events that ARCHITECTURE.md lays down -------------------------------------------------------------------------


def test_a_fault_hits_the_request_that_arrives_at_its_very_moment():
    """Control comes before arrivals: the request of 5 s finds the outage, that of 10 s finds it over."""
    fault = "faults=[{name: outage, at: 5s, for: 5s, outage: station, how: refuse}]"
    rows = run(STATION, fault, "traffic.clients.arrivals={deterministic: 1/s}", "duration=12s").requests
    outcomes = dict(zip(rows["arrival"].tolist(), rows["outcome"].tolist(), strict=True))
    assert [time for time, outcome in outcomes.items() if outcome == Outcome.UNREACHABLE] == [5.0, 6.0, 7.0, 8.0, 9.0]


def test_an_answer_at_the_very_deadline_is_in_time():
    """Timers come after ordinary events."""
    sets = (
        "services.station.endpoints.serve.0.work=250ms",
        "traffic.clients.timeout=250ms",
        "traffic.clients.arrivals={deterministic: 1/s}",
        "duration=12s",
    )
    rows = run(STATION, *sets).requests
    assert (rows["outcome"] == Outcome.OK).all()


def test_a_freed_place_goes_to_who_waits_and_not_to_who_comes_at_that_moment():
    """Work of 2 s, arrivals each second, one place to wait: the one who comes when the worker is freed finds it taken, and the place to wait free."""
    sets = (
        "services.station.endpoints.serve.0.work=2s",
        "services.station.queue.capacity=1",
        "traffic.clients.arrivals={deterministic: 1/s}",
        "duration=9s",
    )
    rows = run(STATION, *sets, "record.spans=all").spans("station.serve")
    served = rows[rows["outcome"] == Outcome.OK]
    assert served["started"].tolist() == [1.0, 3.0, 5.0, 7.0]
    assert served["arrived"].tolist() == [1.0, 2.0, 3.0, 5.0]
