"""Stock that runs out under concurrent buyers."""

import pytest

from sim import testing

SHOP = """
services:
  shop: {workers: 10, stock: {items: 5}, endpoints: {buy: [{take: TAKE}, {effect: reserved}]}}
"""
ATOMIC, RACY = SHOP.replace("TAKE", "stock"), SHOP.replace("TAKE", "{stock: {check_to_write: 3ms}}")
AT_ONCE = [0.001 * k for k in range(10)]


def test_an_atomic_stock_sells_what_there_is_and_refuses_the_rest():
    played = testing.play(ATOMIC, AT_ONCE)
    assert played.outcomes() == ["ok"] * 5 + ["refused"] * 5
    assert played.records.oversold == {"shop": 0}
    assert [event.time for event in played.events("stock_ran_out")] == [0.004]
    assert not played.events("oversold")


def test_check_then_write_sells_one_unit_to_all_who_looked_before_the_first_wrote():
    """Ten buyers a millisecond apart, three milliseconds between check and write: each write undoes those of the buyers it did not see."""
    played = testing.play(RACY, AT_ONCE)
    assert played.outcomes() == ["ok"] * 10
    assert played.records.oversold == {"shop": 5}
    assert len(played.events("oversold")) == 1


def test_that_stock_ran_out_is_told_once_though_several_sell_the_last_unit():
    """Three write that none is left, at 15, 16 and 17 ms, all before the first who sees it."""
    played = testing.play(RACY, [0.001 * k for k in range(30)])
    assert played.outcomes().count("ok") == 15
    assert [event.time for event in played.events("stock_ran_out")] == [0.015]


def test_check_then_write_is_safe_as_long_as_nobody_comes_between():
    played = testing.play(RACY, [0.01 * k for k in range(10)])
    assert played.outcomes() == ["ok"] * 5 + ["refused"] * 5
    assert played.records.oversold == {"shop": 0}


@pytest.mark.parametrize(("items", "users"), [(3, "uniform"), (1, "{zipf: 1.2}")])
def test_every_kind_of_item_has_its_own_stock_and_no_kind_is_oversold_by_atomic_takes(items, users):
    played = testing.play(
        f"""
        duration: 10s
        traffic: {{clients: {{sends: shop.buy, arrivals: {{poisson: 50/s}}, items: {{count: 20, popularity: {users}}}}}}}
        services: {{shop: {{workers: 10, stock: {{items: {items}}}, endpoints: {{buy: [{{work: {{exponential: 5ms}}}}, {{take: stock}}]}}}}}}
        """
    )
    sold = played.requests.query("outcome == 'ok'")["item"].value_counts()
    wanted = played.requests.query("outcome in ('ok', 'refused')")["item"].value_counts()
    assert all(sold[item] == min(items, count) for item, count in wanted.items())


def test_a_refusal_of_the_business_is_neither_retried_nor_counted_by_the_breaker():
    played = testing.play(
        """
        services:
          orders: {workers: 1, endpoints: {create: [{call: shop.buy, policy: guarded}]}}
          shop: {workers: 1, stock: {items: 0}, endpoints: {buy: [{take: stock}]}}
        policies: {guarded: {retry: {max_attempts: 3, backoff: {constant: 0s}}, circuit_breaker: {failures: 1, within: 10s}}}
        """,
        [0.0, 0.1, 0.2],
        sends="orders.create",
    )
    assert played.outcomes() == ["refused"] * 3
    assert len(played.attempts("shop.buy")) == 3
    assert not played.events("breaker_opened")
