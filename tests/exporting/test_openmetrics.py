"""The timeline as OpenMetrics, read by Prometheus' own parser, and a dashboard that asks for nothing else."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from sim.exporting import grafana, openmetrics
from tests.exporting.runs import CALLS, EVENTS, exported

BEGAN = datetime(2026, 1, 31, 9, tzinfo=UTC)


def families(subject):
    return {family.name: family for family in text_string_to_metric_families(openmetrics.write(subject))}


@pytest.fixture(scope="module")
def calls():
    return exported(CALLS, traced=False, every=True, began=BEGAN)


def samples(family, **labels):
    """(seconds of the run, value) of the samples that have these labels."""
    its = [sample for sample in family.samples if labels.items() <= sample.labels.items()]
    return [(float(sample.timestamp) - BEGAN.timestamp(), sample.value) for sample in its]


def test_rates_stand_at_the_end_of_their_second(calls):
    """Arrivals at 1 s and 2 s; a regular arrival at the end of a bucket belongs to the next one, and both are answered after 170 ms."""
    found = families(calls)
    assert samples(found["sim_offered_requests_per_second"]) == [(1.0, 0.0), (2.0, 1.0), (3.0, 1.0)]
    assert samples(found["sim_ended_requests_per_second"], outcome="ok") == [(1.0, 0.0), (2.0, 1.0), (3.0, 1.0)]


def test_percentiles_are_in_seconds_with_points_where_there_are_any(calls):
    family = families(calls)["sim_response_seconds"]
    assert (family.type, family.unit) == ("gauge", "seconds")
    assert samples(family, quantile="0.99") == [(2.0, pytest.approx(0.17)), (3.0, pytest.approx(0.17))]
    assert samples(family, quantile="0.5", variant="base", scenario="corner-shop")


def test_time_series_are_gauges_by_component(calls):
    """A worker of the shop is held for 170 ms of every second with an arrival: it waits for the stock, which is busy for 50 ms."""
    busy = families(calls)["sim_busy"]
    assert busy.type == "gauge"
    assert samples(busy, component="shop") == [(1.0, 0.0), (2.0, pytest.approx(0.17)), (3.0, pytest.approx(0.17))]
    assert samples(busy, component="stock") == [(1.0, 0.0), (2.0, pytest.approx(0.05)), (3.0, pytest.approx(0.05))]


def test_every_sample_is_known_and_names_its_variant():
    text = CALLS + "variants: {base: {}, slow: {services: {stock: {endpoints: {take: [{work: 90ms}]}}}}}\n"
    found = families(exported(text, traced=False, every=True))
    every = [sample for family in found.values() for sample in family.samples]
    assert {sample.labels["variant"] for sample in every} == {"base", "slow"}
    assert all(sample.value == sample.value for sample in every)
    one = families(exported(text, "slow", traced=False))
    assert {sample.labels["variant"] for family in one.values() for sample in family.samples} == {"slow"}


def test_names_that_need_escapes_are_read_as_they_are():
    awkward = 'buy "now" \\ later'
    text = CALLS.replace("name: corner-shop", f"name: '{awkward}'")
    family = families(exported(text, traced=False, every=True))["sim_busy"]
    assert {sample.labels["scenario"] for sample in family.samples} == {awkward}


@pytest.mark.parametrize("text", [CALLS, EVENTS])
def test_the_dashboard_asks_only_for_what_is_written(text):
    subject = exported(text, traced=False, every=True, began=BEGAN)
    written = set(families(subject))
    dashboard = json.loads(grafana.write(subject))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\bsim_\w+", target["expr"])
    }
    assert asked <= written
    assert len(asked) >= 6
    assert any("lag" in name for name in asked) == ("brokers" in text)


def test_the_dashboard_shows_the_run_on_a_grid_without_overlaps(calls):
    dashboard = json.loads(grafana.write(calls))
    assert (dashboard["time"]["from"], dashboard["time"]["to"]) == ("2026-01-31T09:00:00Z", "2026-01-31T09:00:03Z")
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
    assert all(x in (0, 12) and y % 8 == 0 for x, y in places)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places)
    assert {variable["name"] for variable in dashboard["templating"]["list"]} == {"scenario", "variant"}
