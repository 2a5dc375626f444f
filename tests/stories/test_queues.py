"""A queue broker, event by event, on both engines: who gets what, what comes back, what is given up, and what its
publishers hear.
"""

import json

import pytest

from sim import testing
from sim.errors import ScenarioError, TimeStandsStill

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SYSTEM = """
duration: 300s
traffic: {clients: {sends: orders.create, completes_with: [done]}}
services:
  orders: {workers: unlimited, endpoints: {create: [{publish: jobs, PUBLISH}]}}
  worker: {replicas: REPLICAS, workers: 4, endpoints: {do: [DO, {effect: done}]}, consumes: {jobs: {CONSUME, do: [{perform: worker.do}]}}}
brokers: {rabbit: {kind: queue, queues: {jobs: {QUEUE}, MORE}}}
network: {default: {latency: LATENCY}}
"""


def system(
    do="{work: 100ms}",
    *,
    publish="via: broker",
    consume="prefetch: 1",
    replicas=1,
    queue="",
    more="",
    latency="0ms",
    faults="",
    extra="",
):
    text = SYSTEM.replace("PUBLISH", publish).replace("REPLICAS", str(replicas)).replace("CONSUME", consume)
    text = text.replace("DO", do).replace("QUEUE", queue).replace("MORE", more).replace("LATENCY", latency)
    return text + (f"faults: [{faults}]\n" if faults else "") + extra


def done_at(played):
    return [
        round(arrival + completion, 9)
        for arrival, completion in zip(played.requests["arrival"], played.completions(), strict=True)
    ]


def rows(played, queue="jobs"):
    frame = played.records.message_frame()
    return frame[frame["topic"] == queue].sort_values("offset", ignore_index=True)


def book(played, queue="jobs"):
    return next(book for book in played.records.books if book.component == queue)


# -- push and prefetch -----------------------------------------------------------------------------------------------


def test_any_number_of_consumers_share_one_queue():
    assert done_at(testing.play_on_both(system(replicas=4), [0.0] * 4)) == [0.1] * 4


def test_prefetch_1_gives_the_next_message_to_whoever_is_free():
    """The first message takes 500 ms, the others 100: they go round the busy one."""
    work = "{work: {replay: {data: [0.5, 0.1, 0.1, 0.1, 0.1]}}}"
    assert done_at(testing.play_on_both(system(work, replicas=2), [0.0] * 5)) == [0.5, 0.1, 0.2, 0.3, 0.4]


def test_unlimited_prefetch_deals_all_out_at_once_round_robin():
    """The third and fifth stand behind the slow one, although the other consumer has nothing to do."""
    work = "{work: {replay: {data: [0.5, 0.1, 0.1, 0.1, 0.1]}}}"
    played = testing.play_on_both(system(work, replicas=2, consume="prefetch: 0"), [0.0] * 5)
    assert done_at(played) == [0.5, 0.1, 0.6, 0.2, 0.7]


def test_a_round_trip_passes_between_two_messages_of_prefetch_1():
    """Delivery and acknowledgement take 10 ms each: the second begins 20 ms after the first has ended."""
    assert done_at(testing.play_on_both(system(latency="10ms"), [0.0] * 3)) == [0.12, 0.24, 0.36]


def test_prefetch_2_hides_a_round_trip_shorter_than_the_work():
    assert done_at(testing.play_on_both(system(latency="10ms", consume="prefetch: 2"), [0.0] * 3)) == [0.12, 0.22, 0.32]


@pytest.mark.parametrize(
    ("prefetch", "trip", "work"), [(1, 0.02, 0.02), (2, 0.09, 0.03), (3, 0.07, 0.03), (4, 0.02, 0.05)]
)
def test_a_serial_consumer_is_busy_for_the_share_that_prefetch_times_work_has_of_work_and_round_trip(
    prefetch, trip, work
):
    """min(1, p * s / (RTT + s)), of a consumer that always finds something in its queue."""
    text = system(f"{{work: {work * 1000:g}ms}}", consume=f"prefetch: {prefetch}", latency=f"{trip * 500:g}ms").replace(
        "300s", "10s"
    )
    played = testing.play_on_both(text, [0.0] * 600)
    busy = played.records.gauge("queue jobs", "busy")[1:].mean()
    assert busy == pytest.approx(min(1.0, prefetch * work / (trip + work)), abs=0.012)


def test_the_consumer_of_the_highest_priority_gets_all_that_it_can_take():
    text = system(replicas=1, consume="prefetch: 2, priority: 5") + "# \n"
    text = text.replace(
        "brokers:",
        "  low: {workers: 1, consumes: {jobs: {prefetch: 2, do: [{work: 100ms}, {effect: done}]}}}\nbrokers:",
    )
    played = testing.play_on_both(text, [0.0, 0.0, 0.0])
    assert done_at(played) == [0.1, 0.2, 0.1], (
        "the third comes to the other only because the first has no prefetch left"
    )


def test_a_single_active_consumer_keeps_the_order_and_the_next_one_takes_over_when_it_dies():
    faults = "{at: 150ms, crash: {of: worker, replicas: 1}}"
    played = testing.play_on_both(system(replicas=2, queue="single_active_consumer: true", faults=faults), [0.0] * 4)
    assert done_at(played) == [0.1, 0.25, 0.35, 0.45], "the second was in hand at the crash, and is begun again at once"


# -- coming back -----------------------------------------------------------------------------------------------------


def test_what_was_not_acknowledged_comes_back_to_its_place_when_the_consumer_dies():
    """Prefetch 3: three are handed out, one is done when the replica dies; the other replica goes on with the second, not the fourth."""
    faults = "{at: 150ms, crash: {of: worker, replicas: 1}}"
    played = testing.play_on_both(
        system(replicas=2, consume="prefetch: 3, priority: 0", faults=faults, queue="single_active_consumer: true"),
        [0.0] * 5,
    )
    assert done_at(played) == [0.1, 0.25, 0.35, 0.45, 0.55]
    assert rows(played)["deliveries"].tolist() == [1, 2, 2, 2, 1]
    assert played.records.gauge("queue jobs", "redelivered")[-1] == 3


def test_a_quorum_queue_hands_out_what_came_back_before_all_else():
    """Rejected with requeue at its first delivery: it is next, before those that were behind it."""
    text = system("{fail: 50%}", queue="type: quorum, commit: 0ms", consume="prefetch: 1")
    played = testing.play_on_both(text, [0.0] * 40)
    assert set(rows(played)["how"]) == {"processed"}
    assert played.records.gauge("queue jobs", "redelivered")[-1] > 10


def test_acknowledged_automatically_it_is_lost_with_the_consumer():
    faults = "{at: 150ms, crash: {of: worker, replicas: 1, restart_after: 1s}}"
    played = testing.play_on_both(system(consume="ack: automatic", faults=faults), [0.0] * 4)
    assert rows(played)["how"].tolist() == ["processed", "lost", "lost", "lost"]
    assert played.effects() == [["done"], [], [], []]


def test_what_is_handled_while_the_broker_is_down_is_delivered_and_handled_again():
    """Handled at 300 ms, but its channel closed at 250: delivered again at 5.35 s, when the consumer is back, and charged twice."""
    faults = "{at: 250ms, for: 1s, broker_down: rabbit}"
    for idempotent, charges in (("false", 2), ("true", 1)):
        consume = f"prefetch: 1, idempotent: {idempotent}"
        played = testing.play_on_both(
            system(latency="100ms", faults=faults, consume=consume, extra="ledger: {charge: done}\n"), [0.0]
        )
        assert done_at(played) == [0.3]
        assert played.requests["charges"].tolist() == [charges]
        assert rows(played)["deliveries"].tolist() == [2]


def test_consumers_come_back_at_their_next_try_five_seconds_apart():
    """Down from 1 s to 8 s: they try at 6 s, and at 11 s."""
    played = testing.play_on_both(
        system(faults="{at: 1s, for: 7s, broker_down: rabbit}", publish="confirm: each"), [0.0, 2.0, 9.0]
    )
    assert played.outcomes() == ["ok", "unreachable", "ok"]
    assert done_at(played)[2] == pytest.approx(11.1)


def test_what_a_consumer_has_that_is_cut_off_comes_back_when_its_heartbeats_are_missed():
    """Cut off at 50 ms for two minutes: its acknowledgement is stuck at 100 ms, and its connection dead at 60.1 s. A cut of
    half a minute holds the acknowledgement up, and nothing else.
    """
    other = "  other: {workers: 1, consumes: {jobs: {prefetch: 1, priority: -1, do: [{work: 100ms}, {effect: done}]}}}\nbrokers:"
    for seconds, deliveries, end in ((120, 2, 60.2), (30, 1, 30.05)):
        faults = f"{{at: 50ms, for: {seconds}s, network: {{between: [worker, rabbit], partition: true}}}}"
        text = system(faults=faults).replace("brokers:", other)
        row = rows(testing.play_on_both(text, [0.0])).iloc[0]
        assert (row["deliveries"], row["end"]) == (deliveries, pytest.approx(end))


def test_a_publisher_without_confirms_never_hears_that_the_broker_is_down():
    played = testing.play_on_both(system(faults="{at: 1s, for: 7s, broker_down: rabbit}"), [0.0, 2.0, 9.0])
    assert played.outcomes() == ["ok", "ok", "ok"]
    assert played.effects() == [["done"], [], ["done"]]


# -- giving up -------------------------------------------------------------------------------------------------------


def test_drop_head_loses_the_oldest():
    """One is in hand; of the five that follow three may wait."""
    played = testing.play_on_both(system(queue="max_length: 3"), [0.0, 0.01, 0.02, 0.03, 0.04, 0.05])
    assert rows(played)["how"].tolist() == ["processed", "dropped", "dropped", "processed", "processed", "processed"]


def test_reject_publish_tells_the_publisher_and_keeps_the_oldest():
    played = testing.play_on_both(
        system(queue="max_length: 3, overflow: reject-publish", publish="confirm: each"),
        [0.0, 0.01, 0.02, 0.03, 0.04, 0.05],
    )
    assert rows(played)["how"].tolist() == ["processed"] * 4 + ["dropped"] * 2
    assert played.outcomes() == ["ok"] * 4 + ["error"] * 2


def test_without_confirms_nobody_hears_of_a_full_queue():
    played = testing.play_on_both(
        system(queue="max_length: 3, overflow: reject-publish"), [0.0, 0.01, 0.02, 0.03, 0.04, 0.05]
    )
    assert played.outcomes() == ["ok"] * 6
    assert book(played).ended == {"processed": 4, "dropped": 2}


@pytest.mark.parametrize(
    ("overflow", "kept", "outcomes"),
    [("drop-head", [2, 3, 4], ["ok"] * 5), ("reject-publish", [0, 1, 2], ["ok"] * 3 + ["error"] * 2)],
)
def test_of_five_messages_a_queue_of_three_keeps_the_last_or_the_first(overflow, kept, outcomes):
    text = system(more=f"store: {{max_length: 3, overflow: {overflow}}}")
    text = text.replace("{publish: jobs, via: broker}", "{publish: store, confirm: each}")
    played = testing.play_on_both(text, [0.0, 1.0, 2.0, 3.0, 4.0])
    stored = rows(played, "store")
    assert stored[stored["how"] == "queued"]["offset"].tolist() == kept
    assert played.outcomes() == outcomes


def test_what_is_handed_out_does_not_count_against_the_length():
    """Nobody handles the first three, which one consumer has in hand: three more may wait."""
    played = testing.play_on_both(
        system("{work: 10s}", queue="max_length: 3", consume="prefetch: 3"), [0.01 * k for k in range(7)]
    )
    assert rows(played)["how"].tolist() == ["processed"] * 3 + ["dropped"] + ["processed"] * 3


def test_reject_publish_dlx_gives_the_new_one_to_the_dead_letter_exchange():
    queue = "max_length: 1, overflow: reject-publish-dlx, dead_letter: {routing_key: parked}"
    played = testing.play_on_both(system(queue=queue, more="parked: {}", publish="confirm: each"), [0.0, 0.01, 0.02])
    assert rows(played)["how"].tolist() == ["processed", "processed", "dead_lettered"]
    assert rows(played, "parked")["how"].tolist() == ["queued"]
    assert played.outcomes() == ["ok", "ok", "error"]
    assert played.records.gauge("queue jobs", "given up maxlen")[-1] == 1


def test_a_message_expires_in_the_queue_and_not_in_the_hands_of_a_consumer():
    """TTL 250 ms, work 200 ms: the second begins at 200 ms, the third would at 400."""
    played = testing.play_on_both(system("{work: 200ms}", queue="message_ttl: 250ms"), [0.0, 0.0, 0.0])
    assert rows(played)["how"].tolist() == ["processed", "processed", "expired"]
    assert rows(played)["end"].tolist() == pytest.approx([0.2, 0.4, 0.25])


def test_a_waiting_queue_delays_the_short_behind_the_long():
    """Messages that expire after 10 s and after 1 s, published in this order: both leave after 10 s, for only the head is looked at."""
    waits = "{replay: {data: [10.0, 1.0, 1.0]}}"
    more = "later: {dead_letter: {routing_key: jobs}}"
    text = system(more=more).replace("{publish: jobs, via: broker}", f"{{publish: later, expiration: {waits}}}")
    assert done_at(testing.play_on_both(text, [0.0, 0.0, 12.0])) == [10.1, 10.2, 13.1]


def test_delayed_retry_over_a_waiting_queue():
    """Rejected messages wait for 5 s in a queue that nobody consumes, which gives them back; x-death counts how often."""
    queue, more = "dead_letter: {routing_key: later}", "later: {message_ttl: 5s, dead_letter: {routing_key: jobs}}"
    text = system(
        "{work: 100ms}",
        queue=queue,
        more=more,
        consume="prefetch: 1, on_failure: reject",
        faults="{at: 0s, for: 12s, errors: {of: worker, share: 100%}}",
    )
    played = testing.play_on_both(text, [0.0])
    assert done_at(played) == [pytest.approx(15.1)]
    assert rows(played)["how"].tolist() == ["dead_lettered"] * 3 + ["processed"]
    assert rows(played, "later")["how"].tolist() == ["expired"] * 3
    assert played.records.gauge("queue jobs", "given up rejected")[-1] == 3
    assert played.records.gauge("queue later", "given up expired")[-1] == 3


def test_what_goes_round_in_a_circle_without_being_rejected_is_dropped():
    """Two queues that nobody consumes and that expire into each other: after one round it is dropped (rabbit_dead_letter)."""
    more = "a: {message_ttl: 1s, dead_letter: {routing_key: b}}, b: {message_ttl: 1s, dead_letter: {routing_key: a}}"
    played = testing.play_on_both(system(more=more).replace("{publish: jobs, via: broker}", "{publish: a}"), [0.0])
    assert [len(rows(played, queue)) for queue in ("a", "b")] == [1, 1]


def test_a_quorum_queue_gives_up_a_poison_message_after_its_21st_delivery():
    played = testing.play_on_both(
        system(
            "{fail: 100%}", queue="type: quorum, dead_letter: {routing_key: parked}", more="parked: {}", latency="1ms"
        ),
        [0.0],
    )
    assert rows(played)[["how", "deliveries"]].values.tolist() == [["dead_lettered", 21]]
    assert rows(played, "parked")["how"].tolist() == ["queued"]
    assert played.records.gauge("queue jobs", "given up delivery_limit")[-1] == 1


def test_poison_stops_as_many_consumers_of_a_classic_queue_as_there_is_of_it_and_none_of_a_quorum_queue():
    """Four in a hundred fail each time they are handled: two consumers are soon busy with nothing else."""
    text = system("{work: 50ms}, {fail: 4%, per: request}", replicas=2, latency="1ms", queue="QUEUE")
    arrivals = [0.1 * k for k in range(600)]
    classic = testing.play_on_both(text.replace("QUEUE", "type: classic").replace("300s", "70s"), arrivals)
    quorum = testing.play_on_both(text.replace("QUEUE", "type: quorum").replace("300s", "70s"), arrivals)
    poison = sum(not effects for effects in quorum.effects())
    assert 10 < poison < 40
    assert book(quorum).ended == {"processed": 600 - poison, "dropped": poison}
    handled = book(classic).ended["processed"]
    assert handled < 200, "those that came before the second poison order"
    assert rows(classic)["deliveries"].max() > 500


def test_basic_nack_does_not_count_against_the_delivery_limit():
    """Since RabbitMQ 4.3: a loop of nacks goes on for ever."""
    text = system(
        "{fail: 100%}", queue="type: quorum", consume="prefetch: 1, on_failure: nack_requeue", latency="100ms"
    ).replace("300s", "20s")
    played = testing.play_on_both(text, [0.0])
    assert rows(played)[["how", "deliveries"]].values.tolist() == [["queued", 100]]


def test_a_classic_queue_delivers_poison_for_ever_and_others_get_by():
    text = system("{fail: 100%}", latency="100ms").replace("300s", "20s")
    assert rows(testing.play_on_both(text, [0.0]))["deliveries"].tolist() == [100]


def test_a_quorum_queue_closes_the_channel_of_a_consumer_that_does_not_acknowledge():
    """A handler of 60 s under a consumer timeout of 30 s: delivered again and again, until the delivery limit of 2 is over."""
    text = system(
        "{work: 60s}", queue="type: quorum, consumer_timeout: 30s, delivery_limit: 2, commit: 0ms", replicas=1
    )
    played = testing.play_on_both(text, [0.0])
    assert [event.time for event in played.events("consumer_timed_out")] == [30.0, 65.0, 100.0]
    assert rows(played)[["how", "deliveries"]].values.tolist() == [["dropped", 3]]


# -- publishers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queue", "confirm", "answered"),
    [
        ("commit: 30ms", "none", 0.0),
        ("commit: 30ms", "each", 0.05),
        ("type: quorum", "each", 0.021),
        ("type: quorum, commit: 40ms", "each", 0.06),
        ("", "each", 0.02),
    ],
)
def test_a_confirm_comes_after_the_way_there_the_disk_or_the_majority_and_the_way_back(queue, confirm, answered):
    played = testing.play_on_both(system(queue=queue, publish=f"confirm: {confirm}", latency="10ms"), [0.0])
    assert played.responses() == [pytest.approx(answered)]


def test_a_batch_waits_once_for_all_of_its_confirms():
    """Four messages on one worker, 10 ms apart as they come; the fourth waits for the slowest confirm, here that of the first."""
    queue = "commit: {replay: {data: [0.2, 0.01, 0.01, 0.01]}}"
    played = testing.play_on_both(system(queue=queue, publish="confirm: {batch: 4}"), [0.0, 0.01, 0.02, 0.03])
    assert played.responses() == [0.0, 0.0, 0.0, pytest.approx(0.17)]


def test_a_batch_of_which_one_is_nacked_fails():
    queue = "max_length: 1, overflow: reject-publish"
    played = testing.play_on_both(
        system("{work: 10s}", queue=queue, publish="confirm: {batch: 4}"), [0.0, 0.01, 0.02, 0.03]
    )
    assert played.outcomes() == ["ok", "ok", "ok", "error"]


def test_a_queue_that_refuses_the_newest_drops_none_that_it_has_confirmed():
    """Four come at one instant, before a majority has any of them: the queue learns late that it is over its length."""
    queue = "type: quorum, max_length: 1, overflow: reject-publish"
    played = testing.play_on_both(
        system("{work: 10s}", queue=queue, publish="confirm: each"), [0.0, 0.0, 0.0, 0.0, 1.0]
    )
    assert played.outcomes() == ["ok"] * 4 + ["error"]
    assert done_at(played)[:4] == [10.001, 20.001, 30.001, 40.001]


def test_messages_of_a_quorum_queue_are_delivered_in_order_when_a_majority_has_them():
    """The first is committed after 200 ms, the second after 10: both are delivered then."""
    queue = "type: quorum, commit: {replay: {data: [0.2, 0.01]}}"
    played = testing.play_on_both(system(queue=queue), [0.0, 0.0])
    assert rows(played)["available"].tolist() == [0.2, 0.2]
    assert done_at(played) == [0.3, 0.4]


def test_the_process_of_a_queue_takes_in_one_message_after_the_other():
    text = system("{work: 0ms}", publish="confirm: each").replace("kind: queue,", "kind: queue, work: 100ms,")
    assert testing.play_on_both(text, [0.0, 0.0, 0.0]).responses() == [0.1, 0.2, 0.3]


def test_an_alarm_holds_back_who_waits_for_no_confirms_too():
    played = testing.play_on_both(system(faults="{at: 1s, for: 4s, alarm: rabbit}"), [0.0, 2.0, 6.0])
    assert played.responses() == [0.0, 3.0, 0.0]


def test_credit_flow_holds_a_publisher_back_that_waits_for_no_confirms():
    """A queue takes in one message in 100 ms. With 400 in line there is no credit left; it comes when 200 are taken in."""
    text = system("{work: 0ms}").replace("kind: queue,", "kind: queue, work: 100ms,")
    responses = testing.play_on_both(text, [0.0] * 401 + [10.0]).responses()
    assert responses[:400] == [0.0] * 400
    assert responses[400] == pytest.approx(20.0)
    assert responses[401] == 0.0, "300 in line"


def test_an_alarm_blocks_publishers_and_not_consumers():
    """Blocked from 1 s to 5 s: what was published before is handled, what comes meanwhile waits outside."""
    played = testing.play_on_both(
        system("{work: 1s}", publish="confirm: each", faults="{at: 1s, for: 4s, alarm: rabbit}"), [0.0, 0.1, 2.0, 3.0]
    )
    assert played.responses() == [0.0, 0.0, 3.0, 2.0]
    assert done_at(played) == [1.0, 2.0, 6.0, 7.0]
    assert [(event.time, event.kind) for event in played.events("publishers_blocked", "publishers_released")] == [
        (1.0, "publishers_blocked"),
        (5.0, "publishers_released"),
    ]


def test_a_disk_that_fills_blocks_publishers_until_consumers_have_made_room():
    """Room for three messages of 1 MB above the limit: behind the fourth orders stop, and each that is handled lets one more in."""
    text = system("{work: 1s}", publish="confirm: each")
    text = text.replace("kind: queue,", "kind: queue, message_size: 1MB, disk: 53MB, disk_free_limit: 50MB,")
    played = testing.play_on_both(text, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert played.responses() == [0.0, 0.0, 0.0, 0.0, pytest.approx(0.6), pytest.approx(1.5)]
    assert [event.kind for event in played.events("publishers_blocked", "publishers_released")][:2] == [
        "publishers_blocked",
        "publishers_released",
    ]


def test_a_slow_disk_makes_confirms_late():
    text = system(
        queue="commit: 10ms", publish="confirm: each", faults="{at: 1s, for: 4s, slow_disk: {of: rabbit, by: 20x}}"
    )
    assert testing.play_on_both(text, [0.0, 2.0, 6.0]).responses() == [0.01, 0.2, 0.01]


def test_an_outbox_publishes_to_a_queue_until_it_is_confirmed():
    text = system(publish="via: outbox, poll: 1s", faults="{at: 500ms, for: 2s, broker_down: rabbit}")
    played = testing.play_on_both(text, [0.1])
    assert played.responses() == [0.0]
    assert done_at(played) == [pytest.approx(5.6)], "published at 3 s; consumers come back at 5.5 s"


# -- exchanges -------------------------------------------------------------------------------------------------------

EXCHANGES = """
duration: 60s
traffic: {clients: {sends: orders.create}}
services:
  orders: {workers: unlimited, endpoints: {create: [{publish: ex, PUBLISH}]}}
brokers: {rabbit: {kind: queue, exchanges: {ex: EXCHANGE}, queues: {a: {}, b: {}}}}
"""


@pytest.mark.parametrize(
    ("exchange", "publish", "queues"),
    [
        ("{bindings: {order.created: a}}", "routing_key: order.created", ["a"]),
        ("{bindings: {order.created: [a, b]}}", "routing_key: order.created", ["a", "b"]),
        ("{bindings: {order.created: a}}", "routing_key: order.changed", []),
        ("{type: topic, bindings: {order.*: a, '#': b}}", "routing_key: order.created", ["a", "b"]),
        ("{type: topic, bindings: {order.*: a, order.#: b}}", "routing_key: order.created.eu", ["b"]),
        ("{type: topic, bindings: {'*.created': a, order.#: b}}", "routing_key: order", ["b"]),
        ("{type: fanout, bindings: [a, b]}", "routing_key: whatever", ["a", "b"]),
        (
            "{type: headers, bindings: [{queue: a, headers: {eu: 'y', vip: 'y'}}, {queue: b, match: any, headers: {eu: 'y', vip: 'y'}}]}",
            "headers: {eu: 'y'}",
            ["b"],
        ),
        (
            "{type: headers, bindings: [{queue: a, headers: {eu: 'y'}}, {queue: b, headers: {eu: 'n'}}]}",
            "headers: {eu: 'y'}",
            ["a"],
        ),
    ],
)
def test_an_exchange_routes_by_its_type(exchange, publish, queues):
    played = testing.play_on_both(EXCHANGES.replace("EXCHANGE", exchange).replace("PUBLISH", publish), [0.0])
    assert sorted(played.records.message_frame()["topic"]) == queues


def test_what_cannot_be_routed_is_dropped_or_returned_to_who_says_mandatory():
    text = EXCHANGES.replace("EXCHANGE", "{bindings: {order.created: a}}")
    quiet = testing.play_on_both(text.replace("PUBLISH", "routing_key: nobody, confirm: each"), [0.0])
    told = testing.play_on_both(text.replace("PUBLISH", "routing_key: nobody, confirm: each, mandatory: true"), [0.0])
    assert (quiet.outcomes(), told.outcomes()) == (["ok"], ["error"])
    assert quiet.records.gauge("rabbit", "unroutable")[-1] == 1


# -- what is rare ----------------------------------------------------------------------------------------------------


def test_a_head_that_was_watched_and_is_gone_makes_nobody_expire_before_their_time():
    """The first is worked on for 11 s. The second, watched until 10.1 s, is pushed out by the fourth; the third expires
    at 5.2 s; the fourth would at 12.3 s, and is taken at 11 s.
    """
    expirations = f"expiration: {json.dumps(testing.scripted(100.0, 10.0, 5.0, 12.0))}"
    played = testing.play_on_both(
        system("{work: 11s}", publish=expirations, queue="max_length: 2"), [0.0, 0.1, 0.2, 0.3]
    )
    assert rows(played)["how"].tolist() == ["processed", "dropped", "expired", "processed"]
    assert rows(played)["end"].tolist()[1:] == pytest.approx([0.3, 5.2, 22.0])


def test_an_order_stays_open_while_somebody_still_acts_on_it():
    """The first consumer is too slow for its queue: its channel closes at 300 ms, the second has handled the message at
    400 ms, and the first asks for help at 1 s all the same. So the order is over at 1.1 s, and closed once.
    """
    played = testing.play_on_both(
        """
        duration: 20s
        traffic: {clients: {sends: front.ask}}
        services:
          front: {workers: 1, endpoints: {ask: [{publish: jobs}]}}
          slow: {workers: 1, consumes: {jobs: {prefetch: 1, priority: 1, do: [{wait: 1s}, {call: other.help}]}}}
          quick: {workers: 1, consumes: {jobs: {prefetch: 1, do: [{wait: 100ms}]}}}
          other: {workers: 9, endpoints: {help: [{wait: 100ms}]}}
        brokers: {rabbit: {kind: queue, queues: {jobs: {type: quorum, commit: 0s, consumer_timeout: 300ms}}}}
        network: {default: {latency: 0s}}
        """,
        [0.0],
    )
    assert rows(played)["end"].tolist() == pytest.approx([0.4])
    assert [(each.endpoint, each.ended) for each in played.attempts("other.help")] == [("other.help", 1.1)]


def test_what_comes_by_two_exchanges_is_two_events():
    """An idempotent consumer handles both: it knows again what comes from one place twice, and these are two places."""
    played = testing.play_on_both(
        """
        duration: 20s
        traffic: {clients: {sends: front.ask}}
        ledger: {charge: paid}
        services:
          front: {workers: 1, endpoints: {ask: [{publish: one}, {publish: two}]}}
          worker: {workers: 1, consumes: {jobs: {idempotent: true, do: [{effect: paid}]}}}
        brokers:
          rabbit:
            kind: queue
            exchanges: {one: {type: fanout, bindings: [jobs]}, two: {type: fanout, bindings: [jobs]}}
            queues: {jobs: {}}
        """,
        [0.0],
    )
    assert played.requests["charges"].tolist() == [2]


def test_what_expires_at_once_comes_at_once_to_every_queue_of_the_dead_letter_exchange():
    """A relay publishes 400 orders at 100 ms, which expire at 1.1 s: two queues get all of them, one keeps the last 10."""
    played = testing.play_on_both(
        """
        duration: 5s
        traffic: {clients: {sends: shop.buy}}
        services: {shop: {workers: unlimited, endpoints: {buy: [{publish: jobs, via: outbox, batch: 1000}]}}}
        brokers:
          rabbit:
            kind: queue
            exchanges: {dead: {type: fanout, bindings: [one, two, three]}}
            queues: {jobs: {message_ttl: 1s, dead_letter: {exchange: dead}}, one: {}, two: {}, three: {max_length: 10}}
        network: {default: {latency: 0s}}
        """,
        [0.05] * 400,
    )
    assert rows(played)["end"].tolist() == pytest.approx([1.1] * 400)
    assert [book(played, queue).open for queue in ("jobs", "one", "two", "three")] == [0, 400, 400, 10]
    assert book(played, "three").ended == {"dropped": 390}


@pytest.mark.parametrize("engine", [pytest.param("simpy", marks=pytest.mark.long), "compiled"])
def test_redeliveries_that_take_no_time_are_told(engine):
    with pytest.raises(TimeStandsStill, match="time stands still at 1s"):
        testing.play(system("{fail: 100%}", latency="0s"), [1.0], engine=engine)


# -- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"consume": "prefetch: 1, group: g"}, "'jobs' is a queue, which does not know 'group': a queue has no groups"),
        ({"consume": "max_poll_records: 5"}, "what a consumer of a queue has at once is `prefetch`"),
        ({"consume": "prefetch: 1, retry_topic: [1s]"}, "delayed retries of a queue are a waiting queue"),
        ({"publish": "key: order"}, "'jobs' has no partitions; an exchange routes by `routing_key`"),
        ({"queue": "delivery_limit: 5"}, "on a classic queue, which counts no deliveries; expected type: quorum"),
        ({"queue": "type: quorum, overflow: reject-publish-dlx"}, "expected reject-publish, or type: classic"),
        ({"queue": "dead_letter: {exchange: dead}"}, "unknown exchange 'dead'; the broker has no exchanges"),
        ({"queue": "dead_letter: {routing_key: jbs}"}, "unknown queue 'jbs'; did you mean 'jobs'"),
        ({"queue": "ttl: 5s"}, "unknown field 'ttl'"),
        ({"publish": "routing_ky: x"}, "unknown field 'routing_ky'; did you mean 'routing_key'"),
    ],
)
def test_what_a_queue_does_not_know_is_told_with_what_it_does(changes, words):
    with pytest.raises(ScenarioError) as caught:
        testing.play(system(**changes), [0.0])
    assert words in str(caught.value)


def test_an_exchange_cannot_be_consumed():
    text = (
        system()
        .replace("queues: {jobs", "exchanges: {news: {bindings: {'': jobs}}}, queues: {jobs")
        .replace("consumes: {jobs", "consumes: {news")
    )
    with pytest.raises(ScenarioError, match="'news' is an exchange, which keeps nothing; consume 'jobs'"):
        testing.play(text, [0.0])


def test_a_topic_does_not_know_the_words_of_a_queue():
    text = system(consume="prefetch: 5", publish="confirm: each").replace(
        "kind: queue, queues: {jobs: {}, }", "kind: log, topics: {jobs: {}}"
    )
    with pytest.raises(ScenarioError) as caught:
        testing.play(text, [0.0])
    for words in (
        "what a consumer of a topic has at once is `max_poll_records`",
        "the field 'group' is missing",
        "what a producer waits for is `acks`",
    ):
        assert words in str(caught.value)


# -- priorities and bytes ----------------------------------------------------------------------------------------------

TWO_PUBLISHERS = """
duration: 60s
traffic: {low: {sends: orders.low}, high: {sends: orders.high}}
services:
  orders:
    workers: unlimited
    endpoints: {low: [{publish: jobs, LOW}], high: [{publish: jobs, HIGH}]}
  worker: {workers: 4, consumes: {jobs: {prefetch: 1, CONSUME, do: [{work: 1s}]}}}
brokers: {rabbit: {kind: queue, message_size: 1000B, queues: {jobs: {QUEUE}}}}
"""


def by_priority(
    queue, low="priority: 1", high="priority: 5", lows=(0.0, 0.1, 0.2), highs=(0.3, 0.4), consume="ack: manual"
):
    """The order in which messages end, as offsets: low ones 0, 1 and 2, high ones 3 and 4. The first is under way at once."""
    text = TWO_PUBLISHERS.replace("LOW", low).replace("HIGH", high).replace("QUEUE", queue).replace("CONSUME", consume)
    played = testing.play_on_both(text, {"low": list(lows), "high": list(highs)})
    ended = rows(played)
    return played, [int(offset) for offset in ended.sort_values("end")["offset"]]


@pytest.mark.parametrize(
    ("queue", "said", "order"),
    [
        ("max_priority: 10", {}, [0, 3, 4, 1, 2]),
        ("type: quorum", {}, [0, 3, 4, 1, 2]),
        ("type: classic", {}, [0, 1, 2, 3, 4]),  # which does not tell them apart
        ("max_priority: 1", {}, [0, 1, 2, 3, 4]),  # a higher one counts as the highest
        ("max_priority: 10", {"low": "via: broker", "high": "priority: 0"}, [0, 1, 2, 3, 4]),  # without one it is 0
        ("type: quorum", {"low": "via: broker", "high": "priority: 3"}, [0, 1, 2, 3, 4]),  # without one it is 4
        ("type: quorum", {"low": "via: broker", "high": "priority: 5"}, [0, 3, 4, 1, 2]),
        ("type: quorum", {"low": "priority: 40", "high": "priority: 31"}, [0, 1, 2, 3, 4]),
    ],
)
def test_a_message_of_a_higher_priority_is_before_all_others(queue, said, order):
    """RabbitMQ's documentation, "Priority Support in Queues", and rabbit_fifo_pq.erl."""
    assert by_priority(queue, **said)[1] == order


def test_at_the_head_of_a_queue_that_is_too_long_it_is_the_higher_one_that_is_dropped():
    """Two may wait: with 1 and 2 the first high one is one too many, and the head; so is the next."""
    played, order = by_priority("max_priority: 10, max_length: 2")
    assert book(played).ended == {"processed": 3, "dropped": 2}
    assert order == [3, 4, 0, 1, 2]


def test_what_comes_back_keeps_its_priority_in_a_classic_queue():
    """The first high message is thrown back after a second of work, and is handed out again before the low ones."""
    text = (
        TWO_PUBLISHERS.replace("LOW", "priority: 1").replace("HIGH", "priority: 5").replace("QUEUE", "max_priority: 10")
    )
    text = text.replace("CONSUME", "ack: manual") + "faults: [{at: 1500ms, crash: {}, of: worker, restart_after: 1s}]\n"
    played = testing.play_on_both(text, {"low": [0.0, 0.1, 0.2], "high": [0.3, 0.4]})
    ended = rows(played).sort_values("end")
    assert [int(offset) for offset in ended["offset"]] == [0, 3, 4, 1, 2]


@pytest.mark.parametrize("type", ["classic", "quorum"])
def test_as_many_bytes_as_fit_may_wait(type):
    """2,999 bytes hold two messages of 1,000: the first is under way, and of the four that come two are refused."""
    said = {"low": "confirm: each", "high": "confirm: each"}
    played, _ = by_priority(f"type: {type}, max_length_bytes: 2999B, overflow: reject-publish", **said)
    assert book(played).ended == {"processed": 3, "dropped": 2}
    assert played.outcomes().count("ok") == 3


@pytest.mark.parametrize(
    ("queue", "words"),
    [
        ("type: quorum, max_priority: 3", "max_priority on a quorum queue"),
        ("overflow: reject-publish", "without a max_length"),
    ],
)
def test_priorities_and_limits_that_mean_nothing_are_errors(queue, words):
    with pytest.raises(ScenarioError, match=words):
        by_priority(queue)


def test_a_broker_has_any_number_of_queues():
    """A hundred, the last of which gives up what nobody takes to the first, and that back to it, where it ends: it went round in a circle."""
    queues = ", ".join(f"q{number}: {{}}" for number in range(1, 99))
    back, forth = (
        "{message_ttl: 1s, dead_letter: {routing_key: q99}}",
        "{message_ttl: 1s, dead_letter: {routing_key: q0}}",
    )
    text = f"""
    duration: 10s
    services: {{orders: {{workers: 1, endpoints: {{create: [{{publish: q99}}]}}}}}}
    brokers: {{rabbit: {{kind: queue, queues: {{q0: {back}, {queues}, q99: {forth}}}}}}}
    """
    played = testing.play_on_both(text, [0.0], sends="orders.create")
    assert [book(played, name).offered for name in ("q0", "q50", "q99")] == [1, 0, 1]
