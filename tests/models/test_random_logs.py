"""Logs in depth made at random, small and full of trouble: whatever happens, the books balance, every message has one row in each
group, and a run can be repeated.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim import testing
from tests.models.random_systems.luck import Luck
from tests.models.random_systems.producers import make_idempotent


def producer(luck: Luck) -> dict[str, Any]:
    made: dict[str, Any] = {
        "linger": luck.pick("linger", ("0s", "5ms", "100ms")),
        "batch": luck.pick("batch", ("1KiB", "4KiB", "16KiB")),
        "max_in_flight": luck.pick("in flight", (1, 2, 5)),
        "request_timeout": luck.pick("timeout", ("300ms", "1s")),
        "delivery_timeout": luck.pick("delivery", ("1500ms", "5s")),
        "max_block": luck.pick("block", ("10ms", "1s")),
    }
    if luck.maybe("small buffer", 0.3):
        made["buffer"] = "32KiB"
    if luck.maybe("acks", 0.6):
        made["acks"] = luck.pick("acks of", ("all", "1", "0"))
    if luck.maybe("twice", 0.3):
        made["idempotent"] = False
    return made


def topic(luck: Luck) -> dict[str, Any]:
    copies = luck.pick("copies", (1, 2, 3))
    made: dict[str, Any] = {
        "partitions": luck.pick("partitions", (1, 3, 6)),
        "replication_factor": copies,
        "min_insync_replicas": luck.pick("min", tuple(range(1, copies + 1))),
        "key": luck.pick("key", ("order", "user", "sticky")),
    }
    if luck.maybe("retention", 0.4):
        made["retention"] = {"time": "3s", "check": "1s", "segment_time": "1s"}
        if luck.maybe("by size", 0.5):
            made["retention"] |= {"size": "4KiB", "segment_size": "2KiB"}
    elif luck.maybe("compaction", 0.3):
        made |= {"compaction": {"check": "1s", "segment_size": "4KiB"}, "key": "user"}
    return made


def nodes(luck: Luck) -> dict[str, Any]:
    made: dict[str, Any] = {
        "count": 3,
        "session_timeout": luck.pick("session", ("200ms", "1s")),
        "replica_lag_time_max": luck.pick("lag", ("500ms", "2s")),
        "unclean_leader_election": luck.maybe("unclean", 0.4),
    }
    if luck.maybe("requests", 0.3):
        made["requests"] = "60/s"
    if luck.maybe("bytes", 0.3):
        made |= {"network": "200KiB", "disk": "100KiB"}
    return made


def faults(luck: Luck) -> list[dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {
        "node 0": {"for": "2s", "broker_down": "kafka", "node": 0},
        "node 1": {"for": "3s", "broker_down": "kafka", "node": 1},
        "node 2": {"for": "1500ms", "broker_down": "kafka", "node": 2},
        "down": {"for": "1s", "broker_down": "kafka"},
        "slow": {"for": "3s", "slow_disk": {"of": "kafka", "by": "500x", "node": 1}},
        "crash": {"crash": {"of": "worker", "replicas": 1, "restart_after": "1s"}},
        "publisher": {"crash": {"of": "front", "replicas": 1, "restart_after": "1s"}},
        "hang": {"for": "2s", "outage": "front", "how": "hang"},
        "cut": {"for": "1s", "network": {"between": ["front", "kafka"], "partition": True}},
        "lossy": {"for": "3s", "network": {"between": ["front", "kafka"], "loss": "20%"}},
    }
    taken = [kind for kind in kinds if luck.maybe(kind, 0.3)]
    return [{"name": kind, "at": f"{luck.pick(f'{kind} at', (1.0, 2.5, 4.0, 6.0))}s", **kinds[kind]} for kind in taken]


def log_system(seed: int) -> dict[str, Any]:
    """One service publishes, two groups read."""
    luck = Luck(f"log {seed}")
    publish: dict[str, Any] = {"publish": "events"}
    if luck.maybe("size", 0.3):
        publish["size"] = "3KiB"
    if luck.maybe("outbox", 0.3):
        publish["via"] = "outbox"
    broker: dict[str, Any] = {
        "kind": "log",
        "acks": luck.pick("acks", ("all", "1", "0")),
        "replication": luck.pick("replication", ("2ms", {"exponential": "10ms"})),
        "nodes": nodes(luck.at("nodes")),
        "topics": {"events": topic(luck.at("topic")), "more": {"partitions": 2}},
    }
    if luck.maybe("producer", 0.7):
        broker["producer"] = producer(luck.at("producer"))
        if luck.maybe("quota", 0.3):
            broker["quota"] = {"produce": "20KiB"}
    groups: dict[str, Any] = {
        name: {"replicas": 2, "workers": 1, "consumes": {"events": consume(luck.at(name), name)}}
        for name in ("worker", "other")
    }
    if any("transaction" in its["consumes"]["events"] for its in groups.values()):
        make_idempotent(broker)
    follows = {"group": "last", "auto_offset_reset": "earliest", "isolation": "read_committed", "do": [{"work": "1ms"}]}
    groups["last"] = {"workers": 1, "consumes": {"more": follows}}
    return {
        "duration": "12s",
        "traffic": {
            "clients": {
                "sends": "front.ask",
                "arrivals": {"poisson": "40/s"},
                "users": {"count": 5},
                "completes_with": ["done"],
            }
        },
        "services": {
            "front": {"workers": 50, "replicas": 2, "endpoints": {"ask": [publish, {"effect": "sent"}]}},
            **groups,
        },
        "brokers": {"kafka": broker},
        "network": {"default": {"latency": luck.pick("latency", ("1ms", {"exponential": "5ms"}))}},
        "faults": faults(luck.at("faults")),
    }


def consume(luck: Luck, group: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "group": group,
        "auto_offset_reset": luck.pick("reset", ("earliest", "latest")),
        "max_poll_records": luck.pick("records", (1, 10, 500)),
        "session_timeout": "2s",
        "do": [{"work": {"exponential": luck.pick("work", ("5ms", "40ms"))}}, {"fail": "5%"}, {"effect": "done"}],
    }
    if luck.maybe("retry topic", 0.3):
        made["retry_topic"] = {"delays": ["300ms", "1s"]}
    if luck.maybe("fetch", 0.3):
        made["fetch"] = {"min": luck.pick("min", ("2KiB", "64KiB")), "wait": "200ms"}
    if luck.maybe("committed", 0.3):
        made["isolation"] = "read_committed"
    if luck.maybe("transaction", 0.3):
        made["transaction"] = {"timeout": "1s"}
        made["do"] = [{"publish": "more"}, *made["do"]]
    elif luck.maybe("commit", 0.5):
        made["commit"] = luck.pick("commit of", ("record", "before", {"when": "automatic", "interval": "1s"}))
    if luck.maybe("membership", 0.4):
        made["membership"] = {
            "protocol": luck.pick("protocol", ("eager", "cooperative", "consumer")),
            "heartbeat_interval": "500ms",
        }
    return made


def assert_sound(system: dict[str, Any]) -> None:
    """The books of the topic balance with its rows, every message has one in each group, and the run is the same twice."""
    played = testing.play(system)
    frame = played.records.message_frame()
    for book in played.records.books:
        if book.component in ("events", "more"):
            rows = frame[frame["topic"] == book.component]
            assert book.offered == len(rows) == sum(book.ended.values()) + book.open
            assert not rows.duplicated(["partition", "offset", "group"]).any()
            assert rows["group"].value_counts().nunique() <= 1
    assert testing.play(system).records.fingerprint() == played.records.fingerprint()


def test_the_books_of_logs_made_at_random_balance():
    for seed in range(4):
        assert_sound(log_system(seed))


@pytest.mark.long
def test_the_books_of_a_hundred_of_them_balance():
    for seed in range(4, 64):
        assert_sound(log_system(seed))
