"""What `sim check` says of logs in depth: each rule has a system that meets it by its real cause, and a sound one meets none."""

import pytest

import sim
from sim.experiments.on_paper.offered_load import check

SOUND = """
version: 1
duration: 70s
warmup: 20s
seed: 5
traffic: {clients: {sends: front.ask, arrivals: {poisson: RATE}, timeout: 10s}}
services:
  front: {workers: 320, queue: {capacity: 50}, endpoints: {ask: [{publish: orders}]}}
  mail: {replicas: 2, workers: 1, consumes: {orders: {group: mail, CONSUME, do: [{work: {exponential: 1ms}}, STEP]}}}
  last: {workers: 1, consumes: {more: {group: last, LAST, do: [{work: 1ms}]}}}
brokers:
  kafka:
    kind: log
    producer: {linger: 5ms, ACKS}
    nodes: 3
    topics:
      orders: {partitions: 2, replication_factor: 3, min_insync_replicas: LEAST, RETENTION}
      more: {partitions: 1}
network: {default: {latency: 1ms}}
faults: [FAULT]
"""
DEFAULTS = {
    "RATE": "400/s",
    "CONSUME": "max_poll_records: 500",
    "STEP": "{work: 1ms}",
    "LAST": "max_poll_records: 500",
    "ACKS": "acks: all",
    "LEAST": "2",
    "RETENTION": "key: order",
    "FAULT": "",
}


def warnings(**said):
    text = SOUND
    for word, value in {**DEFAULTS, **said}.items():
        text = text.replace(word, value)
    return "\n".join(
        f"{finding.place}: {finding.finding}. {finding.why}" for finding in check(sim.load_text(text)).warnings
    )


def test_a_sound_one_is_not_warned_of_these():
    told = warnings()
    for words in ("linger", "stands still", "acks:", "min_insync", "uncommitted", "a transaction"):
        assert words not in told


OUTAGE = "{at: 30s, for: 20s, outage: mail, how: hang}"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        # 40/s x 5 ms / 2 partitions is 0.1 others
        ({"RATE": "40/s"}, "topic orders: linger 5ms at 40/s over 1 producers. a batch holds 1.1 records on average"),
        (
            {"RETENTION": "retention: {time: 10s}", "FAULT": OUTAGE},
            "topic orders: mail stands still for 20s. what it has not read is deleted after 10s",
        ),
        # 400/s x 20 s x 1 KiB / 2 partitions
        (
            {"RETENTION": "retention: {size: 1MiB}", "FAULT": OUTAGE},
            "topic orders: mail stands still for 20s. 4.1MB gather in a partition",
        ),
        ({"LEAST": "1"}, "topic orders: acks: all with 3 replicas and min_insync_replicas: 1"),
        ({"LEAST": "3"}, "topic orders: min_insync_replicas: 3 of 3 replicas. one node that is missing"),
        (
            {"ACKS": "acks: 1", "FAULT": "{at: 30s, for: 9s, broker_down: kafka, node: 0}"},
            "topic orders: acks: 1 and a node that is lost. what the node had acknowledged",
        ),
        (
            {"CONSUME": "transaction: 60s", "STEP": "{publish: more}"},
            "last <- more: reads uncommitted records of transactions",
        ),
        (
            {"CONSUME": "transaction: 2ms", "STEP": "{work: 3ms}"},
            "mail <- orders: a transaction may be open for 2ms, and records take 4ms on average. the broker aborts it",
        ),
        # exp(-8) of them take 8 ms more than their 2
        (
            {"CONSUME": "transaction: 10ms", "STEP": "{work: 2ms}"},
            "mail <- orders: a transaction may be open for 10ms, and 0.0335% of the records take longer",
        ),
    ],
)
def test_each_rule_has_its_cause(said, words):
    assert words in warnings(**said)


def test_who_reads_committed_records_is_not_warned_of():
    told = warnings(CONSUME="transaction: 60s", STEP="{publish: more}", LAST="isolation: read_committed")
    assert "uncommitted" not in told
