"""A Grafana dashboard (schema version 39, for "Import dashboard") of what `openmetrics` writes: one panel for each
question, over all variants.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sim.exporting.openmetrics import CLOCKS, ENDED, PREFIX, RATES
from sim.exporting.subject import Subject
from sim.spec.scenario import Scenario
from sim.spec.sites import bulkheads
from sim.units import show_duration

SCHEMA = 39
_SOURCE = {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 24  # of a panel, and of the grid
_OF_VARIANTS = '{scenario="$scenario",variant=~"$variant"}'

Panel = tuple[str, str, str, dict[str, str]]  # title, unit, what is not plain about it, expression -> legend


def write(subject: Subject) -> str:
    """The dashboard, with the scenario as the value of its variable and from the first to the last moment of
    the run.
    """
    panels = [_panel(place, *panel) for place, panel in enumerate(_panels(subject.scenario))]
    begin, end = (subject.nanoseconds(at) // 10**6 for at in (0.0, subject.scenario.duration))
    dashboard = {
        "__inputs": [{"name": "DS_PROMETHEUS", "label": "Prometheus", "type": "datasource", "pluginId": "prometheus"}],
        "title": f"sim: {subject.name}",
        "description": (
            f"A simulated run of {show_duration(subject.scenario.duration)}; its points are put into a "
            "Prometheus by promtool."
        ),
        "schemaVersion": SCHEMA,
        "editable": True,
        "tags": ["sim"],
        "timezone": "utc",
        "time": {"from": _date(begin), "to": _date(end)},
        "templating": {"list": [_variable("scenario", subject.name), _variable("variant", "")]},
        "panels": panels,
    }
    return json.dumps(dashboard, indent=2) + "\n"


def _date(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _variable(name: str, value: str) -> dict[str, Any]:
    metric = f"{PREFIX}{RATES['offered'][0]}"
    of = '{scenario="$scenario"}' if name != "scenario" else ""
    query = f"label_values({metric}{of}, {name})"
    several = not value
    current = {"text": value, "value": value} if value else {"text": "All", "value": "$__all"}
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "multi": several,
        "includeAll": several,
        "current": current,
    }


def _panels(scenario: Scenario) -> Iterator[Panel]:
    yield "Requests by how they ended", "reqps", "", {_of(ENDED): "{{variant}} {{outcome}}"}
    yield "Offered and served", "reqps", "", {_of(RATES[name][0]): f"{{{{variant}}}} {name}" for name in RATES}
    completing = any(traffic.completes_with for traffic in scenario.traffic.values())
    completing |= scenario.gateway is not None and any(
        route.completes_with for route in scenario.gateway.routes.values()
    )
    for clock, meaning in CLOCKS.items() if completing else list(CLOCKS.items())[:1]:
        yield meaning, "s", "Of those who arrived then", {_of(f"{clock}_seconds"): "{{variant}} p{{quantile}}"}
    busy = "Busy workers as a share; above 80 % queues grow fast"
    yield "Busy", "percentunit", busy, {f"{_of('busy')} / {_of('workers')}": "{{variant}} {{component}}"}
    yield "Waiting for a worker", "short", "", {_of("queue"): "{{variant}} {{component}}"}
    if scenario.brokers:
        yield "Lag of consumers", "short", "In messages", {_of("lag"): "{{variant}} {{component}}"}
    if any(policy.circuit_breaker is not None for policy in scenario.policies.values()):
        meaning = "How many breakers of callers are open"
        yield "Circuit breakers", "short", meaning, {_of("breaker_open"): "{{variant}} {{component}}"}
    if bulkheads(scenario):
        yield "Bulkheads", "short", "Places taken", {_of("places_taken"): "{{variant}} {{component}}"}


def _of(metric: str) -> str:
    return f"{PREFIX}{metric}{_OF_VARIANTS}"


def _panel(place: int, title: str, unit: str, meaning: str, queries: dict[str, str]) -> dict[str, Any]:
    across = _COLUMNS // _WIDTH
    targets = [
        {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
        for index, (expression, legend) in enumerate(queries.items())
    ]
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": title,
        "description": meaning,
        "datasource": _SOURCE,
        "gridPos": {"x": place % across * _WIDTH, "y": place // across * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": targets,
    }
