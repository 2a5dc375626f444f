"""The business ledger and the messages, over the whole run."""

import math

import pytest

from sim.metrics import measure
from sim.vocabulary import MessageEnd, Outcome

from .building import NAN, message, records, request, scenario

LEDGER = {"charge": "paid", "reservation": "reserved"}


def values(requests=(), ledger=LEDGER, oversold=None, messages=(), **changes):
    return measure(records(requests, oversold=oversold, messages=messages), scenario(ledger=ledger, **changes)).values


def test_lost_is_answered_well_incomplete_and_beyond_help():
    """Pending is not lost, refused is not lost, failed is not lost; the first came in the warm-up and is lost all the same."""
    found = values(
        [
            request(5, 1, completion=NAN),
            request(20, 1, Outcome.DEGRADED, completion=NAN),
            request(20, 1, completion=NAN, pending=True),
            request(20, 1, Outcome.REFUSED, completion=NAN),
            request(20, 1, Outcome.ERROR, completion=NAN),
            request(20, completion=NAN, pending=True),
            request(20, 1, completion=3),
            request(20, 1),
        ]
    )
    assert (found["lost_orders"], found["pending_orders"]) == (2, 1)


def test_a_charge_beyond_the_first_is_a_double_charge():
    assert (
        values([request(5, 1, charges=3), request(20, 1, charges=1), request(20, 1, Outcome.TIMEOUT, charges=2)])[
            "double_charges"
        ]
        == 3
    )


def test_charged_not_reserved():
    """Only when nothing alive could still reserve."""
    found = values(
        [
            request(20, 1, charges=1),
            request(20, 1, charges=1, pending=True),
            request(20, 1, charges=1, reservations=1),
            request(20, 1),
        ]
    )
    assert found["charged_not_reserved"] == 1


@pytest.mark.parametrize("outcome", Outcome)
def test_charged_after_failure(outcome):
    """A refusal is no failure, and a request in flight was told nothing."""
    told_no_failure = outcome in (Outcome.OK, Outcome.DEGRADED, Outcome.REFUSED, Outcome.IN_FLIGHT)
    assert values([request(20, 1, outcome, charges=1), request(20, 1, outcome)])["charged_after_failure"] == (
        0 if told_no_failure else 1
    )


def test_oversold_items_add_up_over_the_services():
    assert values(oversold={"orders": 2, "inventory": 3})["oversold_items"] == 5


def test_messages():
    found = values(
        messages=[
            message(),
            message(deliveries=3),
            message(MessageEnd.DEAD_LETTERED, 10),
            message(MessageEnd.QUEUED, 0),
        ]
    )
    assert (found["messages_dead_lettered"], found["redeliveries"]) == (1, 2 + 9)


def test_what_the_scenario_does_not_speak_of_is_nan_and_not_zero():
    """`lost_orders == 0` must not pass because nobody said what completes an order."""
    found = values([request(20, 1, charges=0)], ledger={}, brokers={})
    silent = [
        "lost_orders",
        "pending_orders",
        "double_charges",
        "charged_not_reserved",
        "charged_after_failure",
        "oversold_items",
        "redeliveries",
    ]
    assert all(math.isnan(found[name]) for name in silent)
    assert math.isnan(values([request(20, 1, charges=2)], ledger={"charge": "paid"})["charged_not_reserved"])
    assert values([request(20, 1, charges=2)], ledger={"charge": "paid"})["double_charges"] == 1


def test_a_stock_that_was_never_oversold_is_zero():
    stocked = {"orders": {"workers": 1, "stock": {"items": 10}, "endpoints": {"create": [{"take": "stock"}]}}}
    assert values(services=stocked)["oversold_items"] == 0
