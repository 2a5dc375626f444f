"""Two-phase commit: a coordinator that dies between prepare and commit leaves its participants' locks behind."""

import pytest

from sim import testing

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

ORDERS = """
version: 1
duration: 60s
traffic: {shoppers: {sends: orders.buy, items: {count: 1}}, others: {sends: orders.other}}
services:
  orders:
    replicas: 2
    workers: 20
    endpoints:
      buy: [{lock: stock-rows, key: item, timeout: 2s, held_after_crash: BACK, do: [BOTH]}]
      other: [BOTH]
  payments: {workers: 20, endpoints: {prepare: [{work: 100ms}], commit: [{work: 50ms}]}}
  stock: {workers: 20, endpoints: {prepare: [{work: 60ms}], commit: [{work: 20ms}]}}
faults: [{at: 1130ms, crash: {of: orders, replicas: 1, restart_after: 20s}}]
"""
PHASES = "{parallel: [[{call: payments.prepare}], [{call: stock.prepare}]]}, {parallel: [[{call: payments.commit}], [{call: stock.commit}]]}"


def play(back, shoppers, others=()):
    text = ORDERS.replace("BOTH", PHASES).replace("BACK", back)
    return testing.play_on_both(text, {"shoppers": shoppers, "others": list(others)})


def test_all_that_want_the_same_are_blocked_until_the_coordinator_is_back():
    """Prepared at 1.1, it dies at 1.13; back and decided 25 s later, at 26.13. Who comes meanwhile gives up after 2 s,
    whatever replica he comes to; who has come at 26.0 has the lock at 26.13, and both phases take 150 ms.
    """
    played = play("25s", [1.0, 1.2, 10.0, 26.0], [12.0])
    assert played.outcomes("shoppers") == ["unreachable", "lock_timeout", "lock_timeout", "ok"]
    assert [round(response, 9) for response in played.responses("shoppers")] == [0.13, 2.0, 2.0, 0.28]
    assert played.responses("others") == [pytest.approx(0.15)], "another row is in nobody's way"


def test_a_coordinator_that_is_rolled_back_at_once_blocks_nobody():
    """As when it holds its own transaction and no participant has promised anything."""
    played = play("0s", [1.0, 1.2, 10.0, 26.0])
    assert played.outcomes("shoppers") == ["unreachable", "ok", "ok", "ok"]
