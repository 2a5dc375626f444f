"""Exactly once inside of Kafka, and outside of it as often as a record is handled."""

import pytest

from sim import testing

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each
SYSTEM = """
duration: 200s
traffic: {clients: {sends: shop.buy, completes_with: [shipped]}}
services:
  shop: {workers: unlimited, endpoints: {buy: [{publish: orders}]}}
  payments:
    workers: 1
    consumes:
      orders:
        {group: payments, auto_offset_reset: earliest, TRANSACTION,
         do: [{effect: charged}, {publish: payments}, {wait: 500ms, per: request}]}
  shipping:
    workers: 1
    consumes: {payments: {group: shipping, auto_offset_reset: earliest, isolation: ISOLATION, do: [{effect: shipped}]}}
brokers: {kafka: {kind: log, PRODUCER, topics: {orders: {}, payments: {}}}}
network: {default: {latency: 1ms}}
ledger: {charge: charged}
faults: [{at: 1200ms, crash: {of: payments, replicas: 1RESTART}}]
"""


def play(transaction, isolation="read_committed", producer="acks: all", restart=", restart_after: 5s", arrivals=(1.0,)):
    text = SYSTEM.replace("TRANSACTION", transaction).replace("ISOLATION", isolation).replace("PRODUCER", producer)
    return testing.play_on_both(text.replace("RESTART", restart), list(arrivals))


def ends(played, topic="payments"):
    frame = played.records.message_frame()
    return frame[frame["topic"] == topic].sort_values("offset")["how"].tolist()


@pytest.mark.parametrize("producer", ["acks: all", "producer: {linger: 0s}"])
def test_what_was_published_before_the_crash_is_shipped_once_and_charged_twice(producer):
    """The payment is published at once, and handling goes on for half a second more, in which the service crashes."""
    played = play("transaction: 60s", producer=producer)
    assert ends(played) == ["dropped", "processed"], "that of the aborted transaction is passed over"
    assert played.requests["charges"].tolist() == [2], "a charge is an effect outside of the log"


def test_without_a_transaction_it_is_shipped_twice():
    assert ends(play("commit: batch")) == ["processed", "processed"]


def test_who_reads_uncommitted_records_ships_twice_all_the_same():
    assert ends(play("transaction: 60s", "read_uncommitted")) == ["processed", "processed"]


def test_a_committed_record_is_seen_after_two_round_trips_of_the_commit():
    """Ordered: at the broker 1 ms later, with the consumer after one more; its payment is acknowledged after 2 ms; half
    a second of work, four hops of the commit, one to the next consumer.
    """
    played = play("transaction: 60s", arrivals=[20.0])
    assert played.completions() == [pytest.approx(0.001 + 0.001 + 0.002 + 0.5 + 0.004 + 0.001)]


@pytest.mark.parametrize(("restart", "seen"), [(", restart_after: 5s", 6.2), ("", 20.0)])
def test_a_transaction_left_open_holds_back_the_readers_behind_it(restart, seen):
    """Until the consumer is back and fences the one that died; else until its ten seconds are over, at the next look, every ten.

    A shop that publishes to the same topic waits meanwhile.
    """
    text = SYSTEM.replace("TRANSACTION", "transaction: 10s").replace("ISOLATION", "read_committed")
    text = text.replace("PRODUCER", "acks: all").replace("RESTART", restart)
    text = text.replace("buy: [{publish: orders}]", "buy: [{publish: orders}], gift: [{publish: payments}]")
    buyers = "traffic: {clients: {sends: shop.buy, completes_with: [shipped]}}"
    both = "traffic: {buyers: {sends: shop.buy}, givers: {sends: shop.gift, completes_with: [shipped]}}"
    text = text.replace(buyers, both)
    played = testing.play_on_both(text, {"buyers": [1.0], "givers": [2.0]})
    (completion,) = played.completions("givers")
    assert 2.0 + completion == pytest.approx(seen, abs=0.01)


SLOW = """
duration: 300s
traffic: {clients: {sends: shop.buy}, givers: {sends: shop.gift, completes_with: [shipped]}}
services:
  shop: {workers: unlimited, endpoints: {buy: [{publish: orders}], gift: [{publish: payments}]}}
  payments:
    workers: 1
    consumes:
      orders:
        {group: payments, auto_offset_reset: earliest, transaction: 25s, max_deliveries: 3,
         do: [{effect: charged}, {publish: payments}, {wait: WAIT}LAST]}
  shipping:
    workers: 1
    consumes: {payments: {group: shipping, auto_offset_reset: earliest, isolation: read_committed, do: [{effect: shipped}]}}
brokers: {kafka: {kind: log, PRODUCER, topics: {orders: {}, payments: {}}}}
network: {default: {latency: 1ms}}
ledger: {charge: charged}
"""
BY_ITSELF, BY_PRODUCER = "acks: all", "producer: {linger: 0s}"


def slow(wait, producer, last=""):
    """An order at 1 s, with its consumer at 1.002 s, whose transaction begins at the broker at 1.003 s; and a gift at 2 s."""
    text = SLOW.replace("WAIT", wait).replace("PRODUCER", producer).replace("LAST", last)
    return testing.play_on_both(text, {"clients": [1.0], "givers": [2.0]})


def read(played, topic):
    frame = played.records.message_frame()
    return frame[frame["topic"] == topic].sort_values("offset")


@pytest.mark.parametrize("producer", [BY_ITSELF, BY_PRODUCER])
def test_a_transaction_that_is_open_for_too_long_is_aborted_though_its_producer_lives(producer):
    """Its 25 s are over at 26.003 s, and the broker looks at 30 s. The consumer is done at 41.004 s, hears 2 ms later that it is
    fenced, and begins anew: two more transactions of 40 s are aborted, and then the order is a dead letter.
    """
    played = slow("40s", producer)
    payments = read(played, "payments")
    assert payments["how"].tolist() == ["dropped", "processed", "dropped", "dropped"], "the second is the gift"
    assert payments["end"].tolist() == [pytest.approx(end) for end in (30.0, 30.001, 70.0, 110.0)]
    (order,) = read(played, "orders").itertuples()
    assert (order.how, order.deliveries) == ("dead_lettered", 3)
    assert order.end == pytest.approx(1.002 + 3 * (0.002 + 40.0 + 0.002))
    assert played.requests["charges"].tolist()[0] == 3


@pytest.mark.parametrize("producer", [BY_ITSELF, BY_PRODUCER])
def test_who_commits_before_the_broker_looks_is_in_time(producer):
    """Open for longer than its 25 s, at 28.004 s; the next look is at 30 s."""
    played = slow("27s", producer)
    assert read(played, "orders")["how"].tolist() == ["processed"]
    assert read(played, "payments")["end"].tolist() == [pytest.approx(1.002 + 0.002 + 27.0 + 0.004 + 0.001)] * 2


@pytest.mark.parametrize("producer", [BY_ITSELF, BY_PRODUCER])
def test_what_is_published_in_a_transaction_that_was_aborted_is_refused_and_not_tried_again(producer):
    """At 41.004 s: the consumer hears of it 2 ms later, and the record has failed."""
    played = slow("40s", producer, ", {publish: payments}")
    assert read(played, "payments")["how"].tolist() == ["dropped", "processed", "dropped", "dropped"]
    (order,) = read(played, "orders").itertuples()
    assert (order.how, order.end) == ("dead_lettered", pytest.approx(1.002 + 3 * (0.002 + 40.0 + 0.002)))


@pytest.mark.parametrize(("commits", "copies"), [("transaction: 60s", 1), ("commit: record", 2)])
def test_a_publication_in_a_transaction_is_known_again_when_its_answer_was_lost(commits, copies):
    """The wire is cut while the answer is on its way; after 30 s (request.timeout.ms) it is published again."""
    text = SLOW.replace("WAIT", "1ms").replace("PRODUCER", BY_ITSELF).replace("LAST", "")
    text = text.replace("transaction: 25s", commits)
    text += "faults: [{at: 1002.5ms, for: 1s, network: {between: [payments, kafka], partition: true}}]"
    played = testing.play_on_both(text, {"clients": [1.0], "givers": []})
    assert read(played, "orders")["how"].tolist() == ["processed"]
    assert 31.0 < read(played, "orders")["end"].iloc[0] < 31.3
    assert read(played, "payments")["how"].tolist() == ["processed"] * copies


def test_a_publication_that_is_known_again_waits_for_its_replicas_as_the_first_try_did():
    """They need 5 s, and each try waits for 2 s: the third hears it, one hop after the record is replicated at 6.003 s."""
    text = SLOW.replace("WAIT", "1ms").replace("PRODUCER", "replication: 5s").replace("LAST", "")
    text = text.replace("payments: {}}", "payments: {replication_factor: 3}}").replace("orders: {}", "orders: {}")
    retry = "policy: {timeout: 2s, retry: {max_attempts: 5, backoff: {constant: 100ms}}}"
    text = text.replace("{publish: payments}, {wait", f"{{publish: payments, {retry}}}, {{wait")
    played = testing.play_on_both(text, {"clients": [1.0], "givers": []})
    (order,) = read(played, "orders").itertuples()
    assert (order.how, order.end) == (
        "processed",
        pytest.approx(order.available + 0.001 + 0.001 + 5.0 + 0.001 + 0.001 + 0.004),
    )
    assert len(read(played, "payments")) == 1


def test_what_a_branch_publishes_is_a_part_of_the_transaction_too():
    """The payment is published in a branch, beside half a second of work in which the service crashes."""
    text = SYSTEM.replace("TRANSACTION", "transaction: 60s").replace("ISOLATION", "read_committed")
    text = text.replace("PRODUCER", BY_ITSELF).replace("RESTART", ", restart_after: 5s")
    steps = "{parallel: [[{publish: payments}], [{wait: 500ms, per: request}]]}"
    text = text.replace("{publish: payments}, {wait: 500ms, per: request}", steps)
    assert ends(testing.play_on_both(text, [1.0])) == ["dropped", "processed"]


def test_a_try_that_comes_when_its_transaction_is_over_is_refused():
    """A node that needs a second for each request, tries that wait for half a second, and no second delivery: the first try is
    written while the transaction is open, though nobody waits for it; the others come when the record is a dead letter.
    """
    text = SLOW.replace("WAIT", "1ms").replace("PRODUCER", "nodes: {requests: 1/s}").replace("LAST", "")
    retry = "policy: {timeout: 500ms, retry: {max_attempts: 3, backoff: {constant: 100ms}}}"
    text = text.replace("{publish: payments}, {wait", f"{{publish: payments, {retry}}}, {{wait")
    played = testing.play_on_both(
        text.replace("max_deliveries: 3", "max_deliveries: 1"), {"clients": [1.0], "givers": []}
    )
    (order,) = read(played, "orders").itertuples()
    assert (order.how, order.end) == ("dead_lettered", pytest.approx(order.available + 0.001 + 3 * 0.5 + 2 * 0.1))
    (payment,) = read(played, "payments").itertuples()
    assert (payment.how, payment.published) == ("dropped", pytest.approx(order.available + 0.001 + 0.001 + 1.0))


@pytest.mark.parametrize(("commits", "requests"), [("transaction: 60s", 3), ("commit: record", 2)])
def test_each_consumer_that_has_transactions_has_a_producer_of_its_own(commits, requests):
    """Two orders in one request, handled by two consumers of one replica at once: their payments, to one partition, are two
    requests, or one batch of the replica's producer.
    """
    text = SLOW.replace("WAIT", "1ms").replace("PRODUCER", "producer: {linger: 50ms}").replace("LAST", "")
    text = text.replace("transaction: 25s", f"consumers: 2, {commits}").replace(
        "orders: {}", "orders: {partitions: 2, partitioner: round_robin}"
    )
    played = testing.play_on_both(text, {"clients": [1.0, 1.0], "givers": []})
    assert read(played, "payments")["how"].tolist() == ["processed"] * 2
    series = played.records.gauge_frame()
    assert series[next(name for name in series if "produce_requests" in name)].iloc[-1] == requests
