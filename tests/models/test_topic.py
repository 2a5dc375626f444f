"""Topics: partitions by key, acks, and readers that see only what is replicated."""

import statistics

import pytest

from sim import testing
from sim.policies.partitioner import partition_of

TEXT = """
duration: 30s
traffic: {clients: {sends: a.get, users: {count: 7}, items: {count: 5}}}
services:
  a: {workers: unlimited, endpoints: {get: [{publish: events, POLICY}]}}
  b: {workers: 4, consumes: {events: {group: g, auto_offset_reset: earliest, do: []}}}
brokers: {kafka: {kind: log, OPTIONS topics: {events: {partitions: 8, key: KEY}}}}
"""


def topic(key="order", options="", policy=""):
    return TEXT.replace(", POLICY", f", {policy}" if policy else "").replace("OPTIONS", options).replace("KEY", key)


@pytest.mark.parametrize(("key", "column"), [("order", "id"), ("user", "user"), ("item", "item")])
def test_the_partition_is_murmur2_of_the_key(key, column):
    played = testing.play(topic(key), [0.01 * k for k in range(50)])
    frame = played.records.message_frame().merge(played.requests[["id", "user", "item"]], left_on="request", right_on="id", suffixes=("_message", ""))
    assert [partition_of(int(value), 8) for value in frame[column]] == frame["partition"].tolist()


def test_the_key_of_a_publish_goes_before_that_of_its_topic():
    one = testing.play(topic("order", policy="key: user"), [0.01 * k for k in range(50)]).records.messages["partition"]
    other = testing.play(topic("user"), [0.01 * k for k in range(50)]).records.messages["partition"]
    assert one.tolist() == other.tolist()


def test_without_a_key_sixteen_records_stick_to_a_partition():
    played = testing.play(topic("sticky"), [0.01 * k for k in range(96)])
    partitions = played.records.message_frame().sort_values("published")["partition"].tolist()
    batches = [partitions[k : k + 16] for k in range(0, 96, 16)]
    assert all(len(set(batch)) == 1 for batch in batches)
    assert len(set(partitions)) > 2


def test_offsets_count_up_in_each_partition():
    played = testing.play(topic(), [0.01 * k for k in range(50)])
    for _, own in played.records.message_frame().sort_values("published").groupby("partition"):
        assert own["offset"].tolist() == list(range(len(own)))


NETWORK = "network: {links: [{between: [a, kafka], latency: 20ms}]}"


@pytest.mark.parametrize(("acks", "response"), [("all", 0.14), (1, 0.04), (0, 0.0)])
def test_what_the_publisher_waits_for_depends_on_acks(acks, response):
    """20 ms each way, 100 ms of replication. acks: 0 waits for nothing, not even the way there."""
    played = testing.play(topic(options=f"acks: {acks}, replication: 100ms,") + NETWORK, [0.0])
    assert played.responses() == [response]
    assert [round(float(row["available"]), 9) for row in played.records.messages] == [0.12]


def test_with_acks_0_nobody_hears_that_an_event_was_lost():
    """Once because the broker is down, once because the network is cut: both orders are answered ok, and no event exists."""
    text = topic(options="acks: 0,", policy="policy: {timeout: 1s}") + NETWORK
    text += "\nfaults: [{at: 1s, for: 1s, broker_down: kafka}, {at: 5s, for: 1s, network: {between: [a, kafka], partition: true}}]"
    played = testing.play(text, [0.0, 1.5, 5.5, 9.0])
    assert played.outcomes() == ["ok"] * 4
    assert played.responses() == [0.0] * 4
    assert sorted(round(float(row["published"]), 9) for row in played.records.messages) == [0.02, 9.02]
    assert played.requests["pending"].tolist() == [False] * 4


def test_a_topic_without_readers_keeps_nobody_waiting():
    text = "services: {a: {workers: 1, endpoints: {get: [{publish: events}]}}}\nbrokers: {kafka: {kind: log, topics: {events: {}}}}"
    played = testing.play(text, [0.0])
    assert (played.outcomes(), played.requests["pending"].tolist()) == (["ok"], [False])
    assert len(played.records.messages) == 0
    assert {book.component: book.offered for book in played.records.books}["events"] == 0


def test_what_is_published_and_not_yet_readable_at_the_end_is_queued_in_the_books():
    played = testing.play(topic(options="replication: 60s,", policy="policy: {timeout: 1s}"), [0.0, 1.0])
    assert played.records.message_frame()["how"].tolist() == ["queued", "queued"]
    book = next(book for book in played.records.books if book.component == "events")
    assert (book.offered, book.open) == (2, 2)


def test_a_broker_that_is_down_answers_unreachable_and_keeps_what_it_has():
    played = testing.play(topic(policy="policy: {timeout: 1s}") + "faults: [{at: 1s, for: 1s, broker_down: kafka}]", [0.5, 1.0, 1.5, 2.0])
    assert played.outcomes() == ["ok", "unreachable", "unreachable", "ok"]
    assert played.requests["where"].tolist() == ["", "events", "events", ""]
    assert len(played.records.messages) == 2


def test_a_publication_that_names_no_policy_is_tried_again_as_by_the_producer_of_kafka():
    """Four attempts, after pauses of 0.1, 0.2 and 0.4 s; each is given up after 30 s. What is named instead is taken as it is."""
    down = testing.play(topic() + "faults: [{at: 1s, for: 1s, broker_down: kafka}]", [1.0, 1.5])
    assert (down.outcomes(), down.responses()) == (["unreachable", "ok"], [0.7, 0.7])
    cut = topic().replace("duration: 30s", "duration: 300s") + "faults: [{at: 0s, network: {between: [a, kafka], partition: true}}]"
    lost = testing.play(cut, [0.0])
    assert (lost.outcomes(), lost.responses(), lost.requests["where"].tolist()) == (["timeout"], [120.7], ["events"])
    assert testing.play(cut.replace("{publish: events}", "{publish: events, policy: {}}"), [0.0]).outcomes() == ["in_flight"]


def test_a_broker_that_goes_down_acknowledges_nothing_that_waits_for_replicas():
    """One second of replication, and down half a second after the publication: its record is there, but nobody said so."""
    text = topic(options="replication: 1s,", policy="policy: {timeout: 10s}") + "faults: [{at: 1s, for: 5s, broker_down: kafka}]"
    played = testing.play(text, [0.5, 7.0])
    assert (played.outcomes(), played.responses()) == (["unreachable", "ok"], [0.5, 1.0])
    assert played.requests["where"].tolist() == ["events", ""]
    assert [round(float(row["available"]), 9) for row in played.records.messages] == [1.5, 8.0]


def test_replication_is_drawn_for_each_topic_on_its_own():
    """Two publications in a row, of 100 ms on average each: one draw for both would have a deviation of 200 ms, two have 141 ms."""
    text = """
    duration: 3000s
    services: {a: {workers: 100, endpoints: {get: [{publish: one}, {publish: other}]}}}
    brokers: {kafka: {kind: log, replication: {exponential: 100ms}, topics: {one: {}, other: {}}}}
    """
    responses = testing.play(text, [float(k) for k in range(2000)]).responses()
    assert statistics.stdev(responses) == pytest.approx(0.1414, rel=0.1)
