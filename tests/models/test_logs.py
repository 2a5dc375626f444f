"""Logs in depth, event by event: what a batch waits for, what a replica that is slow or lost costs, what is deleted."""

import itertools
from types import SimpleNamespace

import pytest

from sim import testing
from sim.models.logs.connection import Connection
from sim.policies.client_quota import new_client_quota, throttle_time

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SYSTEM = """
duration: DURATION
services:
  shop: {workers: unlimited, endpoints: {buy: [{publish: orders}, {effect: sent}]}}
  stock: {workers: 1, consumes: {orders: {group: g, auto_offset_reset: earliest, do: [{work: 1ms}, {effect: done}]}}}
brokers: {kafka: {kind: log, replication: 2ms, BROKER, topics: {orders: {partitions: 1, TOPIC}}}}
network: {default: {latency: 1ms}}
faults: [FAULT]
"""
THREE = "replication_factor: 3, min_insync_replicas: 2"
ALONE = "replication_factor: 1"  # nodes make no difference: `replication` alone says when a record is safe


def play(arrivals, broker="acks: all", topic=THREE, fault="", duration="100s"):
    """1 ms there and back, 2 ms until followers have a record: a request under acks: all takes 4 ms."""
    text = (
        SYSTEM.replace("BROKER", broker).replace("TOPIC", topic).replace("FAULT", fault).replace("DURATION", duration)
    )
    return testing.play_on_both(text, arrivals)


def rows(played):
    return played.records.message_frame().sort_values("offset")


@pytest.mark.parametrize(
    ("producer", "arrivals", "responses"),
    [
        # each is sent at once; the node reads the second request when it answers the first, after 3 ms
        ("linger: 0s", [0.0, 0.0], [0.004, 0.006]),
        # 5 ms of linger from the first record of a batch on, and the way of 4 ms
        ("linger: 5ms", [0.0, 0.003, 0.02], [0.009, 0.006, 0.009]),
        # two records fill the first batch, which goes at once
        ("linger: 5ms, batch: 2KiB", [0.0, 0.003, 0.0035], [0.007, 0.004, 0.009]),
        # every record is a batch; one request after the other
        ("linger: 5ms, batch: 1KiB, max_in_flight: 1", [0.0] * 4, [0.004, 0.008, 0.012, 0.016]),
        # the node reads the second when it answers the first, after 3 ms, and answers it 2 ms later; and so on
        ("linger: 5ms, batch: 1KiB, max_in_flight: 2", [0.0] * 4, [0.004, 0.006, 0.008, 0.010]),
        # memory for two batches: the third and fourth wait for the first and second
        ("linger: 0s, batch: 1KiB, buffer: 2KiB", [0.0] * 4, [0.004, 0.006, 0.008, 0.010]),
        ("linger: 5ms, acks: 1", [0.0], [0.007]),
        ("linger: 5ms, acks: 0", [0.0], [0.0]),
    ],
)
@pytest.mark.parametrize("topic", [THREE, ALONE])
def test_how_long_a_producer_takes(producer, arrivals, responses, topic):
    played = play(arrivals, f"producer: {{{producer}}}", topic)
    assert played.responses() == responses
    assert set(played.outcomes()) == {"ok"}
    assert rows(played)["how"].tolist() == ["processed"] * len(arrivals)


@pytest.mark.parametrize("topic", [THREE, ALONE])
def test_who_finds_no_memory_in_time_has_a_timeout(topic):
    """Two batches in memory, one request at a time of 4 ms: the third is in after 4 ms, the fourth would be after 8."""
    broker = "producer: {linger: 0s, batch: 1KiB, buffer: 2KiB, max_in_flight: 1, max_block: 6ms}"
    played = play([0.0] * 4, broker, topic)
    assert played.outcomes() == ["ok", "ok", "ok", "timeout"]
    assert played.responses()[3] == 0.006
    assert len(rows(played)) == 3


def test_a_request_takes_along_what_waits_for_other_partitions_of_its_node():
    """The second record, in a partition of its own, leaves with the first after 5 ms in all, not after 5 ms of its own."""
    text = (
        SYSTEM.replace("BROKER", "producer: {linger: 5ms}").replace("TOPIC", "message_size: 1KiB").replace("FAULT", "")
    )
    text = text.replace("partitions: 1", "partitions: 97").replace("DURATION", "10s")
    played = testing.play_on_both(text, [0.0, 0.004])
    assert rows(played)["partition"].nunique() == 2
    assert played.responses() == [0.009, 0.005]


def test_the_next_request_begins_with_the_partition_that_found_no_room_in_the_last():
    """Six records of 600 KiB, of two partitions in turn, each in a request of its own of 4 ms: none of 1 MiB holds two. The
    first is under way when the others come; then the second of its partition finds room, and one of the other does not.
    """
    text = SYSTEM.replace("BROKER", "producer: {linger: 0s, max_in_flight: 1}").replace("FAULT", "")
    text = text.replace("TOPIC", "message_size: 600KiB, partitioner: round_robin").replace("DURATION", "10s")
    played = testing.play_on_both(text.replace("partitions: 1", "partitions: 2"), [0.0] * 6)
    assert played.responses() == [0.004, 0.012, 0.008, 0.020, 0.016, 0.024]


@pytest.mark.parametrize("topic", [THREE, ALONE])
def test_followers_fetch_a_batch_as_one(topic):
    """Three records that wait for one another are readable at one time, however long it takes; by themselves they are not."""
    text = (
        SYSTEM.replace("BROKER", "producer: {linger: 5ms, batch: BATCH}").replace("TOPIC", topic).replace("FAULT", "")
    )
    text = text.replace("replication: 2ms", "replication: {uniform: [1ms, 50ms]}").replace("DURATION", "10s")
    for batch, times in (("16KiB", 1), ("1KiB", 3)):
        played = testing.play_on_both(text.replace("BATCH", batch), [0.0, 0.001, 0.002])
        assert rows(played)["available"].nunique() == times
        assert rows(played)["available"].between(0.002, 0.006 + 3 * 0.050).all()


DOWN = "{at: 4.002s, for: 60s, broker_down: kafka, node: 0}"


def kinds(played):
    return [(event.time, event.kind, event.value) for event in played.events() if not event.kind.startswith("fault")]


def test_another_replica_leads_when_the_session_of_a_node_is_over_and_the_election_held():
    """Lost at 4.002 s, 9 s until it is noticed, 50 ms until another leads; the first look of a producer thereafter, every 100 ms
    from 5 s on, is at 13.1 s.
    """
    played = play([0.0, 5.0, 20.0], "producer: {linger: 0s}", fault=DOWN)
    assert kinds(played) == [
        (4.002, "leader_lost", 1.0),
        (13.002, "isr_shrank", 1.0),
        (13.052, "leader_elected", 1.0),
        (64.004, "isr_expanded", 1.0),
    ]
    assert played.responses() == [0.004, 8.104, 0.004]


def lost(*nodes):
    """Faults: (node, from, until) in seconds; `until` None for good."""
    return ", ".join(
        f"{{at: {at}s, {f'for: {until - at}s, ' if until else ''}broker_down: kafka, node: {node}, name: n{node}}}"
        for node, at, until in nodes
    )


@pytest.mark.parametrize("follower", [(2, 3, 5), (2, 1, None)])
def test_who_leads_does_not_change_when_a_follower_goes_or_comes(follower):
    """The leader, node 0, is gone at 4.002 s. That node 2 is back at 5 s, or counts as gone from 10 s on, elects nobody:
    the controller takes node 0 for the leader until its own session is over (handleBrokerFenced is about the partitions
    of that broker, handleBrokerUnfenced about those without a leader).
    """
    played = play([6.0], "producer: {linger: 0s}", fault=lost(follower, (0, 4.002, 64.002)))
    elected = [event for event in kinds(played) if event[1] == "leader_elected"]
    assert elected == [(13.052, "leader_elected", 1.0)]
    assert played.responses()[0] > 13.052 - 6.0


def test_the_controller_appoints_a_node_whose_session_is_not_over_and_again_when_it_is():
    """Node 0 is gone at 4 s, node 1 at 5 s: node 1 is appointed at 13 s, is not there, and node 2 leads from 14.05 s on."""
    played = play([6.0], "acks: 1", fault=lost((0, 4, None), (1, 5, None)))
    assert kinds(played) == [
        (4.0, "leader_lost", 1.0),
        (13.0, "isr_shrank", 1.0),
        (14.0, "isr_shrank", 1.0),
        (14.05, "leader_elected", 1.0),
    ]


def test_a_node_that_was_appointed_while_it_was_gone_leads_when_it_is_back():
    """Node 1 is gone from 5 s to 13.5 s, and appointed at 13 s in the place of node 0."""
    played = play([13.2, 13.6], "acks: 1", fault=lost((0, 4, None), (1, 5, 13.5)), topic="replication_factor: 3")
    assert played.outcomes()[1] == "ok"
    assert "leader_elected" not in [kind for _, kind, _ in kinds(played)]


def test_the_last_in_sync_replica_leads_again_after_an_election_when_it_was_fenced():
    """All are gone from 4 s on, node 2 as the last; node 0 and 1 are back at 30 s, and out of sync; node 2 at 40 s."""
    faults = lost((0, 4, 30), (1, 4.1, 30), (2, 4.2, 40))
    played = play([1.0], "acks: 1", fault=faults, topic="replication_factor: 3")
    elected = [event for event in kinds(played) if event[1] == "leader_elected"]
    assert elected == [(40.05, "leader_elected", 1.0)]


@pytest.mark.parametrize(("acks", "fate"), [("1", "lost"), ("all", "processed")])
def test_acks_1_loses_what_its_leader_had_not_replicated_and_acks_all_sends_it_again(acks, fate):
    """Published at 3.9995 s, at the leader at 4.0005 s, which is gone at 4.002 s; followers would have had it at 4.0025 s."""
    played = play([3.9995], f"acks: {acks}", fault=DOWN)
    assert played.outcomes() == ["ok"]
    assert rows(played)["how"].tolist()[0] == "lost"
    assert (fate in rows(played)["how"].tolist()) is True
    if acks == "1":
        assert played.responses() == [0.002]
        assert played.completions()[0] != played.completions()[0], "nan: acknowledged, and nobody will ever read it"
    else:
        assert played.responses()[0] > 9.0


def test_with_too_few_replicas_in_sync_acks_all_refuses_and_acks_1_goes_on():
    """Two of three nodes are gone from 1 s on; when that is noticed, after 9 s, one replica is in sync and two are wanted."""
    faults = ", ".join(f"{{at: 1s, broker_down: kafka, node: {node}, name: n{node}}}" for node in (1, 2))
    safe = play([0.0, 20.0], "acks: all", fault=faults, duration="300s")
    assert safe.outcomes() == ["ok", "timeout"]
    assert safe.responses()[1] == 120.0
    quick = play([0.0, 20.0], "acks: 1", fault=faults, duration="300s")
    assert quick.outcomes() == ["ok", "ok"]


def test_nothing_is_readable_until_enough_replicas_are_in_sync_again():
    """Two of three nodes are gone from 1 s to 60 s, and out of sync from 10 s on. Written at 20.001 s under acks: 1, the
    record is acknowledged, and readable when a follower that is back has it, 2 ms after 60 s (KAFKA-15583). With
    min_insync_replicas: 1 it is readable at once.
    """
    faults = lost((1, 1, 60), (2, 1, 60))
    for least, readable in ((1, 20.001), (2, 60.002)):
        played = play([20.0], "acks: 1", f"replication_factor: 3, min_insync_replicas: {least}", faults)
        assert played.outcomes() == ["ok"]
        assert rows(played)["available"].tolist() == [readable]


def test_what_cannot_be_read_yet_is_not_deleted():
    """Older than 5 s from 25 s on, looked at every second, and readable at 60.002 s: deleted at the next look
    (UnifiedLog.deleteOldSegments deletes nothing beyond the high watermark).
    """
    topic = f"{THREE}, retention: {{time: 5s, check: 1s}}"
    played = play([20.0], "acks: 1", topic, lost((1, 1, 60), (2, 1, 60)))
    records = played.records
    at = [series.name for series in records.series].index("orders.deleted")
    deleted = dict(zip(records.ticks.tolist(), records.gauges[:, at].tolist(), strict=True))
    assert (deleted[59.0], deleted[62.0]) == (0.0, 1.0)
    assert sent(played) == [(0, "processed")], "its consumer has it by then"


def test_a_follower_that_is_gone_holds_up_acks_all_until_its_session_is_over():
    played = play([2.0], "acks: all", fault="{at: 1s, broker_down: kafka, node: 2}")
    assert played.responses() == [pytest.approx(10.0 - 2.0 + 0.001, abs=1e-9)]


def test_a_slow_follower_holds_up_acks_all_until_it_is_out_of_sync():
    """It has a record after 200 s. Looked at every 15 s; what it lacks since 1.001 s is more than 30 s old at 45 s."""
    played = play([1.0], "acks: all, nodes: 3", fault="{at: 0s, slow_disk: {of: kafka, node: 1, by: 100000x}}")
    assert played.responses() == [pytest.approx(30.0 - 1.0 + 15.0 + 0.001, abs=1e-9)]
    assert [kind for _, kind, _ in kinds(played)] == ["isr_shrank"]


def test_an_unclean_election_loses_what_was_acknowledged_by_all_in_sync():
    """Node 1 and 2 are gone while one record is written; then the leader goes and node 1 comes back."""
    faults = ", ".join(
        [
            "{at: 1s, for: 29s, broker_down: kafka, node: 1, name: b}",
            "{at: 1s, for: 200s, broker_down: kafka, node: 2, name: c}",
            "{at: 25s, for: 200s, broker_down: kafka, node: 0, name: a}",
        ]
    )
    topic = "replication_factor: 3"
    for unclean, responses in ((True, 2), (False, 1)):
        nodes = f"acks: all, nodes: {{count: 3, unclean_leader_election: {str(unclean).lower()}}}"
        played = play([20.0, 40.0], nodes, topic, faults, duration="100s")
        assert played.outcomes().count("ok") == responses, "without it the partition stays offline until node 0 is back"


def sent(played):
    return [tuple(row) for row in rows(played)[["offset", "how"]].to_numpy().tolist()]


@pytest.mark.parametrize("topic", [THREE, ALONE])
@pytest.mark.parametrize(("idempotent", "copies"), [(True, 1), (False, 2)])
def test_an_idempotent_producer_is_known_again_when_its_answer_was_lost(idempotent, copies, topic):
    """The wire is cut while the answer is on its way back; after 30 s the batch is sent again."""
    cut = "{at: 3ms, for: 10s, network: {between: [shop, kafka], partition: true}}"
    played = play([0.0], f"producer: {{linger: 0s, idempotent: {str(idempotent).lower()}}}", topic, fault=cut)
    assert played.outcomes() == ["ok"]
    assert 30.0 < played.responses()[0] < 31.0
    assert sent(played) == [(number, "processed") for number in range(copies)]


@pytest.mark.parametrize("topic", [THREE, ALONE])
def test_batches_behind_one_that_was_lost_are_sent_again_in_order_and_one_at_a_time(topic):
    """The first is lost on its way, and sent again after 300 ms and a pause of 80 to 120 ms; the two behind it are out of order
    when they arrive, and wait until it is acknowledged, 4 ms each.
    """
    cut = "{at: 0s, for: 2ms, network: {between: [shop, kafka], partition: true}}"
    producer = "producer: {linger: 0s, batch: 1KiB, request_timeout: 300ms, delivery_timeout: 10s}"
    played = play([0.001, 0.003, 0.004], producer, topic, fault=cut)
    ends = [at + response for at, response in zip((0.001, 0.003, 0.004), played.responses(), strict=True)]
    assert 0.301 + 0.08 + 0.004 <= ends[0] <= 0.301 + 0.12 + 0.004
    assert [ends[1] - ends[0], ends[2] - ends[1]] == [pytest.approx(0.004), pytest.approx(0.004)]
    assert rows(played)["request"].tolist() == played.requests["id"].tolist()
    assert produced(played) == 6


def produced(played):
    """Requests of producers in all."""
    frame = played.records.gauge_frame()
    return frame[next(name for name in frame if "produce_requests" in name)].iloc[-1]


@pytest.mark.parametrize("topic", [THREE, ALONE])
def test_batches_of_a_producer_that_is_not_idempotent_pass_one_that_was_lost(topic):
    cut = "{at: 0s, for: 2ms, network: {between: [shop, kafka], partition: true}}"
    producer = "producer: {linger: 0s, batch: 1KiB, request_timeout: 300ms, delivery_timeout: 10s, idempotent: false}"
    played = play([0.001, 0.003, 0.004], producer, topic, fault=cut)
    assert played.responses()[1:] == [pytest.approx(0.004), pytest.approx(0.005)], (
        "read when the one before is answered"
    )
    first, second, third = played.requests["id"].tolist()
    assert rows(played)["request"].tolist() == [second, third, first]


def test_a_batch_whose_partition_has_another_leader_is_sent_there_without_a_pause():
    """The leader of some of 24 partitions goes while records wait for followers. Their producer is told 1 ms later, looks again
    after 100 ms (retry.backoff.ms), when another leads, and no batch waits for the rest of its own pause of 80 to 120 ms. What
    others lead waits until the node is out of sync, 20 ms after it went, 7 ms after it was published.
    """
    text = SYSTEM.replace("BROKER", "producer: {linger: 5ms}, nodes: {count: 3, session_timeout: 20ms, election: 10ms}")
    text = text.replace("TOPIC", "replication_factor: 3").replace("DURATION", "30s")
    text = text.replace("FAULT", "{at: 1007ms, broker_down: kafka, node: 0}").replace("partitions: 1", "partitions: 24")
    played = testing.play_on_both(text, [1.0] * 60)
    responses = {round(response, 6) for response in played.responses()}
    assert responses == {0.007 + 0.02 + 0.001, 0.112}


@pytest.mark.parametrize("topic", [THREE, ALONE])
def test_what_is_never_acknowledged_is_given_up_after_the_delivery_timeout(topic):
    played = play([1.0], "producer: {linger: 0s}", topic, "{at: 0s, broker_down: kafka}", duration="300s")
    assert (played.outcomes(), played.responses()) == (["timeout"], [120.0])


@pytest.mark.parametrize(
    ("reset", "ends"), [("earliest", ["expired", "processed"]), ("latest", ["expired", "skipped"])]
)
def test_retention_deletes_what_nobody_has_read(reset, ends):
    """Kept for a minute, looked at every 10 s, a segment every 5 s: the record of 0 s is gone at 70 s, that of 50 s is not; the
    consumer, down since 0, comes back at 80 s.
    """
    text = SYSTEM.replace("BROKER", "acks: all").replace("auto_offset_reset: earliest", f"auto_offset_reset: {reset}")
    text = text.replace("TOPIC", "retention: {time: 1m, check: 10s, segment_time: 5s}").replace("DURATION", "100s")
    text = text.replace("FAULT", "{at: 0s, crash: {of: stock, replicas: 1, restart_after: 80s}}")
    played = testing.play_on_both(text, [1.0, 50.0])
    assert [how for _, how in sent(played)] == ends
    assert [round(time, 6) for time in rows(played)["end"]] == [70.0, pytest.approx(80.0, abs=0.01)]


def test_retention_by_size_leaves_at_least_that_much():
    """Ten records of 1 KiB, one a segment, 4 KiB are kept: six are deleted at the first look, at 10 s."""
    text = SYSTEM.replace("BROKER", "acks: all").replace("DURATION", "60s")
    text = text.replace("TOPIC", "retention: {size: 4KiB, segment_size: 1KiB, check: 10s}")
    text = text.replace("FAULT", "{at: 0s, crash: {of: stock, replicas: 1, restart_after: 20s}}")
    played = testing.play_on_both(text, [1.0 + 0.1 * k for k in range(10)])
    assert [how for _, how in sent(played)] == ["expired"] * 6 + ["processed"] * 4


def test_compaction_keeps_the_latest_record_of_each_key():
    """Nine records of three users, one a segment; the newest segment is not cleaned, of the others the last of each user stays."""
    text = (
        SYSTEM.replace("BROKER", "acks: all")
        .replace("DURATION", "60s")
        .replace("partitions: 1", "partitions: 1, key: user")
    )
    text = text.replace("TOPIC", "compaction: {segment_size: 1KiB}")
    text = text.replace("FAULT", "{at: 0s, crash: {of: stock, replicas: 1, restart_after: 20s}}")
    traffic = (
        "traffic: {clients: {sends: shop.buy, users: {count: 1}, arrivals: {replay: {times: [1s, 2s, 3s, 4s]}}}}\n"
    )
    played = testing.play_on_both(traffic + text, [1.0, 2.0, 3.0, 4.0])
    assert [how for _, how in sent(played)] == ["dropped", "dropped", "processed", "processed"]


def test_a_node_handles_one_request_after_the_other():
    """100 requests a second: three at once are handled 10, 20 and 30 ms later."""
    played = play([0.0] * 3, "acks: 1, nodes: {count: 3, requests: 100/s}")
    assert played.responses() == [0.012, 0.022, 0.032]


def test_what_a_relay_publishes_takes_a_node_as_long_as_any_other_record():
    """Three rows of an outbox, sent together, at 100 requests a second: written one every 10 ms."""
    text = SYSTEM.replace("publish: orders", "publish: orders, via: outbox").replace("FAULT", "")
    text = text.replace("BROKER", "acks: 1, nodes: {count: 3, requests: 100/s}").replace("TOPIC", THREE)
    written = rows(testing.play_on_both(text.replace("DURATION", "10s"), [0.0] * 3))["published"].tolist()
    assert [round(after - before, 6) for before, after in itertools.pairwise(written)] == [0.01, 0.01]


def test_a_relay_that_waits_for_a_record_that_is_lost_publishes_it_again():
    """Two rows, of a partition that node 0 leads, and of one that node 1 leads, which is gone before its follower has the
    record. The first is readable when node 1 counts as gone, and the relay waits for the second from then on, 50 ms before
    another leads, and that record is lost.
    """
    text = SYSTEM.replace("publish: orders", "publish: orders, via: outbox").replace("partitions: 1", "partitions: 2")
    text = text.replace("BROKER", "acks: all, nodes: 3").replace("TOPIC", "replication_factor: 2")
    text = text.replace("replication: 2ms", "replication: 40ms").replace("DURATION", "60s")
    text = text.replace("FAULT", "{at: 4.06s, broker_down: kafka, node: 1}")
    played = testing.play_on_both(text, [1.0, 1.0, 4.0, 4.0])  # by their keys: partitions 1 and 1, 0 and 1
    assert rows(played)["how"].tolist().count("lost") == 1
    read = rows(played)[rows(played)["how"] == "processed"]
    assert read["request"].nunique() == 4
    assert read["available"].max() == pytest.approx(13.06 + 0.05 + 0.1, abs=0.01)


def test_bytes_take_the_network_and_the_disk_their_time():
    """1 KiB at 100 KiB/s of network is 10 ms, at 51.2 KiB/s of disk 20 ms."""
    played = play([0.0] * 2, "acks: 1, nodes: {count: 3, network: 100KiB, disk: 51200B}")
    assert played.responses() == [0.032, 0.052]


def test_over_its_quota_a_client_is_answered_as_late_as_the_average_needs():
    """Kafka's Rate over at least ten windows of 1 s: 20 KiB at once are 2 KiB/s, twice the quota, and 10 s too many."""
    row, ring = new_client_quota(1024.0, 1.0, 11)
    assert throttle_time(row, ring, 0.0, 10 * 1024.0) == 0.0
    assert throttle_time(row, ring, 0.0, 10 * 1024.0) == pytest.approx(10.0)
    assert throttle_time(row, ring, 20.0, 1024.0) == 0.0


QUOTA = "quota: {produce: 50B}, producer: {linger: 0s, batch: 1KiB, max_in_flight: 2}"
# 1,024 B over 10 s are 102.4 B/s: (102.4 - 50) / 50 x 10 s of throttle time


@pytest.mark.parametrize("topic", [THREE, ALONE])
def test_over_its_quota_a_client_is_answered_at_once_and_not_read_for_a_while(topic):
    """KIP-219: the first of two requests is answered after 4 ms, and the second, which is at the node already, is read
    10.48 s after that answer was sent: 3 ms, 10.48 s, 2 ms until the followers have it, and 1 ms.
    """
    played = play([0.0, 0.0], QUOTA, topic)
    assert played.responses() == [0.004, pytest.approx(0.003 + 10.48 + 0.002 + 0.001, abs=1e-9)]


@pytest.mark.parametrize("topic", [THREE, ALONE])
def test_a_client_that_is_told_of_its_throttle_time_sends_nothing_for_so_long(topic):
    """Told after 4 ms, it sends what was published at 1 s at 10.484 s: 4 ms more until it is acknowledged."""
    played = play([0.0, 1.0], QUOTA, topic)
    assert played.responses() == [0.004, pytest.approx(0.004 + 10.48 + 0.004 - 1.0, abs=1e-9)]


def test_a_quota_is_that_of_a_client_at_one_node():
    """Two partitions that two nodes lead: what is sent to one does not count at the other, and nobody is over the quota
    before the third and fourth record. With one partition the second is: 2,048 B over 10.5 s (Rate.windowSize), and what
    is published at 1 s is sent (2,048 / 150 - 10.5) s after its answer has come, at 0.504 s.
    """
    text = SYSTEM.replace("BROKER", "quota: {produce: 150B}, producer: {linger: 0s, batch: 1KiB}").replace("FAULT", "")
    text = text.replace("TOPIC", f"{THREE}, partitioner: round_robin").replace("DURATION", "100s")
    arrivals = [0.0, 0.5, 1.0, 1.5]  # partitions 0, 1, 0, 1
    spread = testing.play_on_both(text.replace("partitions: 1", "partitions: 2"), arrivals)
    assert spread.responses() == [0.004] * 4
    alone = testing.play_on_both(text, arrivals)
    assert alone.responses()[:2] == [0.004] * 2
    assert alone.responses()[2] == pytest.approx(0.504 + (2048 / 150 - 10.5) + 0.004 - 1.0, abs=1e-9)


def test_requests_of_other_connections_go_on_beside_one_that_waits_for_its_replicas():
    """Two replicas of the shop take turns: each waits for 2 ms for the followers, at the same time."""
    text = SYSTEM.replace("workers: unlimited", "replicas: 2, workers: unlimited").replace("FAULT", "")
    text = (
        text.replace("BROKER", "producer: {linger: 0s, batch: 1KiB}").replace("TOPIC", THREE).replace("DURATION", "9s")
    )
    assert testing.play_on_both(text, [0.0] * 4).responses() == [0.004, 0.004, 0.006, 0.006]


GONE = "{at: 1.15s, for: LASTS, broker_down: kafka, WHICH}"


def asked_by_four(fault):
    text = SYSTEM.replace("workers: unlimited", "replicas: 4, workers: unlimited").replace("DURATION", "9s")
    text = text.replace("BROKER", "producer: {linger: 0s, acks: 1}, nodes: {count: 3, requests: 10/s}")
    return testing.play_on_both(text.replace("TOPIC", THREE).replace("FAULT", fault), [1.0] * 4)


def test_what_a_node_had_been_asked_is_gone_with_it_and_sent_again():
    """Four connections, and 100 ms of work for each request: one is answered before the node dies. The others hear at
    1.151 s that their connections are broken, look for a leader every 100 ms, and find the one that is back, which has
    nothing to do, at 1.351 s.
    """
    played = asked_by_four(GONE.replace("LASTS", "150ms").replace("WHICH", "node: 0"))
    again = [0.351 + 0.001 + work + 0.001 for work in (0.1, 0.2, 0.3)]
    assert played.responses() == [0.102, *(pytest.approx(seconds, abs=1e-9) for seconds in again)]
    assert rows(played)["request"].is_unique


def test_what_a_broker_had_been_asked_is_gone_with_it_and_sent_again():
    """Down until 1.2 s; each is sent again 100 ms after 1.151 s, give or take 20 %, and 100 ms of work are before the
    second of them, 200 ms before the third.
    """
    played = asked_by_four(GONE.replace("LASTS", "50ms").replace("WHICH", "name: all"))
    first, second, third = sorted(played.responses()[1:])
    assert 0.151 + 0.08 <= first - 0.102 <= 0.151 + 0.12
    assert [second - first, third - second] == pytest.approx([0.1, 0.1], abs=1e-9)
    assert rows(played)["request"].is_unique


def test_what_was_not_read_of_a_connection_is_gone_with_its_node():
    """One connection: the second request is read at 1.103 s, and handled until 1.203 s, had its node not died; the third
    is not read. Both are sent again, one after the other for they are idempotent: 1 ms, 100 ms, 2 ms, 1 ms each.
    """
    broker = "producer: {linger: 0s, batch: 1KiB}, nodes: {count: 3, requests: 10/s}"
    fault = GONE.replace("LASTS", "150ms").replace("WHICH", "node: 0")
    played = play([1.0] * 3, broker, fault=fault, duration="9s")
    assert played.responses() == [0.104, pytest.approx(0.455, abs=1e-9), pytest.approx(0.559, abs=1e-9)]
    assert rows(played)["request"].is_unique


@pytest.mark.parametrize(("idempotent", "times"), [("true", 1), ("false", 2)])
def test_what_was_written_and_not_answered_is_known_again_by_the_node_that_is_back(idempotent, times):
    """Written at 1.001 s, and the node dies at 1.002 s, before the followers have it. Its client hears so at 1.003 s, and
    looks every 100 ms; the node leads again from 2 s on, and at 2.002 s all have the record. A second one has to be
    fetched as well, 2 ms more.
    """
    broker = f"producer: {{linger: 0s, idempotent: {idempotent}}}"
    played = play([1.0], broker, fault="{at: 1.002s, for: 998ms, broker_down: kafka, node: 0}", duration="9s")
    assert played.responses() == [pytest.approx(1.005 + (times - 1) * 0.002, abs=1e-9)]
    assert len(rows(played)) == times


def test_an_answer_that_is_on_its_way_comes_before_its_client_hears_that_the_node_is_gone():
    """Answered at 1.001 s, and on its way for 1 ms when the node dies at 1.0015 s. The second request is on its way to
    that one; its client hears at 1.0025 s that the connection is broken, and finds the leader that is back when it looks
    for the first time, 100 ms later, whatever the pause before the next try is.
    """
    broker = "producer: {linger: 0s, batch: 1KiB, acks: 1, retry_backoff: 100ms, retry_backoff_max: 100ms}"
    played = play([1.0, 1.001], broker, fault="{at: 1.0015s, for: 10ms, broker_down: kafka, node: 0}", duration="9s")
    assert played.responses()[0] == 0.002
    assert 0.0015 + 0.08 + 0.002 <= played.responses()[1] <= 0.0015 + 0.12 + 0.002
    assert rows(played)["request"].is_unique


def test_without_a_producer_what_was_asked_is_not_done_by_the_node_that_is_back():
    """At 100 ms each the second to fourth record would be written from 1.201 s on: the node that has been asked is gone,
    and the one that is there from 1.3 s on has not heard of them.
    """
    text = SYSTEM.replace("publish: orders", "publish: orders, policy: {timeout: 5s}").replace("DURATION", "9s")
    text = text.replace("BROKER", "acks: 1, nodes: {count: 3, requests: 10/s}").replace("TOPIC", THREE)
    fault = GONE.replace("LASTS", "150ms").replace("WHICH", "node: 0")
    played = testing.play_on_both(text.replace("FAULT", fault), [1.0] * 4)
    assert played.outcomes() == ["ok", "unreachable", "unreachable", "unreachable"]
    assert played.responses() == [0.102, 0.202, 0.302, 0.402]
    assert len(rows(played)) == 1


def test_a_request_that_is_waited_for_in_vain_fails_all_others_of_its_connection():
    """A follower that is gone from 1 s to 3 s holds up the first of two requests, which waits for its answer for 1 s; the
    second, unread, fails with it, and both are sent again 100 ms later, give or take 20 %, and so on until 3 s.
    """
    broker = "producer: {linger: 0s, batch: 1KiB, request_timeout: 1s, idempotent: false}"
    played = play([1.5, 1.6], broker, fault=lost((2, 1, 3)))
    assert played.outcomes() == ["ok", "ok"]
    assert played.responses()[0] > 1.5
    once = rows(played).groupby("request").size().tolist()
    assert once[1] < once[0], (
        "what was not read of it when its connection was closed is gone, and was written once less"
    )


@pytest.mark.parametrize("broker", ["acks: all", "producer: {linger: 0s}"])
def test_in_turn_every_partition_gets_the_same(broker):
    text = SYSTEM.replace("BROKER", broker).replace("TOPIC", "partitioner: round_robin").replace("FAULT", "")
    played = testing.play_on_both(
        text.replace("partitions: 1", "partitions: 3").replace("DURATION", "10s"), [0.1 * k for k in range(6)]
    )
    assert played.records.message_frame().sort_values("published")["partition"].tolist() == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("topic", [THREE, ALONE])
def test_without_a_key_two_batches_that_linger_sends_go_to_one_partition_where_one_is_not_a_full_one(topic):
    """A record of 1 KiB every 4 ms, 10 ms of linger: three in each batch, of 4 KiB at most. With the second batch enough was
    produced, and it is sent before the seventh record comes (KIP-794).
    """
    text = SYSTEM.replace("BROKER", "producer: {linger: 10ms, batch: 4KiB}").replace("FAULT", "")
    text = (
        text.replace("TOPIC", topic).replace("partitions: 1", "partitions: 97, key: sticky").replace("DURATION", "10s")
    )
    played = testing.play_on_both(text, [0.004 * k for k in range(24)])
    found = played.records.message_frame().sort_values("request")["partition"].tolist()
    assert [len(list(run)) for _, run in itertools.groupby(found)] == [6, 6, 6, 6]


def test_without_a_key_a_batch_that_has_no_room_for_a_record_is_complete():
    """Records of 3 KiB and batches of 4 KiB, all at once: the second makes the first batch complete, with 3 KiB produced, and
    opens another; the third completes that with 6 KiB, and goes elsewhere.
    """
    text = SYSTEM.replace("BROKER", "producer: {linger: 10ms, batch: 4KiB}").replace("FAULT", "")
    text = text.replace("TOPIC", "message_size: 3KiB").replace("DURATION", "10s")
    text = text.replace("partitions: 1", "partitions: 97, key: sticky")
    played = testing.play_on_both(text, [1.0] * 8)
    found = played.records.message_frame().sort_values("request")["partition"].tolist()
    assert [len(list(run)) for _, run in itertools.groupby(found)] == [2, 2, 2, 2]


@pytest.mark.parametrize("broker", ["acks: all", "producer: {linger: 0s}"])
def test_a_key_of_ones_own_is_hashed_as_its_text(broker):
    """All records say region: foobar, which Kafka's murmur2 hashes to -790332482."""
    text = SYSTEM.replace("BROKER", broker).replace("TOPIC", "key_header: region").replace("FAULT", "")
    traffic = "traffic: {clients: {sends: shop.buy, headers: {region: foobar}}}\n"
    text = traffic + text.replace("partitions: 1", "partitions: 97").replace("DURATION", "10s")
    played = testing.play_on_both(text, [0.1, 0.2])
    assert rows(played)["partition"].tolist() == [(-790332482 & 0x7FFFFFFF) % 97] * 2


# ---- in order on a connection


def test_on_a_connection_nothing_overtakes_what_was_sent_before_it():
    """Sent at 0, 1 and 3 s, under way for 5, 2 and 10 s: there at 5, 5 and 13 s."""
    clock = SimpleNamespace(now=0.0)
    connection = Connection(clock)
    arrivals = []
    for clock.now, delay in ((0.0, 5.0), (1.0, 2.0), (3.0, 10.0)):
        arrivals.append(clock.now + connection.on_its_way(delay))
    assert arrivals == pytest.approx([5.0, 5.0, 13.0], abs=1e-12)
    assert arrivals == sorted(set(arrivals))  # no two at one instant: what came first stays first


IN_ORDER = """
duration: 60s
traffic: {clients: {sends: shop.buy}}
services:
  shop: {workers: unlimited, endpoints: {buy: [{publish: orders}]}}
  stock: {workers: 1, consumes: {orders: {group: g, do: [{work: 1us}]}}}
brokers: {kafka: {kind: log, topics: {orders: {partitions: 1}}, producer: {linger: 0s, batch: 1KiB}}}
network: {default: {latency: {exponential: 5ms}}}
"""


@pytest.mark.xdist_group("compiled")
def test_batches_that_differ_in_their_time_on_the_way_come_in_their_order():
    """One that came before the one ahead of it would be refused (OUT_OF_ORDER_SEQUENCE_NUMBER), and tried again after 100 ms."""
    played = testing.play_on_both(
        IN_ORDER, [1.0 + 0.05 * pair + 0.001 * place for pair in range(100) for place in (0, 1)]
    )
    response = played.requests["end"] - played.requests["arrival"]
    assert response.max() < 0.1
    published = played.records.message_frame().sort_values("offset")["published"]
    assert published.is_monotonic_increasing
