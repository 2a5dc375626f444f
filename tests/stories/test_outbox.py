"""Events and the database: the outbox, the direct publish, and who hears of an order twice or never."""

from sim import testing

SHOP = """
duration: 60s
services:
  orders: {replicas: 2, workers: 4, endpoints: {create: [{effect: created}, PUBLISH]}}
  mail:
    workers: 1
    endpoints: {send: [{work: 1ms}, {effect: sent}]}
    consumes: {order-events: {group: mail-group, auto_offset_reset: earliest, IDEMPOTENT do: [{perform: mail.send}]}}
brokers: {kafka: {kind: log, REPLICATION topics: {order-events: {partitions: 1}}}}
ledger: {charge: sent}
traffic: {clients: {sends: orders.create, completes_with: [created, sent]}}
"""


def shop(publish, *, idempotent=False, replication="", faults=""):
    system = SHOP.replace("PUBLISH", publish).replace("IDEMPOTENT", "idempotent: true," if idempotent else "")
    return system.replace("REPLICATION", f"replication: {replication}," if replication else "") + (
        f"faults: [{faults}]" if faults else ""
    )


OUTBOX = "{publish: order-events, via: outbox, poll: 100ms}"
DIRECT = "{publish: order-events, policy: {timeout: 1s}}"
# The relay of replica 0 publishes at 0.1 s and waits 50 ms for the ack; at 0.12 s it dies, and replica 1 begins to look every 100 ms.
CRASH = "{at: 120ms, crash: {of: orders, replicas: 1, restart_after: 10s}}"


def test_the_relay_publishes_at_its_next_look_and_the_answer_does_not_wait_for_it():
    played = testing.play(shop(OUTBOX), [0.0, 0.05, 0.1])
    assert played.responses() == [0.0, 0.0, 0.0]
    published = [round(float(time), 9) for time in played.records.messages["published"]]
    assert published == [0.1, 0.1, 0.2]  # what is written at the very instant of the look waits for the next one


def test_a_relay_that_dies_between_publishing_and_marking_publishes_again():
    played = testing.play(shop(OUTBOX, replication="50ms", faults=CRASH), [0.0])
    assert [round(float(time), 9) for time in played.records.messages["published"]] == [0.1, 0.22]
    assert played.requests["charges"].tolist() == [2]


def test_an_idempotent_consumer_drops_what_was_published_twice():
    played = testing.play(shop(OUTBOX, replication="50ms", faults=CRASH, idempotent=True), [0.0])
    assert len(played.records.messages) == 2
    assert played.requests["charges"].tolist() == [1]
    assert set(played.records.message_frame()["how"]) == {"processed"}


def test_a_relay_that_has_marked_its_rows_publishes_nothing_again():
    played = testing.play(shop(OUTBOX, replication="10ms", faults=CRASH), [0.0])
    assert len(played.records.messages) == 1


DOWN = "{at: 1s, for: 5s, broker_down: kafka}"


def test_a_direct_publish_while_the_broker_is_down_fails_the_order_and_loses_the_event():
    played = testing.play(shop(DIRECT, faults=DOWN), [0.5, 2.0, 7.0])
    assert played.outcomes() == ["ok", "unreachable", "ok"]
    assert played.effects() == [["created", "sent"], ["created"], ["created", "sent"]]
    assert played.requests["pending"].tolist() == [
        False,
        False,
        False,
    ]  # created, and nothing alive that could complete it


def test_the_outbox_keeps_the_event_until_the_broker_is_back():
    played = testing.play(shop(OUTBOX, faults=DOWN), [0.5, 2.0, 7.0])
    assert played.outcomes() == ["ok", "ok", "ok"]
    assert played.responses() == [0.0, 0.0, 0.0]
    done = [round(a + c, 9) for a, c in zip([0.5, 2.0, 7.0], played.completions(), strict=True)]
    assert 6.0 <= done[1] <= 6.2


def test_a_publisher_is_held_until_the_followers_have_the_record_under_acks_all_and_not_under_acks_1():
    for acks, response in (("all", 0.05), (1, 0.0)):
        system = shop(DIRECT, replication="50ms").replace("kind: log,", f"kind: log, acks: {acks},")
        played = testing.play(system, [0.0])
        assert played.responses() == [response]
        assert played.completions() == [0.051]  # nobody reads it before it is replicated


def test_records_become_readable_in_the_order_of_their_offsets():
    """The second record is replicated first, and waits for the first."""
    system = shop(DIRECT).replace("kind: log,", "kind: log, replication: {replay: {data: [0.3, 0.01]}},")
    played = testing.play(system, [0.0, 0.1])
    assert [(int(row["offset"]), round(float(row["available"]), 9)) for row in played.records.messages] == [
        (0, 0.3),
        (1, 0.3),
    ]
    assert played.responses() == [0.3, 0.2]


def test_a_publish_that_times_out_and_is_tried_again_is_in_the_log_twice():
    system = shop(
        "{publish: order-events, policy: {timeout: 20ms, retry: {max_attempts: 2, backoff: {constant: 0s}}}}",
        replication="30ms",
    )
    played = testing.play(system, [0.0])
    assert played.outcomes() == ["timeout"]
    assert len(played.records.messages) == 2
    assert played.requests["charges"].tolist() == [2]


def test_relay_takes_a_full_batch_and_goes_on_at_once():
    played = testing.play(
        shop("{publish: order-events, via: outbox, poll: 1s, batch: 2}", replication="100ms"), [0.0] * 5
    )
    assert [round(float(time), 9) for time in played.records.messages["published"]] == [1.0, 1.0, 1.1, 1.1, 1.2]
