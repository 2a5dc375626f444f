"""A lock is a queue with one place for each key: its waits against the theory of M/G/1."""

import numpy as np
import pytest

from tests.laws.systems import run

SHOP = """
version: 1
duration: 4000s
record: {interval: 10s}
traffic: {clients: {sends: shop.buy, arrivals: {poisson: 40/s}, items: {count: 1}}}
services: {shop: {workers: unlimited, endpoints: {buy: [{lock: stock, key: item, do: [{wait: 15ms}]}]}}}
"""
HELD = "services.shop.endpoints.buy.0.do.0.wait"


@pytest.mark.parametrize(
    ("held", "scv"), [("15ms", 0.0), ("{exponential: 15ms}", 1.0), ("{gamma: {mean: 15ms, cv: 2}}", 4.0)]
)
def test_the_wait_for_one_key_is_that_of_pollaczek_and_khinchine(held, scv):
    """W = rho h (1 + c^2) / (2 (1 - rho)), with rho = 40/s * 15 ms = 0.6."""
    made = run(SHOP, f"{HELD}={held}")
    expected = 0.6 * 0.015 * (1.0 + scv) / (2.0 * (1.0 - 0.6))
    assert np.mean(made.response) - 0.015 == pytest.approx(expected, rel=0.06)
    assert np.mean(made.records.gauge("shop", "locks_held stock")) == pytest.approx(0.6, rel=0.03)
    waiting = np.mean(made.records.gauge("shop", "lock_waiting stock"))
    assert waiting == pytest.approx(40.0 * expected, rel=0.25)  # Little; a level, seen 400 times


def test_keys_that_are_equally_popular_are_queues_of_their_own():
    """Ten keys: each is M/D/1 at a tenth of the rate."""
    made = run(SHOP, "traffic.clients.items.count=10", "traffic.clients.arrivals.poisson=400/s", "duration=500s")
    assert np.mean(made.response) - 0.015 == pytest.approx(0.6 * 0.015 / (2.0 * (1.0 - 0.6)), rel=0.06)
