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
    frame = played.records.message_frame().merge(
        played.requests[["id", "user", "item"]], left_on="request", right_on="id", suffixes=("_message", "")
    )
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
    played = testing.play(
        topic(policy="policy: {timeout: 1s}") + "faults: [{at: 1s, for: 1s, broker_down: kafka}]", [0.5, 1.0, 1.5, 2.0]
    )
    assert played.outcomes() == ["ok", "unreachable", "unreachable", "ok"]
    assert played.requests["where"].tolist() == ["", "events", "events", ""]
    assert len(played.records.messages) == 2


def test_a_publication_that_names_no_policy_is_tried_again_as_by_the_producer_of_kafka():
    """As often as there is time for in 120 s, 30 s for each attempt; then it is a timeout. What is named instead is taken as it is."""
    long = topic().replace("duration: 30s", "duration: 300s")
    for fault in ("broker_down: kafka", "network: {between: [a, kafka], partition: true}"):
        lost = testing.play(long + f"faults: [{{at: 0s, {fault}}}]", [0.0])
        assert (lost.outcomes(), lost.responses(), lost.requests["where"].tolist()) == (
            ["timeout"],
            [120.0],
            ["events"],
        )
    cut = long + "faults: [{at: 0s, network: {between: [a, kafka], partition: true}}]"
    assert testing.play(cut.replace("{publish: events}", "{publish: events, policy: {}}"), [0.0]).outcomes() == [
        "in_flight"
    ]


def test_the_producers_pauses_are_a_tenth_of_a_second_doubled_up_to_one_give_or_take_a_fifth():
    """It is heard of within a pause of the broker's return: after at least 0.8 (0.1 + 0.2 + 0.4) and before 1.2 (0.1 + 0.2 + 0.4 + 0.8) s, and so on."""
    text = topic(options="acks: 1,").replace("duration: 30s", "duration: 100s")
    arrivals = [10.0 + 0.01 * k for k in range(200)]
    for down, earliest, latest in ((0.55, 0.56, 0.84), (30.0, 30.0, 31.0)):
        played = testing.play(
            text + f"faults: [{{at: 10s, for: {down}s, broker_down: kafka}}]", [10.0] * 200 if down < 1 else arrivals
        )
        assert set(played.outcomes()) == {"ok"}
        ends = played.requests["arrival"] + played.requests["response"] - 10.0
        first = ends[played.requests["arrival"] < 10.0 + down]
        assert earliest <= first.min()
        assert first.max() <= latest
        assert first.nunique() > 100  # no two producers come back in step


def test_none_is_given_up_while_a_broker_is_down_for_ten_seconds_but_its_client_may_leave_before():
    text = topic().replace("duration: 30s", "duration: 200s") + "faults: [{at: 60s, for: 10s, broker_down: kafka}]"
    arrivals = [50.0 + 0.05 * k for k in range(600)]
    played = testing.play(text, arrivals)
    assert set(played.outcomes()) == {"ok"}
    assert max(played.responses()) < 11.0
    assert len(played.records.messages) == 600
    impatient = testing.play(text.replace("sends: a.get,", "sends: a.get, timeout: 5s,"), arrivals)
    assert 80 < impatient.outcomes().count("timeout") < 120  # those of the first five seconds
    assert len(impatient.records.messages) == 600  # the producer goes on for clients who have left


def test_each_producer_sticks_to_a_partition_of_its_own_for_sixteen_records():
    """Ten replicas in turn: of every producer sixteen records in a row stand in one partition, and the producers do not agree on it."""
    text = topic("sticky").replace("a: {workers: unlimited,", "a: {replicas: 10, workers: unlimited,")
    played = testing.play(text, [0.01 * k for k in range(1600)])
    partitions = (
        played.records.message_frame().sort_values("published")["partition"].to_numpy().reshape(160, 10)
    )  # a column for each producer
    batches = partitions.reshape(10, 16, 10)
    assert (batches == batches[:, :1]).all()
    assert all(len(set(row)) > 2 for row in batches[:, 0])
    counts = [int((batches[:, 0] == partition).sum()) for partition in range(8)]
    assert max(counts) < 12.5 + 4 * (12.5 * 7 / 8) ** 0.5  # each partition is as likely as any other


def test_a_crash_ends_a_producer_and_the_next_begins_with_a_partition_of_its_own():
    text = topic("sticky") + "faults: [{at: 10s, crash: {of: a, restart_after: 1s}}]"
    found = {}
    for seed in range(8):
        partitions = (
            testing.play(f"seed: {seed}\n" + text, [float(k) for k in range(8)] + [12.0 + k for k in range(8)])
            .records.messages["partition"]
            .tolist()
        )
        assert len(set(partitions[:8])) == 1
        assert len(set(partitions[8:])) == 1
        found[seed] = partitions[0] != partitions[8]
    assert any(found.values())  # seven times in eight


def test_a_relay_publishes_as_the_producer_of_its_replica():
    """Rows and direct publications of one replica fill one batch together."""
    text = topic("sticky").replace(
        "[{publish: events}]", "[{publish: events, via: outbox, poll: 10ms}, {publish: events}]"
    )
    partitions = (
        testing.play(text, [0.1 * k for k in range(16)])
        .records.message_frame()
        .sort_values("published")["partition"]
        .tolist()
    )
    assert len(partitions) == 32
    assert all(len(set(partitions[k : k + 16])) == 1 for k in (0, 16))


def test_a_broker_that_goes_down_acknowledges_nothing_that_waits_for_replicas():
    """One second of replication, and down half a second after the publication: its record is there, but nobody said so."""
    text = (
        topic(options="replication: 1s,", policy="policy: {timeout: 10s}")
        + "faults: [{at: 1s, for: 5s, broker_down: kafka}]"
    )
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
