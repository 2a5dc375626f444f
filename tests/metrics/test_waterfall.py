"""Waterfalls of requests whose every moment is known, and of systems made at random."""

import math

import numpy as np
import pytest

from sim.metrics.waterfall import CALLEE, slowest, waterfall
from sim.metrics.ways import PARTS
from sim.models import simulate
from sim.spec import load_document
from sim.testing import play
from tests.metrics.random_systems import random_system


def way_of(system, arrivals):
    records = play(system, arrivals, sends="shop.buy").records
    return waterfall(records, slowest(records))


def shown(bar):
    """(name, depth, try, [(what, from ms, to ms)], outcome, given up at ms)"""
    pieces = [(piece.what, round(piece.begin * 1e3), round(piece.end * 1e3)) for piece in bar.pieces]
    return (
        bar.name,
        bar.depth,
        bar.number,
        pieces,
        bar.outcome,
        None if math.isnan(bar.given_up) else round(bar.given_up * 1e3),
    )


RETRIES = """
services:
  shop: {workers: 5, endpoints: {buy: [{work: 10ms}, {call: bank.pay, policy: {timeout: 50ms, retry: {max_attempts: 2, backoff: {constant: 20ms}}}}]}}
  bank: {workers: 1, endpoints: {pay: [{work: 40ms}]}}
network: {default: {latency: 1ms}}
"""


def test_a_retry_is_a_bar_of_its_own_below_the_attempt_that_was_given_up():
    """The second of two waits for the first in the queue of the bank, longer than its caller does."""
    way = way_of(RETRIES, [0.0, 0.0])
    assert (way.number, way.outcome) == (1, "timeout")
    assert round(way.response * 1e3) == 130
    assert [shown(bar) for bar in way.bars] == [
        (
            "shop.buy",
            0,
            1,
            [("work", 0, 10), ("callee", 10, 60), ("backoff", 60, 80), ("callee", 80, 130)],
            "timeout",
            None,
        ),
        ("bank.pay", 1, 1, [("network", 10, 11), ("queue", 11, 51), ("work", 51, 91)], "ok", 60),
        ("bank.pay", 1, 2, [("network", 80, 81), ("queue", 81, 91), ("work", 91, 131)], "ok", 130),
    ]


def test_what_branches_do_is_done_by_their_attempt_and_what_they_call_stands_below_it():
    system = """
services:
  shop: {workers: 1, endpoints: {buy: [{parallel: [[{call: bank.pay}], [{wait: 30ms}]]}, {work: 5ms}]}}
  bank: {workers: 1, endpoints: {pay: [{work: 20ms}]}}
"""
    assert [shown(bar) for bar in way_of(system, [0.0]).bars] == [
        ("shop.buy", 0, 1, [("callee", 0, 30), ("wait", 0, 30), ("work", 30, 35)], "ok", None),
        ("bank.pay", 1, 1, [("work", 0, 20)], "ok", None),
    ]


def test_an_attempt_that_has_answered_was_not_given_up():
    way = way_of("services: {shop: {workers: 1, endpoints: {buy: [{work: 10ms}, {reply: {}}, {work: 90ms}]}}}", [0.0])
    assert round(way.response * 1e3) == 10
    assert [shown(bar) for bar in way.bars] == [("shop.buy", 0, 1, [("work", 0, 10), ("work", 10, 100)], "ok", None)]


def test_a_publication_travels_and_waits_for_replicas_and_what_consumers_do_is_not_on_the_way():
    system = """
services:
  shop: {workers: 1, endpoints: {buy: [{publish: orders}]}}
  mail: {workers: 1, endpoints: {}, consumes: {orders: {group: mail, do: [{call: clerk.note}]}}}
  clerk: {workers: 1, endpoints: {note: [{work: 1ms}]}}
brokers: {kafka: {kind: log, acks: all, replication: 5ms, topics: {orders: {partitions: 1}}}}
network: {default: {latency: 2ms}}
"""
    assert [shown(bar) for bar in way_of(system, [0.0]).bars] == [
        ("shop.buy", 0, 1, [("callee", 0, 9)], "ok", None),
        ("orders", 1, 1, [("network", 0, 2), ("replication", 2, 7), ("network", 7, 9)], "", None),
    ]


def test_an_attempt_that_was_lost_travels_until_its_caller_gives_up():
    system = """
services:
  shop: {workers: 1, endpoints: {buy: [{call: bank.pay, policy: {timeout: 50ms}}]}}
  bank: {workers: 1, endpoints: {pay: [{work: 20ms}]}}
faults: [{name: cut, at: 0s, network: {between: [shop, bank], partition: true}}]
"""
    assert [shown(bar) for bar in way_of(system, [0.0]).bars] == [
        ("shop.buy", 0, 1, [("callee", 0, 50)], "timeout", None),
        ("bank.pay", 1, 1, [("network", 0, 50)], "", None),
    ]


def test_the_slowest_is_of_those_after_the_warm_up_and_the_first_by_id_among_equals():
    system = "warmup: 1s\nduration: 9s\nservices: {shop: {workers: 1, endpoints: {buy: [{work: 100ms}]}}}"
    assert way_of(system, [0.0, 0.0, 0.0, 2.0, 2.0, 4.0, 4.0]).number == 4
    assert slowest(play(system, [0.0]).records) is None
    assert slowest(play(system + "\nrecord: {spans: none}", [2.0]).records) is None


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12))
def test_random_systems_have_no_bar_that_is_not_in_order(seed):
    document = random_system(seed)
    records = simulate(next(iter(load_document(document).variants.values())), 0)
    requests = records.requests
    rows = np.flatnonzero(~np.isnan(requests["end"]) & np.isin(requests["id"], records.stages["request"]))
    assert rows.size
    for row in rows.tolist():
        way = waterfall(records, requests[row])
        flows = records.stages[records.stages["request"] == requests["id"][row]]
        assert len(way.bars) == np.isin(flows["kind"], (0, 1)).sum(), "an attempt of every call there was"
        for bar in way.bars:
            assert all(piece.end >= piece.begin for piece in bar.pieces)
            assert {piece.what for piece in bar.pieces} <= {*PARTS, CALLEE}
            assert bar.begin == min(piece.begin for piece in bar.pieces) > -1e-9
            assert math.isnan(bar.given_up) or bar.begin <= bar.given_up <= bar.end
