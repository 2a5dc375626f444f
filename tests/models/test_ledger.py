"""Charges and reservations over time: for how long an order is charged and has nothing, by hand and on both engines."""

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.metrics import measure

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

ORDER = """
duration: 20s
traffic: {clients: {sends: orders.create}}
ledger: {charge: paid, reservation: reserved, follow: true}
services: {orders: {workers: 9, endpoints: {create: DO}}}
"""
PAY, RESERVE = "[{wait: 1s}, {effect: paid}]", "[{wait: 2s}, {effect: reserved}]"


def play(do, arrivals=(0.0,)):
    return testing.play_on_both(ORDER.replace("DO", do), list(arrivals))


def window(played):
    return measure(played.records, played.scenario).values["not_reserved_mean"]


def levels(played):
    place = next(k for k, its in enumerate(played.records.series) if its.quantity == "charged_not_reserved")
    return [round(float(level), 9) for level in played.records.gauges[:, place]]


def test_an_order_is_open_from_its_charge_to_its_reservation():
    """From 1 s to 3 s, and the next from 5.5 s to 7.5 s: averages over each second."""
    played = play(f"[{PAY[1:-1]}, {RESERVE[1:-1]}]", [0.0, 4.5])
    assert window(played) == pytest.approx(2.0)
    assert levels(played)[1:10] == [0.0, 1.0, 1.0, 0.0, 0.0, 0.5, 1.0, 0.5, 0.0]


def test_who_pays_and_gets_nothing_is_open_until_the_end():
    assert window(play(f"[{PAY[1:-1]}, {{fail: 100%}}, {{effect: reserved}}]")) == pytest.approx(20.0 - 1.0)


def test_a_saga_opens_again_what_it_undoes_until_the_money_is_back():
    """Paid at 1 s, reserved at 3; released at 3 + 3 s, paid back at 6 + 4 s: 2 s, and then 4 s."""
    steps = [
        f"{{do: {PAY}, undo: [{{wait: 4s}}, {{retract: paid}}]}}",
        f"{{do: {RESERVE}, undo: [{{wait: 3s}}, {{retract: reserved}}]}}",
        "{do: [{fail: 100%}]}",
    ]
    played = play(f"[{{saga: [{', '.join(steps)}]}}]")
    assert window(played) == pytest.approx((2.0 + 4.0) / 2)
    assert levels(played)[1:12] == [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0]


def test_reserved_first_is_never_open():
    assert window(play(f"[{RESERVE[1:-1]}, {PAY[1:-1]}]")) == 0.0


def test_what_follows_one_to_the_other_needs_both():
    with pytest.raises(ScenarioError, match="found `follow` without `charge` and `reservation`"):
        testing.play(ORDER.replace("reservation: reserved, ", "").replace("DO", PAY), [0.0])
