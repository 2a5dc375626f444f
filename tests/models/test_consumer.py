"""Members of consumer groups: fetching, polling, committing, and whose turn it is."""

from itertools import pairwise

from sim import testing

SYSTEM = """
duration: 60s
traffic: {clients: {sends: a.get, completes_with: [done]}}
services:
  a: {workers: unlimited, endpoints: {get: [{publish: events}]}}
  b:
    replicas: REPLICAS
    workers: WORKERS
    endpoints: {do: [{work: 100ms}, {effect: done}]}
    consumes: {events: {group: g, auto_offset_reset: earliest, CONSUME do: [{perform: b.do}]}}
brokers: {kafka: {kind: log, topics: {events: {partitions: PARTITIONS, KEY}}}}
"""


def system(partitions=1, replicas=1, workers=4, consume="", key="key: order", more=""):
    text = (
        SYSTEM.replace("PARTITIONS", str(partitions))
        .replace("REPLICAS", str(replicas))
        .replace("WORKERS", str(workers))
    )
    return text.replace("CONSUME", consume).replace("KEY", key) + more


def members(partitions, replicas, workers, consume=""):
    return testing.play(system(partitions, replicas, workers, consume), [0.0]).records.gauge("g events", "workers")[-1]


def test_by_default_a_replica_has_one_member_however_many_workers_or_partitions_there_are():
    """Spring Kafka's `concurrency` is 1, and kafkajs and the Java client are one consumer."""
    assert members(8, 2, 16) == 2
    assert members(8, 1, 2) == 1
    assert members(8, 2, 1, "consumers: 5,") == 8  # two of ten have no partition, and do not count


def test_members_have_threads_of_their_own_and_take_no_worker_of_the_service():
    text = system(workers=1).replace(
        "traffic: {clients: {sends: a.get, completes_with: [done]}}",
        "traffic: {clients: {sends: a.get, completes_with: [done]}, others: {sends: b.do}}",
    )
    played = testing.play(text, {"clients": [0.0], "others": [0.0]})
    assert played.responses("others") == [0.1]
    assert played.completions("clients") == [0.1]


def test_the_fetch_of_an_idle_member_brings_the_record_after_one_hop():
    text = system(more="network: {links: [{between: [b, kafka], latency: 30ms}]}")
    assert testing.play(text, [0.0]).completions() == [0.13]


def test_partitions_of_one_member_take_turns():
    """One member, one record a poll: as long as both partitions have records, they go turn by turn."""
    played = testing.play(system(2, consume="consumers: 1, max_poll_records: 1,"), [0.0] * 40)
    order = played.records.message_frame().sort_values("end")["partition"].tolist()
    shorter = min(order.count(0), order.count(1))
    assert shorter > 10
    assert all(one != other for one, other in pairwise(order[1 : 2 * shorter - 1]))


def test_the_lag_counts_what_is_published_and_not_committed():
    played = testing.play(
        system(consume="max_poll_records: 1,").replace("duration: 60s", "duration: 60s\nrecord: {interval: 50ms}"),
        [0.0, 0.0, 0.0],
    )
    lag = played.records.gauge("g events", "lag")
    assert lag[:8].tolist() == [0.0, 3.0, 2.0, 2.0, 1.0, 1.0, 0.0, 0.0]


def test_a_batch_is_committed_as_a_whole():
    """The fetch brings the first alone; the other four are one batch, whose lag falls when it is over."""
    played = testing.play(system().replace("duration: 60s", "duration: 60s\nrecord: {interval: 100ms}"), [0.0] * 5)
    assert played.records.gauge("g events", "lag")[:7].tolist() == [0.0, 4.0, 4.0, 4.0, 4.0, 0.0, 0.0]


def test_a_failing_record_keeps_its_place_in_the_partition_when_its_member_dies():
    """In-place redelivery is no retry topic: of a batch of three the second fails when the crash comes, and all come back in the order of offsets."""
    text = """
    duration: 60s
    traffic: {clients: {sends: a.get, completes_with: [done]}}
    services:
      a: {workers: unlimited, endpoints: {get: [{publish: events}]}}
      b:
        workers: 4
        endpoints: {do: [{work: 100ms}, {call: c.get}, {effect: done}]}
        consumes: {events: {group: g, auto_offset_reset: earliest, do: [{perform: b.do}]}}
      c: {workers: 9, endpoints: {get: [{work: 10ms}]}}
    brokers: {kafka: {kind: log, topics: {events: {partitions: 1}}}}
    faults:
      - {at: 300ms, for: 150ms, errors: {of: c, share: 100%}}
      - {at: 400ms, crash: {of: b, replicas: 1, restart_after: 1s}}
    """
    played = testing.play(text, [0.0, 0.01, 0.02, 0.03])
    # the first alone until 0.11 s, the second until 0.22 s; the third fails at 0.32 s
    assert [(attempt.request, attempt.arrived) for attempt in played.attempts("c.get")] == [
        (0, 0.1), (1, 0.21), (2, 0.32), (1, 1.5), (2, 1.61), (3, 1.72),
    ]  # fmt: skip
    assert played.records.message_frame().sort_values("offset")["deliveries"].tolist() == [1, 2, 3, 1]


def test_a_record_that_went_to_the_retry_topic_has_committed_its_offset():
    """Under `latest`, whoever takes the partition over goes on behind it and skips nothing."""
    text = (
        system(1, 2, consume="consumers: 1, session_timeout: 5s, retry_topic: [60s],")
        .replace("earliest", "latest")
        .replace("duration: 60s", "duration: 90s")
    )
    text += "faults: [{at: 0s, for: 800ms, errors: {of: b, share: 100%}}, {at: 1s, crash: {of: b, replicas: 1}}]"
    played = testing.play(text, [0.5, 2.0])
    assert played.records.message_frame().sort_values("offset")["how"].tolist() == ["processed", "processed"]
    assert played.completions() == [60.1, 4.1]


def test_members_of_two_services_can_share_one_group():
    other = """
  c:
    workers: 4
    endpoints: {do: [{work: 100ms}, {effect: done}]}
    consumes: {events: {group: g, auto_offset_reset: earliest, consumers: 1, do: [{perform: c.do}]}}
  a: {workers"""
    text = system(4, consume="consumers: 1,").replace("\n  a: {workers", other)
    played = testing.play(text, [0.01 * k for k in range(20)])
    assert played.requests["completion"].notna().all()
    assert len(played.records.messages) == 20  # each record went to one of them
