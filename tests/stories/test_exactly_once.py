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
    how = testing.play if "producer" in producer else testing.play_on_both
    return how(text.replace("RESTART", restart), list(arrivals))


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
