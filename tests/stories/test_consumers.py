"""Consumer groups: who reads what, what is delivered again, and what becomes of a record that fails."""

import pytest

from sim import testing
from sim.errors import ScenarioError

SYSTEM = """
duration: 300s
traffic: {clients: {sends: orders.create, completes_with: [done]}}
services:
  orders: {workers: unlimited, endpoints: {create: [{publish: events}]}}
  worker: {replicas: REPLICAS, workers: 4, endpoints: {do: [DO, {effect: done}]}, consumes: {events: {group: g, CONSUME do: [{perform: worker.do}]}}}
brokers: {kafka: {kind: log, topics: {events: {partitions: PARTITIONS}}}}
ledger: {charge: done}
"""


def system(do="{work: 100ms}", *, partitions=1, replicas=1, consume="auto_offset_reset: earliest,", faults=""):
    text = SYSTEM.replace("PARTITIONS", str(partitions)).replace("REPLICAS", str(replicas)).replace("CONSUME", consume)
    return text.replace("DO", do) + (f"faults: [{faults}]" if faults else "")


def done_at(played):
    return [
        round(arrival + completion, 9)
        for arrival, completion in zip(played.requests["arrival"], played.completions(), strict=True)
    ]


def test_a_partition_is_read_by_one_member_one_record_after_the_other():
    assert done_at(testing.play(system(), [0.0, 0.0, 0.0, 0.0])) == [0.1, 0.2, 0.3, 0.4]


def test_more_consumers_than_partitions_idle():
    """Eight members are no faster on two partitions than two are."""
    many = testing.play(
        system(partitions=2, consume="auto_offset_reset: earliest, consumers: 8,"), [0.01 * k for k in range(40)]
    )
    few = testing.play(
        system(partitions=2, consume="auto_offset_reset: earliest, consumers: 2,"), [0.01 * k for k in range(40)]
    )
    assert done_at(many) == done_at(few)
    assert many.records.gauge("g events", "busy").max() <= 2.0
    assert many.records.gauge("g events", "workers").max() == 2.0, (
        "six of them have no partition: they are idle, and do not count"
    )


def test_work_spreads_over_as_many_members_as_there_are_partitions():
    consume = "auto_offset_reset: earliest, consumers: 4,"
    one, four = (
        max(done_at(testing.play(system(partitions=partitions, consume=consume), [0.0] * 40))) for partitions in (1, 4)
    )
    assert one == pytest.approx(4.0)
    assert four < 2.0


def test_a_replica_that_says_no_number_consumes_with_one_thread_whatever_its_workers():
    """Two replicas of 50 workers and 50 ms a record do 40 records a second, as two Spring listeners do: of 100/s the rest waits."""
    played = testing.play(
        system("{wait: 50ms}", partitions=12, replicas=2).replace("workers: 4", "workers: 50"),
        [0.01 * k for k in range(3000)],
    )
    done = [round(time, 9) for time in done_at(played)]
    assert sum(time <= 30.0 for time in done) == pytest.approx(2 * 30 / 0.05, abs=4)
    assert max(done) > 70.0
    assert played.records.gauge("g events", "workers").max() == 2.0


CRASH = "{at: 250ms, crash: {of: worker, replicas: 1, restart_after: 10s}}"


def test_what_a_crashed_consumer_had_not_committed_is_delivered_again_when_it_is_back():
    """Five records in one batch; it dies in the third, having committed none: the first two are done twice."""
    consume = "auto_offset_reset: earliest,"
    played = testing.play(
        system(faults=CRASH, consume=consume).replace("100ms}", "100ms}").replace("workers: 4", "workers: 1"), [0.0] * 5
    )
    # The first record comes alone (the fetch was waiting for it); the other four make the batch that is lost.
    assert played.requests["charges"].tolist() == [1, 2, 1, 1, 1]
    assert [int(n) for n in played.records.messages["deliveries"]] == [1, 2, 2, 1, 1]
    assert done_at(played)[2:] == [10.45, 10.55, 10.65]


def test_with_max_poll_records_of_one_only_the_record_in_hand_is_delivered_again():
    played = testing.play(system(faults=CRASH, consume="auto_offset_reset: earliest, max_poll_records: 1,"), [0.0] * 5)
    assert played.requests["charges"].tolist() == [1] * 5
    assert [int(n) for n in sorted(played.records.messages["deliveries"])] == [1, 1, 1, 1, 2]
    assert done_at(played) == [0.1, 0.2, 10.35, 10.45, 10.55]
    assert played.records.gauge("worker", "work_wasted")[-1] == 0.0  # what it had done for records that are committed


def test_the_partitions_of_a_member_that_stays_away_move_when_its_session_times_out():
    consume = "auto_offset_reset: earliest, consumers: 1, session_timeout: 20s,"
    played = testing.play(
        system(replicas=2, partitions=2, consume=consume, faults="{at: 1s, crash: {of: worker, replicas: 1}}"),
        [2.0] * 20,
    )
    moved = played.events("partitions_assigned")
    assert [(event.time, event.subject, event.object, event.value) for event in moved] == [(21.0, "g", "events", 1.0)]
    times = done_at(played)
    assert all(time < 5 or time > 21 for time in times)
    assert any(time < 5 for time in times)
    assert any(time > 21 for time in times)


def test_a_member_that_comes_back_in_time_keeps_its_partitions():
    consume = "auto_offset_reset: earliest, consumers: 1, session_timeout: 20s,"
    played = testing.play(
        system(
            replicas=2,
            partitions=2,
            consume=consume,
            faults="{at: 1s, crash: {of: worker, replicas: 1, restart_after: 15s}}",
        ),
        [2.0] * 20,
    )
    assert not played.events("partitions_assigned")
    assert all(time < 5 or 16 < time < 20 for time in done_at(played))


def test_a_second_crash_starts_a_session_of_its_own():
    """Back after 15 s and dead again at 18 s: the session ends at 38 s, not 20 s after the first death."""
    consume = "auto_offset_reset: earliest, consumers: 1, session_timeout: 20s,"
    faults = "{at: 1s, crash: {of: worker, replicas: 1, restart_after: 15s}}, {name: again, at: 18s, crash: {of: worker, replicas: 1}}"
    played = testing.play(system(replicas=2, partitions=2, consume=consume, faults=faults), [30.0] * 20)
    assert [event.time for event in played.events("partitions_assigned")] == [38.0]


def test_a_new_group_with_latest_skips_what_was_there_before_its_partition_had_an_owner_who_committed():
    """Both members are dead when the records come and nothing was ever committed: whoever takes the partition over starts at its end."""
    consume = "auto_offset_reset: RESET, consumers: 1, session_timeout: 5s,"
    faults = "{at: 1s, crash: {of: worker, replicas: 2, restart_after: 30s}}"
    latest = testing.play(
        system(replicas=2, consume=consume.replace("RESET", "latest"), faults=faults), [2.0, 2.1, 50.0]
    )
    assert sorted(latest.records.message_frame()["how"]) == ["processed", "skipped", "skipped"]
    assert latest.effects() == [[], [], ["done"]]
    earliest = testing.play(
        system(replicas=2, consume=consume.replace("RESET", "earliest"), faults=faults), [2.0, 2.1, 50.0]
    )
    assert set(earliest.records.message_frame()["how"]) == {"processed"}


def test_latest_goes_on_where_it_was_once_something_was_committed():
    consume = "auto_offset_reset: latest, consumers: 1, session_timeout: 5s,"
    faults = "{at: 1s, crash: {of: worker, replicas: 2, restart_after: 30s}}"
    played = testing.play(system(replicas=2, consume=consume, faults=faults), [0.5, 2.0, 2.1])
    assert set(played.records.message_frame()["how"]) == {"processed"}


def test_a_record_that_fails_goes_through_the_delay_topics_and_is_dead_lettered_after_the_last():
    """Deliveries at 0, then 1 s, 10 s and 60 s after the failure before; the fourth failure is the end."""
    played = testing.play(
        system("{fail: 100%}", consume="auto_offset_reset: earliest, retry_topic: {delays: [1s, 10s, 60s]},"), [0.0]
    )
    message = played.records.message_frame().iloc[0]
    assert (message["how"], message["deliveries"], message["end"]) == ("dead_lettered", 4, 71.0)
    assert played.outcomes() == ["ok"]
    assert not played.requests["pending"].iloc[0]  # a lost order


@pytest.mark.parametrize(
    ("said", "deliveries", "end"),
    [
        ("{}", 3, 2.0),  # @RetryableTopic as it is: three attempts, a second apart
        ("{attempts: 5, backoff: {exponential: {base: 1s, max: 30s}}}", 5, 1.0 + 2.0 + 4.0 + 8.0),
        ("{attempts: 8, backoff: {exponential: {base: 1s, max: 30s}}}", 8, 31.0 + 30.0 + 30.0),  # Spring's maxDelay
        ("{attempts: 4, backoff: {constant: 3s}}", 4, 9.0),
    ],
)
def test_retry_topics_are_said_as_spring_says_them(said, deliveries, end):
    consume = f"auto_offset_reset: earliest, retry_topic: {said},"
    message = testing.play(system("{fail: 100%}", consume=consume), [0.0]).records.message_frame().iloc[0]
    assert (message["how"], message["deliveries"], message["end"]) == ("dead_lettered", deliveries, end)


def test_delays_and_attempts_are_one_thing_said_twice():
    with pytest.raises(ScenarioError, match="found `attempts` beside `delays`"):
        testing.play(system(consume="retry_topic: {delays: [1s], attempts: 3},"), [0.0])


def test_a_failing_record_blocks_its_partition_where_there_is_no_retry_topic():
    """Ten deliveries at once, each of 50 ms, and the others wait behind it."""
    played = testing.play(
        """
        duration: 60s
        traffic: {clients: {sends: orders.create, completes_with: [done]}}
        services:
          orders: {workers: unlimited, endpoints: {create: [{publish: events}]}}
          worker:
            workers: 4
            endpoints: {do: [{work: {replay: {data: [0.05, 0.01]}}}, {call: bank.pay}, {effect: done}]}
            consumes: {events: {group: g, auto_offset_reset: earliest, do: [{perform: worker.do}]}}
          bank: {workers: 1, endpoints: {pay: [{work: 10ms}]}}
        brokers: {kafka: {kind: log, topics: {events: {partitions: 1}}}}
        faults: [{at: 0s, for: 515ms, outage: bank, how: refuse}]
        """,
        [0.0, 0.001],
    )
    frame = played.records.message_frame().sort_values("offset")
    assert frame["how"].tolist() == ["dead_lettered", "processed"]
    assert frame["deliveries"].tolist() == [10, 2]  # 10 x 50 ms; the next fails once at 0.51, and is good at 0.53
    assert played.effects() == [[], ["done"]]
    assert done_at(played)[1] == 0.53


def test_a_retry_topic_lets_the_others_pass():
    played = testing.play(
        """
        duration: 60s
        traffic: {clients: {sends: orders.create, completes_with: [done]}}
        services:
          orders: {workers: unlimited, endpoints: {create: [{publish: events}]}}
          worker:
            workers: 4
            endpoints: {do: [{work: 50ms}, {call: bank.pay}, {effect: done}]}
            consumes: {events: {group: g, auto_offset_reset: earliest, retry_topic: [1s], do: [{perform: worker.do}]}}
          bank: {workers: 1, endpoints: {pay: [{work: 10ms}]}}
        brokers: {kafka: {kind: log, topics: {events: {partitions: 1}}}}
        faults: [{at: 0s, for: 80ms, outage: bank, how: refuse}]
        """,
        [0.0, 0.001, 0.002],
    )
    assert done_at(played) == [1.11, 0.11, 0.17]
    assert set(played.records.message_frame()["how"]) == {"processed"}


def test_a_refusal_by_the_business_is_an_ack():
    played = testing.play(system("{refuse: 100%}"), [0.0])
    message = played.records.message_frame().iloc[0]
    assert (message["how"], message["deliveries"]) == ("processed", 1)
    assert played.effects() == [[]]


def test_two_groups_each_get_every_record():
    other = """
  other: {workers: 1, endpoints: {do: [{work: 10ms}]}, consumes: {events: {group: h, auto_offset_reset: earliest, do: [{perform: other.do}]}}}
  worker:"""
    text = system().replace("\n  worker:", other)
    played = testing.play(text, [0.0, 1.0])
    frame = played.records.message_frame()
    assert frame.groupby("group").size().to_dict() == {"g": 2, "h": 2}
    assert {book.component: book.offered for book in played.records.books}["events"] == 4


def test_all_messages_of_one_user_stand_in_one_partition_in_order_when_the_user_is_the_key():
    text = (
        system(partitions=8)
        .replace("partitions: 8", "partitions: 8, key: user")
        .replace("sends: orders.create,", "sends: orders.create, users: {count: 5},")
    )
    played = testing.play(text, [0.01 * k for k in range(60)])
    frame = played.records.message_frame().merge(
        played.requests[["id", "user", "number"]], left_on="request", right_on="id"
    )
    assert (frame.groupby("user")["partition"].nunique() == 1).all()
    for _, own in frame.sort_values("offset").groupby("partition"):
        assert own["number"].is_monotonic_increasing


@pytest.mark.parametrize(("how", "done", "deliveries"), [("hang", 5.05, 1), ("refuse", 5.1, 2), ("blackhole", 0.1, 1)])
def test_an_outage_of_the_consuming_service_stops_its_consumers(how, done, deliveries):
    """Halfway through a record: a hang freezes it, a refusal fails it and it comes again without a hop to the retry topic; no commit leaves a black hole."""
    consume = "auto_offset_reset: earliest, retry_topic: [60s],"
    played = testing.play(
        system(consume=consume, faults=f"{{at: 50ms, for: 4950ms, outage: worker, how: {how}}}"), [0.0, 1.0]
    )
    frame = played.records.message_frame().sort_values("offset")
    assert done_at(played)[0] == done
    assert frame["deliveries"].tolist() == [deliveries, 1]
    assert done_at(played)[1] == pytest.approx(max(done, 5.0) + 0.1)


@pytest.mark.parametrize("fault", ["broker_down: kafka", "network: {between: [worker, kafka], partition: true}"])
def test_consumers_that_cannot_reach_the_broker_get_nothing_and_catch_up(fault):
    played = testing.play(
        system(faults=f"{{at: 500ms, for: 4500ms, {fault}}}").replace(
            "{publish: events}", "{publish: events, via: outbox, poll: 10ms}"
        ),
        [0.0, 1.0, 2.0],
    )
    times = done_at(played)
    assert times[0] == 0.11
    assert 5.1 <= times[1] <= 5.12
    assert 5.2 <= times[2] <= 5.22


TWO_SERVICES = """
duration: 300s
traffic: {shoppers: {sends: orders.create, completes_with: [done]}}
services:
  orders: {workers: 10, endpoints: {create: [{publish: events}]}}
  one: {workers: 1, consumes: {events: {group: g, consumers: 1, auto_offset_reset: earliest, session_timeout: 1s, do: [{work: 10s}, {effect: done}]}}}
  two: {workers: 1, consumes: {events: {group: g, consumers: 1, auto_offset_reset: earliest, session_timeout: 45s, do: [{work: 10s}, {effect: done}]}}}
brokers: {kafka: {kind: log, topics: {events: {partitions: 2}}}}
faults: [{name: first, at: 1s, crash: {of: one, restart_after: 4s}}, {name: second, at: 6s, crash: {of: two}}]
"""


def test_what_a_dead_member_gives_back_is_polled_by_the_idle_member_that_has_its_partition_meanwhile():
    """The record of 3 s is of partition 0, which moved to `two` at 2 s and back to `one` at 5 s: `two` works on it until it dies at 6 s."""
    played = testing.play(TWO_SERVICES, [3.0])
    assert played.records.messages["partition"].tolist() == [0]
    assert done_at(played) == [16.0]
    assert played.records.messages["deliveries"].tolist() == [2]


def test_a_rebalance_starts_nobody_at_the_end_of_a_partition_that_stays_with_its_member():
    """Nothing is committed yet when the other member's session ends at 6 s: its three records are skipped, those that wait in the other partition are not."""
    consume = "auto_offset_reset: latest, consumers: 1, max_poll_records: 1, session_timeout: 5s,"
    faults = "{at: 1s, crash: {of: worker, replicas: 1}}"
    played = testing.play(
        system("{work: 20s}", partitions=2, replicas=2, consume=consume, faults=faults), [0.1 * k for k in range(6)]
    )
    frame = played.records.message_frame().sort_values(["partition", "offset"])
    assert frame.groupby("partition")["how"].apply(set).to_dict() == {0: {"skipped"}, 1: {"processed"}}


@pytest.mark.parametrize(
    ("fault", "how"),
    [("crash: {of: worker, restart_after: 2s}", "skipped"), ("for: 2s, outage: worker, how: refuse", "processed")],
)
def test_with_latest_only_a_process_that_died_has_forgotten_where_it_was(fault, how):
    """Back within its session, with nothing committed: who died begins at the end, who refused for a while goes on where it stood."""
    consume = "auto_offset_reset: latest, max_poll_records: 1,"
    played = testing.play(system("{work: 2s}", consume=consume, faults=f"{{at: 1s, {fault}}}"), [0.0, 0.1, 2.0, 10.0])
    assert played.records.message_frame().sort_values("offset")["how"].tolist() == [how, how, how, "processed"]


IDEMPOTENT = "auto_offset_reset: earliest, idempotent: true,"


def test_an_idempotent_consumer_processes_two_events_of_one_order():
    text = system(consume=IDEMPOTENT).replace("[{publish: events}]", "[{publish: events}, {publish: events}]")
    played = testing.play(text, [0.0])
    assert len(played.records.messages) == 2
    assert played.requests["charges"].tolist() == [2]


@pytest.mark.parametrize(
    "via", ["via: outbox", "policy: {timeout: 90ms, retry: {max_attempts: 2, backoff: {constant: 0s}}}"]
)
def test_an_idempotent_consumer_skips_what_was_published_twice(via):
    """The first ack, of a publication at 60 ms or at 160 ms by the outbox, is lost in a cut: the same event is published once more."""
    text = system(consume=IDEMPOTENT).replace("{publish: events}", f"{{publish: events, {via}}}")
    text = text.replace("traffic:", "network: {links: [{between: [orders, kafka], latency: 60ms}]}\ntraffic:")
    text += "faults: [{at: 60ms, for: 25ms, network: {between: [orders, kafka], partition: true}}, {name: later, at: 130ms, for: 50ms, network: {between: [orders, kafka], partition: true}}]"
    played = testing.play(text, [0.0])
    assert len(played.records.messages) == 2
    assert played.requests["charges"].tolist() == [1]


def test_a_fetch_on_a_lossy_network_takes_as_long_as_one_on_a_good_one():
    """TCP sends a lost segment again; what is not modelled is the time that takes. The latency of a fault does count."""
    network = "network: {links: [{between: [worker, kafka], latency: 100ms, loss: 50%}]}\ntraffic:"
    faults = "{at: 100s, network: {between: [worker, kafka], latency: 50ms, loss: 50%}}"
    played = testing.play(
        system("{work: 0s}", faults=faults).replace("traffic:", network), [float(k) for k in range(200)]
    )
    assert played.completions() == [0.1] * 100 + [0.15] * 100


def test_a_commit_for_the_retry_topic_covers_what_was_processed_before_in_its_partition():
    """The first comes alone; of the next three the second fails at 2 s. Dead at 2.3 s: what follows the failure comes again, what was before does not."""
    text = """
    duration: 60s
    traffic: {clients: {sends: orders.create}}
    services:
      orders: {workers: 10, endpoints: {create: [{publish: events}]}}
      bank: {workers: 100, endpoints: {pay: [{wait: {replay: {data: [0.5, 0.5, 100, 0.9]}}}]}}
      worker:
        workers: 1
        consumes:
          events:
            {group: g, auto_offset_reset: earliest, retry_topic: [5s], do: [{call: bank.pay, policy: {timeout: 1s}}, {effect: done}]}
    brokers: {kafka: {kind: log, topics: {events: {partitions: 1}}}}
    ledger: {charge: done}
    faults: [{at: 2300ms, crash: {of: worker, restart_after: 1s}}]
    """
    played = testing.play(text, [0.0, 0.1, 0.1, 0.1])
    frame = played.records.message_frame().sort_values("offset")
    assert frame["how"].tolist() == ["processed", "processed", "dead_lettered", "processed"]
    assert frame["end"].round(9).tolist() == [0.5, 1.0, 8.0, 4.2]
    assert frame["deliveries"].tolist() == [1, 1, 2, 2]
    assert played.requests["charges"].tolist() == [1, 1, 0, 1]
