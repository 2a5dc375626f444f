"""Warnings about logs: batches of one record, retention shorter than a backlog, replicas that protect nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from sim.experiments.on_paper.attempts import SELDOM
from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.spec.broker import LogBroker, Topic
from sim.spec.broker_fault import BrokerDown
from sim.spec.fault import Crash, Fault, Outage
from sim.spec.step import Publish
from sim.spec.walk import visits
from sim.units import show_duration, show_rate, show_share, show_size

FEW = 1.5  # records in a batch: with fewer, waiting for others costs time and saves little


def _topics(view: View) -> Iterator[tuple[str, LogBroker, str, Topic, float]]:
    """(broker's name, broker, topic's name, topic, events in a second at the peak)."""
    for name, broker in view.scenario.brokers.items():
        if isinstance(broker, LogBroker):
            for topic, spec in broker.topics.items():
                yield name, broker, topic, spec, view.analysis.rates_peak.topics.get(topic, 0.0)


def lonely_batches(view: View) -> Iterator[Finding]:
    """Producers that wait for others who do not come: rate x linger records meet in one batch of a partition."""
    for _, broker, name, topic, rate in _topics(view):
        producer = broker.producer
        if producer is None or producer.linger <= 0.0 or rate <= 0.0:
            continue
        owners = {
            visit.service
            for visit in visits(view.scenario)
            if isinstance(visit.step, Publish) and visit.step.topic == name
        }
        producers = sum(view.scenario.services[service].replicas for service in owners)
        sticks = topic.key is None and topic.key_header is None and topic.partitioner == "built_in"
        lanes = 1 if sticks else int(np.count_nonzero(view.analysis.rates_peak.partitions[name]))
        met = 1.0 + rate * producer.linger / (producers * lanes)
        if met < FEW:
            finding = f"linger {show_duration(producer.linger)} at {show_rate(rate)} over {producers} producers"
            why = (
                f"a batch holds {met:.2g} records on average, and each publication takes up to "
                f"{show_duration(producer.linger)} longer for it; without linger it would go at once"
            )
            yield Finding(f"topic {name}", finding, why)


def short_retention(view: View) -> Iterator[Finding]:
    """Backlogs, of faults that stop all consumers of a topic, that are older or larger than what is kept."""
    for _, _, name, topic, rate in _topics(view):
        kept = topic.retention
        if kept is None:
            continue
        for service, spec in view.scenario.services.items():
            longest = max((_stands_still(fault, service, view) for fault in view.scenario.faults), default=0.0)
            if name not in spec.consumes or longest <= 0.0:
                continue
            backlog = rate * longest * topic.message_size / topic.partitions
            finding = f"{service} stands still for {show_duration(longest)}"
            if kept.time is not None and longest > kept.time:
                why = f"what it has not read is deleted after {show_duration(kept.time)} (and the time of a check)"
                yield Finding(f"topic {name}", finding, why)
            elif kept.size is not None and backlog > kept.size:
                why = (
                    f"{show_size(backlog)} gather in a partition, of which it keeps {show_size(kept.size)}: the oldest "
                    "are deleted, read or not"
                )
                yield Finding(f"topic {name}", finding, why)


def _stands_still(fault: Fault, service: str, view: View) -> float:
    """Seconds for which no consumer of a service works; 0: some do."""
    if (isinstance(fault, Outage) and fault.of == service) or (
        isinstance(fault, Crash) and fault.of == service and fault.replicas >= view.scenario.services[service].replicas
    ):
        end = fault.end
    else:
        return 0.0
    return min(end, view.scenario.duration) - fault.at if math.isfinite(end) else view.scenario.duration - fault.at


def replicas_that_protect_nothing(view: View) -> Iterator[Finding]:
    """`acks: all` that one replica can satisfy, in-sync counts that no node may miss, acks that wait for less."""
    nodes = {fault.broker for fault in view.scenario.faults if isinstance(fault, BrokerDown) and fault.node is not None}
    for broker_name, broker, name, topic, _ in _topics(view):
        copies, least = topic.replication_factor, topic.min_insync_replicas
        if copies < 2:
            continue
        acks = broker.heard_acks
        if acks == "all" and least == 1:
            why = (
                "when only the leader is in sync, its own copy is enough, and what it acknowledges then is lost with "
                "it; min_insync_replicas: 2 refuses instead"
            )
            yield Finding(f"topic {name}", f"acks: all with {copies} replicas and min_insync_replicas: 1", why)
        elif acks == "all" and least == copies:
            why = "one node that is missing, if only for its restart, and nothing can be published"
            yield Finding(f"topic {name}", f"min_insync_replicas: {least} of {copies} replicas", why)
        elif acks != "all" and broker_name in nodes:
            why = "what the node had acknowledged and its followers had not fetched is lost; `acks: all` waits for them"
            yield Finding(f"topic {name}", f"acks: {acks} and a node that is lost", why)


def transactions_read_uncommitted(view: View) -> Iterator[Finding]:
    """Records of transactions that a group reads before they are committed."""
    written: set[str] = set()
    for spec in view.scenario.services.values():
        for consume in spec.consumes.values():
            if consume.transaction is not None:
                written.update(step.topic for step in consume.do if isinstance(step, Publish))
    for service, spec in view.scenario.services.items():
        for name, consume in spec.consumes.items():
            if name in written and consume.isolation == "read_uncommitted":
                why = "it also reads what is aborted and published again; `isolation: read_committed` passes that over"
                yield Finding(f"{service} <- {name}", "reads uncommitted records of transactions", why)


def short_transactions(view: View) -> Iterator[Finding]:
    """Records that are handled for longer than their transaction may be open."""
    for service, spec in view.scenario.services.items():
        for topic, consume in spec.consumes.items():
            if consume.transaction is None:
                continue
            limit, each = consume.transaction.timeout, view.flow.consumers[service, topic].hold
            late = view.patience.share_of_records_above(service, topic, limit)
            if each > limit:
                takes = f"records take {show_duration(each)} on average"
            elif late > SELDOM:
                takes = f"{show_share(late)} of the records take longer"
            else:
                continue
            why = (
                "the broker aborts it at its next look, every ten seconds, and the record has failed: it is handled "
                "again, with all its effects outside of the log"
            )
            yield Finding(
                f"{service} <- {topic}", f"a transaction may be open for {show_duration(limit)}, and {takes}", why
            )


RULES = (
    lonely_batches,
    short_retention,
    replicas_that_protect_nothing,
    transactions_read_uncommitted,
    short_transactions,
)
