"""More load than capacity: what asynchrony can hide, and what the choice of the traffic model can hide."""

from itertools import pairwise

import numpy as np

from sim import testing

# Payments can do 2 x 10 / 0.1 s = 200/s at best; 250/s come.
ORDERS = """
duration: 60s
traffic: {shoppers: {sends: orders.create, arrivals: {poisson: 250/s}, completes_with: [captured]}}
services:
  orders: {workers: unlimited, endpoints: {create: [{work: 2ms}, {effect: created}, CHARGE]}}
  payments:
    replicas: 2
    workers: 10
    endpoints: {charge: [{work: {exponential: 100ms}}, {effect: captured}]}
    consumes: {CONSUMES}
brokers: {kafka: {kind: log, topics: {order-events: {partitions: 20}}}}
record: {spans: none}
"""
SYNC = ORDERS.replace("CHARGE", "{call: payments.charge}").replace("CONSUMES", "")
ASYNC = ORDERS.replace("CHARGE", "{publish: order-events, via: outbox}").replace(
    "CONSUMES", "order-events: {group: g, consumers: 10, auto_offset_reset: earliest, do: [{perform: payments.charge}]}"
)


def test_asynchrony_adds_no_capacity_it_only_moves_the_waiting_behind_the_answer():
    """Answers stay as fast as ever while the time to completion grows by a fifth of a second with every second of overload."""
    requests = testing.play(ASYNC).requests
    assert requests["response"].max() < 0.01
    done = requests.dropna(subset="completion")
    growth = [
        done[(done["completion"] >= t) & (done["completion"] < t + 10)]["completion_time"].mean()
        for t in range(10, 60, 10)
    ]
    assert all(later > earlier + 1.0 for earlier, later in pairwise(growth))


def test_sync_and_async_complete_the_same_orders_per_second():
    counts = [np.isfinite(testing.play(system).records.requests["completion"]).sum() for system in (SYNC, ASYNC)]
    assert 0.95 < counts[1] / counts[0] < 1.05
    assert 195 < counts[0] / 60 < 205


def test_in_the_sync_variant_the_client_sees_the_overload():
    requests = testing.play(SYNC).requests
    assert requests.query("50 <= end")["response"].mean() > 7.0


SHOP = """
duration: 60s
traffic: {clients: {sends: shop.buy, arrivals: ARRIVALS}}
services: {shop: {workers: 4, endpoints: {buy: [{work: 100ms}]}}}
faults: [{at: 20s, for: 20s, slow: {of: shop, by: 4x}}]
record: {spans: none}
"""


def test_closed_users_throttle_themselves_and_so_hide_what_open_arrivals_show():
    """Twelve users without thought keep four workers busy, and no queue is ever longer than eight; open arrivals of 30/s pile up."""
    closed = testing.play(SHOP.replace("ARRIVALS", "{closed: {users: 12, think: 0s}}"))
    opened = testing.play(SHOP.replace("ARRIVALS", "{deterministic: 30/s}"))
    assert closed.requests["response"].max() < 12 / 4 * 0.4 + 1e-9
    assert opened.requests["response"].max() > 10.0
    slow = closed.requests.query("21 <= arrival < 39")
    assert len(slow) / 18 < 12  # they send less: four workers at 0.4 s answer ten a second
    assert len(opened.requests.query("21 <= arrival < 39")) / 18 > 29


def test_a_closed_user_never_has_two_requests_at_once():
    requests = testing.play(SHOP.replace("ARRIVALS", "{closed: {users: 3, think: {exponential: 50ms}}}")).requests
    for _, own in requests.groupby(requests["number"] % 3):
        assert (own["arrival"].to_numpy()[1:] >= own["end"].to_numpy()[:-1]).all()
