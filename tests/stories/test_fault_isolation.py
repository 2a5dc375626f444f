"""What a dependency that goes dark takes down with it, called directly and by events."""

import pytest

from sim import testing

SHOP = """
duration: 60s
traffic:
  shoppers: {sends: orders.create, arrivals: {deterministic: 20/s}, completes_with: [created, captured]}
  browsers: {sends: orders.browse, arrivals: {deterministic: 20/s}}
services:
  orders:
    workers: 8
    endpoints:
      browse: [{work: 5ms}]
      create: [{work: 5ms}, {effect: created}, CHARGE]
  payments:
    workers: 8
    endpoints: {charge: [{work: 50ms}, {effect: captured}]}
    consumes: {CONSUMES}
policies: {provider: {timeout: 2s}}
brokers: {kafka: {kind: log, topics: {order-events: {partitions: 4}}}}
ledger: {charge: captured}
faults: [{at: 10s, for: 20s, outage: payments, how: hang}]
record: {spans: none}
"""
SYNC = SHOP.replace("CHARGE", "{call: payments.charge, policy: provider}").replace("CONSUMES", "")
ASYNC = SHOP.replace("CHARGE", "{publish: order-events, via: outbox}").replace(
    "CONSUMES",
    "order-events: {group: payment-group, consumers: 4, auto_offset_reset: earliest, do: [{perform: payments.charge}]}",
)


def during(frame, source, begin, end):
    return frame[(frame["source"] == source) & (frame["arrival"] >= begin) & (frame["arrival"] < end)]


def test_a_hanging_payment_fills_the_order_threads_and_takes_an_unrelated_route_down_with_it():
    """8 threads, 20 orders a second: 0.4 s after the outage begins they all wait for payment, and nobody can browse."""
    requests = testing.play(SYNC).requests
    before, dark = during(requests, "browsers", 0, 9.9), during(requests, "browsers", 10.45, 19)
    assert before["response"].max() < 0.02
    assert dark["response"].min() > 0.3  # it uses nothing that is broken, and waits for a thread all the same
    assert dark["response"].max() > 5.0


def test_events_keep_a_hanging_payment_away_from_unrelated_routes_and_from_orders():
    requests = testing.play(ASYNC).requests
    assert requests["response"].max() < 0.02
    assert set(requests["outcome"]) == {"ok"}


def test_orders_stay_valid_while_payment_is_down_and_are_all_complete_soon_after_it_returns():
    """The article's fault isolation: 400 orders wait in the log, 80 payments a second catch up, none is lost or charged twice."""
    played = testing.play(ASYNC)
    orders = during(played.requests, "shoppers", 0, 59)
    assert orders["completion"].notna().all()
    assert (orders["charges"] == 1).all()
    dark = during(orders, "shoppers", 10, 29.8)
    assert dark["completion"].min() > 30.0 - 0.3  # what was polled before the outage is finished after it
    done = during(orders, "shoppers", 0, 30)["completion"].max()
    backlog, capacity, arrivals = 20 * 20, 4 / 0.05, 20
    assert done == pytest.approx(30 + backlog / (capacity - arrivals), abs=3.0)


def test_a_chain_of_calls_fails_the_orders_that_meet_the_outage():
    requests = testing.play(SYNC).requests
    dark = during(requests, "shoppers", 10.5, 13)
    assert set(dark["outcome"]) == {"timeout"}
    assert set(dark["where"]) == {"payments.charge"}
    after = during(requests, "shoppers", 45, 59)
    assert set(after["outcome"]) == {"ok"}


def test_what_hung_is_worked_off_after_the_restore_for_callers_who_gave_up():
    """The client was told that the order failed, and is charged all the same: nobody called the work back."""
    played = testing.play(SYNC)
    failed = during(played.requests, "shoppers", 10.5, 13)
    failed = failed[failed["outcome"] == "timeout"]
    assert len(failed) > 0
    assert (failed["charges"] == 1).all()
    assert (failed["completion"] >= 30.0).all()
