"""The idiomatic versions are of the same systems as our scenarios: otherwise no ratio of their times means anything."""

import numpy as np
import pytest

from sim.models import simulate
from tests.bench.engine import EVENTS, ORDERS
from tests.bench.measuring import scenario_of

SECONDS = 30.0


def busy(records, component):
    return records.gauge(component, "busy").mean()


def response(rows):
    return np.mean([row.end - row.arrival for row in rows])


def test_the_order_flow():
    flow = ORDERS.run_idiomatic(SECONDS)
    records = simulate(scenario_of("order_flow", f"duration={SECONDS:g}s"))
    assert len(flow.rows) == pytest.approx(len(records.requests), rel=0.03)
    assert response(flow.rows) == pytest.approx(
        np.nanmean(records.requests["end"] - records.requests["arrival"]), rel=0.1
    )
    for station in (flow.gateway, flow.orders, flow.inventory, flow.payments):
        assert station.busy_time / SECONDS == pytest.approx(busy(records, station.name), rel=0.1)


def test_the_event_flow():
    flow = EVENTS.run_idiomatic(SECONDS)
    records = simulate(scenario_of("event_flow", f"duration={SECONDS:g}s"))
    requests = records.requests
    assert len(flow.rows) == pytest.approx(len(requests), rel=0.03)
    assert len(flow.deliveries) == pytest.approx(np.isfinite(records.messages["end"]).sum(), rel=0.03)
    assert response(flow.rows) == pytest.approx(np.nanmean(requests["end"] - requests["arrival"]), rel=0.1)
    completion = np.nanmean([order.completion - order.arrival for order in flow.rows])
    assert completion == pytest.approx(np.nanmean(requests["completion"] - requests["arrival"]), rel=0.2)
    for station in (flow.gateway, flow.orders):
        assert station.busy_time / SECONDS == pytest.approx(busy(records, station.name), rel=0.1)
    for group in flow.groups:
        assert group.busy_time / SECONDS == pytest.approx(busy(records, f"{group.name} order-events"), rel=0.1)
