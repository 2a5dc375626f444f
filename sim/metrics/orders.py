"""The business ledger and the messages: what was lost, charged twice, oversold. These count the whole run: harm done in
the warm-up is harm.

A figure about which the scenario says nothing (no order expects effects, no effect is the charge, no service has stock)
is nan, not zero: an expectation that it be zero must not pass unseen.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.metrics.sample import Sample
from sim.records.counted import Counted, Mask, Orders, deliveries, ledger
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.vocabulary import MessageEnd, Outcome

TOLD_NO_FAILURE = (Outcome.OK, Outcome.DEGRADED, Outcome.REFUSED, Outcome.IN_FLIGHT)


def business(records: Records, scenario: Scenario, everyone: Sample) -> dict[str, float]:
    """The figures of the ledger. `everyone` are all requests of the run."""
    return {
        **_orders(everyone.orders),
        **_charges(records, scenario),
        "oversold_items": _oversold(records, scenario),
        **_messages(records, scenario),
        "dropped_iterations": _dropped(records, scenario),
        "not_reserved_mean": _not_reserved(records, scenario),
    }


def _orders(orders: Orders) -> dict[str, float]:
    said = bool(orders.size)
    return {
        "lost_orders": _count(orders, orders.promised & ~orders.pending, said),
        "pending_orders": _count(orders, orders.promised & orders.pending, said),
    }


def _charges(records: Records, scenario: Scenario) -> dict[str, float]:
    charge, reservation = scenario.ledger.charge is not None, scenario.ledger.reservation is not None
    if not charge:
        return dict.fromkeys(("double_charges", "charged_not_reserved", "charged_after_failure"), math.nan)
    book = ledger(records)
    charged = book.charges > 0
    return {
        "double_charges": _beyond_the_first(book, book.charges, charge),
        "charged_not_reserved": _count(book, charged & (book.reservations == 0) & ~book.pending, reservation),
        "charged_after_failure": _count(book, charged & ~np.isin(book.outcome, TOLD_NO_FAILURE), charge),
    }


def _oversold(records: Records, scenario: Scenario) -> float:
    stocked = records.oversold or any(service.stock is not None for service in scenario.services.values())
    return float(sum(records.oversold.values())) if stocked else math.nan


def _not_reserved(records: Records, scenario: Scenario) -> float:
    """By Little's law: order-seconds over orders, the whole run."""
    if not scenario.ledger.follow:
        return math.nan
    columns = {series.quantity: place for place, series in enumerate(records.series) if series.component == "ledger"}
    lengths = np.diff(records.ticks, prepend=0.0)
    seconds = float((records.gauges[:, columns["charged_not_reserved"]] * lengths).sum())
    orders = records.gauges[-1, columns["ever_charged_not_reserved"]]
    return seconds / float(orders) if orders else 0.0


def _dropped(records: Records, scenario: Scenario) -> float:
    """What the books of traffic say that no virtual user was free for."""
    if all(traffic.virtual_users is None for traffic in scenario.traffic.values()):
        return math.nan
    return float(sum(book.ended.get("dropped_iterations", 0) for book in records.books))


def _messages(records: Records, scenario: Scenario) -> dict[str, float]:
    messages = deliveries(records)
    said = bool(scenario.brokers) or bool(messages.how.size)
    return {
        "messages": _count(messages, np.ones(messages.how.size, dtype=bool), said),
        "messages_dead_lettered": _count(messages, messages.how == MessageEnd.DEAD_LETTERED, said),
        "redeliveries": _beyond_the_first(messages, messages.deliveries, said),
    }


def _count(lines: Counted, mask: Mask, said: bool) -> float:
    return float(lines.total(mask)) if said else math.nan


def _beyond_the_first(lines: Counted, times: NDArray[np.integer], said: bool) -> float:
    """How often something happened again, all lines together."""
    again = np.maximum(times.astype(np.int64) - 1, 0)
    return float((again if lines.count is None else again * lines.count).sum()) if said else math.nan
