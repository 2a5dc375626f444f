"""Producers of log brokers and who publishes through them, as rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.compiled.calendar import OF_MEMORY
from sim.compiled.draw_rows import row_of
from sim.compiled.rows import producers as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.topics import ALL, LEADER, NO_ACKS
from sim.compiled.wiring.calls import placed_by
from sim.compiled.wiring.found import Filled, Found, FoundPolicies, fractions
from sim.policies.client_quota import ClientQuotaRow, new_client_quota, ring_size
from sim.policies.partitioner import BuiltInRow, new_built_in

if TYPE_CHECKING:
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.places import Places
    from sim.models.logs.publishing import ProducedStore, Producing
    from sim.spec.cluster import Quota

ACKS = {"0": int(NO_ACKS), "1": int(LEADER), "all": int(ALL)}


class ProducerTables:
    """Their rows: one producer for each replica and broker that has some, and for each member that has transactions."""

    def __init__(self, places: Places, calls: CallTables):
        self.places, self.calls = places, calls
        self.settings, self.producers = Found(rows.ProducerSettings), Found(rows.Producer)
        self.publishers = Found(rows.Publisher)
        self.built_ins = FoundPolicies(BuiltInRow)
        self.quotas = FoundPolicies(ClientQuotaRow)
        self.rings: list[float] = []
        self.lines = 0
        self.connections = 0
        self.most_at_once = 1  # requests that one operation sends at most, times the batches of each
        self.producer_at: dict[object, int] = {}  # of each member that has transactions
        self._settings_of: dict[object, int] = {}
        for broker in places.broker_at:
            if broker.spec.producer is not None:
                self._broker(broker)

    @property
    def brokers(self) -> int:
        """How many have producers."""
        return len(self.settings)

    def _broker(self, broker: Any) -> None:  # noqa: ANN401 - a broker that may have nodes
        spec, places = broker.spec.producer, self.places
        acks = spec.acks_of(broker.acks)
        first_topic = min(places.topic_at[topic] for topic in broker.topics)
        before = [len(topic.partitions) for topic in list(places.topic_at)[:first_topic]]
        partitions = sum(len(topic.partitions) for topic in broker.topics)
        self.most_at_once = max(self.most_at_once, partitions * spec.max_in_flight * len(broker.nodes))
        self._settings_of[broker] = place = self.settings.add(
            linger=spec.linger,
            batch=spec.batch,
            buffer=spec.buffer,
            request_timeout=spec.request_timeout,
            delivery_timeout=spec.delivery_timeout,
            retry_backoff=spec.retry_backoff,
            retry_backoff_max=spec.retry_backoff_max,
            max_in_flight=spec.max_in_flight,
            acks=ACKS[acks],
            idempotent=spec.knows_again(acks),
            chance=row_of(broker.chance),
            broker=places.broker_at[broker],
            first_producer=len(self.producers),
            first_partition=sum(before),
            first_topic=first_topic,
            first_node=places.node_at[broker.nodes[0]],
            nodes=len(broker.nodes),
            topics=len(broker.topics),
            **self._quota(broker.spec.quota, len(broker.nodes)),
        )
        self._producers(broker, place, partitions)

    def _producers(self, broker: Any, place: int, partitions: int) -> None:  # noqa: ANN401 - likewise
        """One for each replica, and one for each consumer that handles records in transactions."""
        spec, places = broker.spec.producer, self.places
        transact = [its for its in places.members if places.transacts(its) and its.group.topic.broker is broker]
        self.settings.rows[place]["producers"] = len(places.replicas) + len(transact)
        for member in transact:
            self.producer_at[member] = len(self.producers) + len(places.replicas) + transact.index(member)
        for replica in [*range(len(places.replicas)), *(places.replica_at[member.replica] for member in transact)]:
            self.producers.add(
                settings=place,
                replica=replica,
                first_line=self.lines,
                first_built_in=len(self.built_ins),
                first_connection=self.connections,
                woken_at=math.inf,
            )
            self.lines += partitions
            self.connections += len(broker.nodes)
            for topic in broker.topics:
                self.built_ins.add(new_built_in(len(topic.partitions), spec.batch))

    def _quota(self, quota: Quota | None, nodes: int) -> dict[str, int]:
        """Each service that publishes has one of its own at each node."""
        if quota is None or quota.produce is None:
            return {"first_quota": NOBODY}
        size, found = ring_size(quota.windows), {"first_quota": len(self.quotas), "quota_ring": len(self.rings)}
        for _ in range(nodes * len(self.places.hosts)):
            row, ring = new_client_quota(quota.produce, quota.window, quota.windows)
            self.quotas.add(row)
            self.rings += ring
        return {**found, "quota_ring_size": size, "hosts": len(self.places.hosts)}

    def settings_of(self, broker: object) -> int:
        """Those of the producers of a broker; NOBODY: it has none."""
        return self._settings_of.get(broker, NOBODY)

    def publisher(self, publishing: Producing | ProducedStore) -> int:
        """One place that publishes so: a step, or the relay of an outbox, which is its own way."""
        topic, call = publishing.topic, getattr(publishing, "call", None)
        return self.publishers.add(
            size=publishing.size,
            settings=self._settings_of[topic.broker],
            topic=self.places.topic_at[topic],
            key=placed_by(topic, publishing.key),
            site=publishing.site,
            out=self.calls.hop(call.hop) if call is not None else NOBODY,
            back=self.calls.hop(call.back) if call is not None else NOBODY,
            patience=self.places.lane(publishing.memory.patience.duration, OF_MEMORY, 0),
            hears=getattr(publishing, "hears", True),
        )

    def tables(self) -> Filled:
        """As they are at time 0."""
        yield rows.producer_settings, self.settings.array()
        yield rows.producers, self.producers.array()
        yield rows.publishers, self.publishers.array()
        yield rows.open_lines, rows.OpenLine.zeros(max(1, self.lines))
        yield rows.queued_batches, np.zeros(max(1, self.lines), np.int64)
        yield rows.node_connections, rows.NodeConnection.zeros(max(1, self.connections))
        yield rows.built_ins, self.built_ins.array()
        yield rows.producer_turns, np.zeros(len(self.built_ins) or 1, np.int64)
        yield rows.client_quotas, self.quotas.array()
        yield rows.quota_rings, fractions(self.rings)
