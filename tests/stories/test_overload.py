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
    """Answers stay as fast as ever while the time to completion grows by a fifth of a second with every second of
    overload.
    """
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
    """Twelve users without thought keep four workers busy, and no queue is ever longer than eight; open arrivals of
    30/s pile up.
    """
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


IMPATIENT = """
duration: 40s
traffic: {buyers: {sends: shop.buy, timeout: 500ms, arrivals: {poisson: 20/s}}, lookers: {sends: shop.look, timeout: 500ms, arrivals: {poisson: 130/s}}}
services:
  shop: {workers: 10, queue: {QUEUE}, endpoints: {buy: [{work: {exponential: 100ms}}], look: [{work: {exponential: 100ms}}]}}
record: {spans: none}
"""  # half as much again as ten workers of 100 ms can do


def goodput(queue, source=None):
    """Answers in time per second, in the second half."""
    requests = testing.play(IMPATIENT.replace("QUEUE", queue)).requests.query("arrival >= 20 and outcome == 'ok'")
    return len(requests if source is None else requests[requests["source"] == source]) / 20


def test_the_newest_first_saves_the_goodput_of_an_overload_and_first_come_first_served_does_not():
    """In a queue that only grows everybody waits for longer than he cares to; the newest has just come. CoDel keeps the
    queue short, and does nearly as well.
    """
    fifo, lifo = goodput("discipline: fifo"), goodput("discipline: lifo")
    assert fifo < 10
    assert lifo > 80
    assert goodput("discipline: adaptive_lifo") > 0.95 * lifo
    assert goodput("discipline: codel, target: 50ms") > 0.85 * lifo


def test_a_class_of_its_own_keeps_checkout_alive():
    """All twenty of its requests a second, whatever browsing does; a short queue that pushes browsers out keeps these
    alive too, as far as there are workers.
    """
    words = "discipline: priority, classes: {buy: 0, look: 1}"
    assert goodput("discipline: fifo", "buyers") < 2
    assert goodput(words, "buyers") > 19
    assert goodput(words, "lookers") < 10
    short = f"{words}, capacity: 20, push_out: true"
    assert goodput(short, "buyers") > 19
    assert goodput(short, "lookers") > 65
