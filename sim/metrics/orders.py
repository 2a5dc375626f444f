"""The business ledger and the messages: what was lost, charged twice, oversold. These count the whole run: harm done in the warm-up is harm.

A figure about which the scenario says nothing (no order expects effects, no effect is the charge, no service has stock) is nan, not zero: an
expectation that it be zero must not pass unseen.
"""

from __future__ import annotations

import math

import numpy as np

from sim.metrics.sample import Sample
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.vocabulary import MessageEnd, Outcome

TOLD_NO_FAILURE = (Outcome.OK, Outcome.DEGRADED, Outcome.REFUSED, Outcome.IN_FLIGHT)


def business(records: Records, scenario: Scenario, everyone: Sample) -> dict[str, float]:
    """The figures of the ledger. `everyone` are all requests of the run."""
    return {**_orders(everyone), **_charges(records, scenario, everyone), "oversold_items": _oversold(records, scenario), **_messages(records, scenario)}


def _orders(everyone: Sample) -> dict[str, float]:
    incomplete = everyone.good & everyone.expects & np.isnan(everyone.completion)
    said = bool(everyone.expects.any())
    return {
        "lost_orders": _count(incomplete & ~everyone.pending, said),
        "pending_orders": _count(incomplete & everyone.pending, said),
    }


def _charges(records: Records, scenario: Scenario, everyone: Sample) -> dict[str, float]:
    charges, reservations = records.requests["charges"], records.requests["reservations"]
    charge, reservation = scenario.ledger.charge is not None, scenario.ledger.reservation is not None
    charged = charges > 0
    return {
        "double_charges": float(np.maximum(charges.astype(np.int64) - 1, 0).sum()) if charge else math.nan,
        "charged_not_reserved": _count(charged & (reservations == 0) & ~everyone.pending, charge and reservation),
        "charged_after_failure": _count(charged & ~everyone.ended(*TOLD_NO_FAILURE), charge),
    }


def _oversold(records: Records, scenario: Scenario) -> float:
    stocked = records.oversold or any(service.stock is not None for service in scenario.services.values())
    return float(sum(records.oversold.values())) if stocked else math.nan


def _messages(records: Records, scenario: Scenario) -> dict[str, float]:
    said = bool(scenario.brokers) or bool(records.messages.size)
    deliveries = records.messages["deliveries"].astype(np.int64)
    return {
        "messages_dead_lettered": _count(records.messages["how"] == MessageEnd.DEAD_LETTERED, said),
        "redeliveries": float(np.maximum(deliveries - 1, 0).sum()) if said else math.nan,
    }


def _count(mask: np.ndarray, said: bool) -> float:
    return float(mask.sum()) if said else math.nan
