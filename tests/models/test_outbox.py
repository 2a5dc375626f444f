"""The relay of an outbox: in order, as often as it takes, in the first replica that is up."""

from sim import testing

TEXT = """
duration: 30s
services:
  a: {replicas: 2, workers: 4, endpoints: {get: [{effect: made}, {publish: events, via: outbox, poll: 100ms}]}}
  b: {workers: 4, consumes: {events: {group: g, auto_offset_reset: earliest, do: []}}}
brokers: {kafka: {kind: log, topics: {events: {partitions: 1}}}}
"""


def published(played):
    return [round(float(time), 9) for time in sorted(played.records.messages["published"])]


def test_rows_are_published_in_the_order_in_which_they_were_written():
    played = testing.play(TEXT, [0.01 * k for k in range(20)])
    frame = (
        played.records.message_frame()
        .merge(played.requests[["id", "number"]], left_on="request", right_on="id")
        .sort_values("offset")
    )
    assert frame["number"].is_monotonic_increasing


def test_a_network_that_is_cut_delays_the_rows_and_loses_none():
    played = testing.play(
        TEXT + "faults: [{at: 50ms, for: 2s, network: {between: [a, kafka], partition: true}}]", [0.0, 1.0]
    )
    assert published(played) == [2.1, 2.1]


def test_a_lost_ack_publishes_again():
    """The way there is open and the way back is cut: the relay cannot know, and publishes at every look."""
    text = (
        TEXT
        + "network: {links: [{between: [a, kafka], latency: 60ms}]}\nfaults: [{at: 130ms, for: 500ms, network: {between: [a, kafka], partition: true}}]"
    )
    played = testing.play(text, [0.0])
    assert published(played)[0] == 0.16
    assert len(published(played)) == 2


def test_the_relay_moves_to_a_replica_that_is_up_and_stays_there():
    played = testing.play(TEXT + "faults: [{at: 1s, crash: {of: a, replicas: 1, restart_after: 1s}}]", [1.5, 5.0])
    assert len(published(played)) == 2
    assert published(played)[0] <= 1.6 + 1e-9


def test_with_all_replicas_down_the_rows_wait_for_the_first_that_is_back():
    played = testing.play(TEXT + "faults: [{at: 50ms, crash: {of: a, replicas: 2, restart_after: 5s}}]", [0.0])
    assert published(played) == [5.15]


def test_a_frozen_service_relays_nothing():
    played = testing.play(TEXT + "faults: [{at: 50ms, for: 3s, outage: a, how: hang}]", [0.0])
    assert published(played) == [3.05]


def test_a_blackholed_service_relays_nothing():
    played = testing.play(TEXT + "faults: [{at: 50ms, for: 3s, outage: a, how: blackhole}]", [0.0])
    assert published(played) == [3.1]


def test_the_number_of_rows_is_on_record():
    played = testing.play(
        TEXT + "record: {interval: 1s}\nfaults: [{at: 0s, for: 3500ms, broker_down: kafka}]", [0.5, 1.5, 2.5]
    )
    assert played.records.gauge("a", "outbox")[:5].tolist() == [0.0, 1.0, 2.0, 3.0, 0.0]


def test_a_batch_whose_broker_goes_down_before_the_replicas_have_it_is_published_again():
    """Published at 0.1 s with 1 s of replication; down from 0.5 s to 2 s: both rows of the batch are in the log twice, in order."""
    text = (
        TEXT.replace("kind: log,", "kind: log, replication: 1s,")
        + "faults: [{at: 500ms, for: 1500ms, broker_down: kafka}]"
    )
    played = testing.play(text, [0.0, 0.01])
    assert published(played) == [0.1, 0.1, 2.0, 2.0]
    frame = (
        played.records.message_frame()
        .merge(played.requests[["id", "number"]], left_on="request", right_on="id")
        .sort_values("offset")
    )
    assert frame["number"].tolist() == [0, 1, 0, 1]
