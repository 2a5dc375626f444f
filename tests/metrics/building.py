"""Small runs made by hand: requests, messages, spans, events and gauges of which every figure is known."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sim.records.tables import EVENT, MESSAGE, REQUEST, SPAN, Records, Series
from sim.spec.scenario import Scenario
from sim.vocabulary import EventKind, MessageEnd, Outcome

NAN = float("nan")
ORDERS = "POST /orders"
KINDS = {"busy": "mean", "queue": "mean", "workers": "mean", "cores_busy": "mean", "cores": "mean", "replicas": "mean"}
KINDS |= {"lag": "level", "outbox": "level", "in_flight": "level", "breaker_open": "level"}


def request(
    arrival: float,
    response: float = NAN,
    outcome: Outcome | None = None,
    *,
    completion: float | None = None,
    pending: bool = False,
    charges: int = 0,
    reservations: int = 0,
    expects: bool | None = None,
    route: str = ORDERS,
    source: str = "shoppers",
) -> dict[str, Any]:
    """One request. `completion` is the time from arrival to completion, nan for incomplete; without it no effect is expected."""
    if outcome is None:
        outcome = Outcome.IN_FLIGHT if np.isnan(response) else Outcome.OK
    done = NAN if completion is None else arrival + completion
    expects = completion is not None if expects is None else expects
    return {
        "arrival": arrival,
        "end": arrival + response,
        "completion": done,
        "outcome": outcome,
        "pending": pending,
        "charges": charges,
        "reservations": reservations,
        "expects": expects,
        "route": route,
        "source": source,
    }


def message(how: MessageEnd = MessageEnd.PROCESSED, deliveries: int = 1) -> dict[str, Any]:
    return {"how": how, "deliveries": deliveries}


def span(arrived: float, started: float, ended: float, endpoint: str = "payments.charge") -> dict[str, Any]:
    return {"arrived": arrived, "started": started, "ended": ended, "endpoint": endpoint}


def records(
    requests: Iterable[Mapping[str, Any]] = (),
    *,
    duration: float = 100.0,
    warmup: float = 10.0,
    gauges: Mapping[str, Sequence[float]] | None = None,
    ticks: Sequence[float] | None = None,
    messages: Iterable[Mapping[str, Any]] = (),
    spans: Iterable[Mapping[str, Any]] = (),
    breakers_opened: Iterable[float] = (),
    oversold: Mapping[str, int] | None = None,
) -> Records:
    """A run. Gauges go by `component.quantity`; the kind follows from the quantity. Ticks are every tenth of the run unless given."""
    names: dict[str, int] = {}
    ticks = np.asarray(ticks if ticks is not None else np.linspace(0.0, duration, 11)[1:], dtype=float)
    columns = dict(gauges or {})
    series = [name.rpartition(".")[::2] for name in columns]
    events = [{"time": time, "kind": EventKind.BREAKER_OPENED} for time in breakers_opened]
    tables = {
        "requests": _table(REQUEST, requests, names),
        "messages": _table(MESSAGE, messages, names),
        "spans": _table(SPAN, spans, names),
        "events": _table(EVENT, events, names),
    }
    return Records(
        seed=1,
        replication=0,
        duration=duration,
        warmup=warmup,
        names=tuple(names),
        **tables,
        series=tuple(Series(component, quantity, KINDS.get(quantity, "total")) for component, quantity in series),
        ticks=ticks,
        gauges=np.array([np.broadcast_to(values, ticks.shape) for values in columns.values()], dtype=float)
        .reshape(len(columns), len(ticks))
        .T,
        books=(),
        oversold=dict(oversold or {}),
    )


def _table(dtype: np.dtype, rows: Iterable[Mapping[str, Any]], names: dict[str, int]) -> np.ndarray:
    rows = list(rows)
    table = np.zeros(len(rows), dtype)
    for field in rows[0] if rows else ():
        values = [row[field] for row in rows]
        table[field] = (
            [names.setdefault(value, len(names)) for value in values] if isinstance(values[0], str) else values
        )
    return table


def scenario(
    *,
    duration: float = 100.0,
    warmup: float = 10.0,
    objective: Mapping[str, Any] | None = None,
    faults: Sequence[Mapping[str, Any]] = (),
    ledger: Mapping[str, str] | None = None,
    **others: Any,
) -> Scenario:
    """One route to one service behind a gateway, a view of it, and a payment service that consumes a topic."""
    route = {"to": "orders.create", "completes_with": ["paid"]} | ({"objective": dict(objective)} if objective else {})
    look = [{"view_write": "mine"}, {"view_apply": "mine"}, {"view_read": "mine"}]
    create = [{"work": "5ms"}, {"publish": "order-events"}]
    document = {
        "version": 1,
        "duration": f"{duration}s",
        "warmup": f"{warmup}s",
        "traffic": {"shoppers": {"sends": ORDERS, "arrivals": {"poisson": "10/s"}}},
        "gateway": {"workers": 4, "routes": {ORDERS: route}},
        "services": {
            "orders": {"workers": 8, "endpoints": {"create": create, "look": look}},
            "payments": {
                "workers": 8,
                "endpoints": {"charge": [{"wait": "50ms"}, {"effect": "paid"}]},
                "consumes": {"order-events": {"group": "payment-group", "do": [{"perform": "payments.charge"}]}},
            },
        },
        "brokers": {"kafka": {"kind": "log", "topics": {"order-events": {"partitions": 4}}}},
        "ledger": dict(ledger or {}),
        "faults": list(faults),
        **others,
    }
    return Scenario.model_validate(document)
