"""Brokers, topics, groups, members and outboxes, as rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.compiled import committing, keeping, topics
from sim.compiled.base import MESSAGE_ENDS
from sim.compiled.calendar import OF_MEMBERS
from sim.compiled.draw_rows import row_of
from sim.compiled.rows import logs as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.calls import placed_by
from sim.compiled.wiring.found import Filled, Found, FoundPolicies, fractions, whole_numbers
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.keeping import Compacting
from sim.models.logs.publishing import ProducedStore
from sim.models.membership import ManagedConsumer
from sim.models.topic import STICKY_RECORDS
from sim.policies.partitioner import StickyRow, new_sticky, partition_of_text

if TYPE_CHECKING:
    from sim.compiled.program import Assembler
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.identities import IdentityTables
    from sim.compiled.wiring.places import Places
    from sim.compiled.wiring.producers import ProducerTables
    from sim.compiled.wiring.queues import SenderTables
    from sim.models.consumer import Consumer
    from sim.models.group import Group
    from sim.models.outbox import Outbox
    from sim.models.topic import Topic

COMMITS = {
    "batch": committing.BATCH,
    "record": committing.RECORD,
    "before": committing.BEFORE,
    "automatic": committing.AUTOMATIC,
}
KEPT_BY = {"user": keeping.BY_USER, "item": keeping.BY_ITEM}
ACKS = {"0": topics.NO_ACKS, "1": topics.LEADER, "all": topics.ALL}


class LogTables:
    """Their rows."""

    def __init__(
        self,
        places: Places,
        calls: CallTables,
        assembler: Assembler,
        senders: SenderTables,
        identities: IdentityTables,
        producers: ProducerTables,
    ):
        self.places, self.calls, self.assembler, self.senders = places, calls, assembler, senders
        self.identities, self.producers = identities, producers
        self.topics, self.brokers, self.partitions = Found(rows.Topic), Found(rows.Broker), Found(rows.Partition)
        self.groups, self.group_partitions = Found(rows.Group), Found(rows.GroupPartition)
        self.keepers = Found(rows.Keeper)
        self.node_fetches = 0
        self.members, self.outboxes = Found(rows.Member), Found(rows.Outbox)
        self.stickies = FoundPolicies(StickyRow)
        self.group_of: list[int] = []
        self.site_sizes: list[float] = []
        self.text_partitions: list[int] = []
        self.member_of: list[int] = []
        self.delays: list[float] = []
        self._programs: dict[int, int] = {}
        self._partition_at: dict[object, int] = {}
        self.nodes, self.copies = Found(rows.Node), Found(rows.Copy)
        for broker in places.broker_at:
            self._broker(broker)
        for topic in places.topic_at:
            self._topic(topic)
        for topic in places.keeper_at:
            self._keeper(topic)
        for place, group in enumerate(places.groups):
            self._group(place, group)
        self.held = list(range(len(self.group_partitions)))
        for member in places.members:
            self._member(member)
        for place, outbox in enumerate(places.outboxes):
            self._outbox(place, outbox)

    def _broker(self, broker: Any) -> None:  # noqa: ANN401 - of ours, or of a plug-in
        values: dict[str, Any] = {}
        if isinstance(broker, ClusteredBroker):
            spec = broker.nodes_spec
            values["limited"] = spec.limited
            values["requests"] = 1.0 / spec.requests if spec.requests is not None else 0.0
            values["network"], values["disk"] = spec.network or 0.0, spec.disk or 0.0
            for node in broker.nodes:
                self.nodes.add(slow=1.0, subject=self.places.subject(f"{broker.name}[{node.index}]"))
        self.brokers.add(acks=ACKS[broker.acks], transacts=self.places.has_transactions(broker), **values)

    def _topic(self, topic: Topic) -> None:
        self.topics.add(
            **self._depth(topic),
            name=topic.name_index,
            broker=self.places.broker_at[topic.broker],
            first=len(self.partitions),
            count=len(topic.partitions),
            groups=len(topic.groups),
            first_group=len(self.group_of),
            chance=row_of(topic.chance),
            sizes=len(self.site_sizes),
            **self._by_header(topic),
            keeper=self.places.keeper_at.get(topic, NOBODY),
            replication=row_of(topic.replication) if topic.replication is not None else NOBODY,
        )
        self.site_sizes += topic.site_sizes
        self.stickies.add(new_sticky(len(topic.partitions), STICKY_RECORDS))
        self.group_of += [self.places.group_at[group] for group in topic.groups]
        for partition in topic.partitions:
            self._partition(topic, partition)

    def _depth(self, topic: Any) -> dict[str, Any]:  # noqa: ANN401 - a topic of any kind
        """What is known of a topic with nodes, or records of transactions."""
        if not self.places.is_deep(topic):
            return {}
        return {
            "deep": True,
            "copies": topic.spec.replication_factor,
            "min_insync": topic.spec.min_insync_replicas,
            "look_every": topic.broker.nodes_spec.replica_lag_time_max / 2.0,
            "about": self.places.subject(topic.name),
        }

    def _partition(self, topic: Topic, partition: Any) -> None:  # noqa: ANN401 - likewise
        place = self.partitions.add(topic=len(self.topics) - 1)
        if not self.places.is_deep(topic):
            return
        at, first = self.places.node_at, len(self.copies)
        broker: Any = topic.broker
        for node in partition.copies:
            self.copies.add(node=at[broker.nodes[node]], partition=place, in_sync=True)
        self.partitions.rows[place] |= {"leader": first, "first_copy": first, "in_sync": len(partition.copies)}

    def _by_header(self, topic: Topic) -> dict[str, int]:
        """Where its key is read, and the partitions of all texts by then: those of the header are among them."""
        header = topic.spec.key_header
        if header is None:
            return {}
        found = {"header": self.identities.header(header), "by_text": len(self.text_partitions)}
        self.text_partitions += [partition_of_text(text, len(topic.partitions)) for text in self.identities.texts]
        return found

    def _keeper(self, topic: Any) -> None:  # noqa: ANN401 - one that deletes something
        spec = topic.keeper.spec
        self.keepers.add(
            segment_size=spec.segment_size,
            segment_time=spec.segment_time,
            check=spec.check,
            key=keeping.BY_HEADER if topic.spec.key_header else KEPT_BY.get(topic.key, keeping.BY_ID),
            compacts=isinstance(topic.keeper, Compacting),
        )

    def _group(self, place: int, group: Group) -> None:
        member_at = self.places.member_at
        self.groups.add(
            topic=self.places.topic_at[group.topic],
            name=group.name_index,
            first=len(self.group_partitions),
            space=self.places.space(group.topic.sites),
            first_member=len(self.member_of),
            members=len(group.members),
            committed_only=group.unstable is not None,
        )
        self.member_of += [member_at[member] for member in group.members]
        for partition in group.partitions:
            owner = member_at[partition.owner] if partition.owner is not None else NOBODY
            self._partition_at[partition] = self.group_partitions.add(group=place, owner=owner)

    def _fetches(self, member: Consumer) -> dict[str, int]:
        """One for each node of its broker, where it says how much it waits for."""
        broker = member.group.topic.broker
        if member.spec.fetch is None or not isinstance(broker, ClusteredBroker):
            return {}
        nodes = broker.nodes
        first, self.node_fetches = self.node_fetches, self.node_fetches + len(nodes)
        return {"first_fetch": first, "fetch_nodes": len(nodes), "first_node": self.places.node_at[nodes[0]]}

    def _member(self, member: Consumer) -> None:
        places, spec = self.places, member.spec
        self.members.add(
            holding_area=member.holding_area,
            session=spec.session_timeout,
            group=places.group_at[member.group],
            host=places.host_at[member.service],
            replica=places.replica_at[member.replica],
            hop=self.calls.hop(member.fetch_hop),
            wire=places.wire_at[member.fetch_hop.wire],
            broker=places.broker_at[member.group.topic.broker],
            salt=member.salt,
            max_poll=spec.max_poll_records,
            max_deliveries=spec.max_deliveries,
            retry_topic=len(spec.retry_topic.pauses) if spec.retry_topic is not None else NOBODY,
            retries_first=len(self.delays),
            transaction_timeout=spec.transaction.timeout if spec.transaction is not None else math.inf,
            producer=self.producers.producer_at.get(member, NOBODY),
            idempotent=spec.idempotent,
            latest=spec.auto_offset_reset == "latest",
            first_held=self._first_held(member),
            partitions=len(member.partitions),
            commits=COMMITS[member.commits],
            commit_interval=member.commit_interval,
            loses=member.commits == "before",
            fetch_min=spec.fetch.min if spec.fetch is not None else 0.0,
            fetch_wait=spec.fetch.wait if spec.fetch is not None else 0.0,
            fetch_due=math.inf,
            fetch_look=math.inf,
            **self._fetches(member),
            patience=self._patience(member),
            belongs=member.belongs,
            up=member.up,
            order=NOBODY,
            holding=member.holding,
            pc=self._program_of(member),
        )
        if spec.retry_topic is not None:
            self.delays += spec.retry_topic.pauses

    def _first_held(self, member: Consumer) -> int:
        """Where its partitions stand.

        Neighbours, in the order of all partitions, but where the group rebalances.
        """
        places = [self._partition_at[partition] for partition in member.partitions]
        if not isinstance(member, ManagedConsumer):
            return min(places, default=0)
        all_of_group = [self._partition_at[partition] for partition in member.group.partitions]
        self.held += [*places, *all_of_group[len(places) :]]  # as many as it can have at most
        return len(self.held) - len(all_of_group)

    def _patience(self, member: Consumer) -> int:
        if not isinstance(member, ManagedConsumer):
            return NOBODY
        return self.places.lane(member.coordinator.spec.max_poll_interval, OF_MEMBERS, NOBODY)

    def _program_of(self, member: Consumer) -> int:
        """Members with the same steps have one program."""
        if id(member.steps) not in self._programs:
            commits, transacts = COMMITS[member.commits], self.places.transacts(member)
            self._programs[id(member.steps)] = self.assembler.consumer(member.steps, commits, transacts)
        return self._programs[id(member.steps)]

    def _outbox(self, place: int, outbox: Outbox) -> None:
        places = self.places
        self.outboxes.add(
            poll=outbox.poll,
            salt=outbox.salt,
            host=places.host_at[outbox.service],
            topic=places.topic_at.get(outbox.topic, 0),
            sender=self._sender(outbox),
            key=placed_by(outbox.topic, outbox.key) if outbox.topic in places.topic_at else 0,
            site=outbox.site,
            batch=outbox.batch,
            publisher=self._publisher(outbox),
            out=self.calls.hop(outbox.out),
            back=self.calls.hop(outbox.back),
            replica=places.replica_at[outbox.replica] if outbox.replica is not None else NOBODY,
            pc=self.assembler.relay(place),
        )

    def _sender(self, outbox: Outbox) -> int:
        """To a queue broker; NOBODY: to a topic."""
        store: Any = outbox.store
        return self.senders.sender(store.sender) if self.places.is_to_queues(outbox) else NOBODY

    def _publisher(self, outbox: Outbox) -> int:
        """By way of a producer; NOBODY: not so."""
        return self.producers.publisher(outbox.store) if isinstance(outbox.store, ProducedStore) else NOBODY

    @property
    def most_copies(self) -> int:
        """Replicas of a partition, at most."""
        return max([1, *(row.get("copies", 1) for row in self.topics.rows)])

    @property
    def is_deep(self) -> bool:
        """Whether any topic is."""
        return any(row.get("deep", False) for row in self.topics.rows)

    @property
    def largest_batch(self) -> int:
        """Rows that a relay publishes at once, at most; 1 without relays."""
        return max([1, *(outbox.batch for outbox in self.places.outboxes)])

    def tables(self) -> Filled:
        """As they are at time 0."""
        yield rows.topics, self.topics.array()
        yield rows.brokers, self.brokers.array()
        yield rows.nodes, self.nodes.array()
        yield rows.node_fetches, rows.NodeFetch.zeros(max(1, self.node_fetches))
        yield rows.copies, self.copies.array()
        yield rows.keepers, self.keepers.array()
        yield rows.partitions, self.partitions.array()
        # any replica may be a producer
        yield (
            rows.stickies,
            np.repeat(self.stickies.array(), len(self.places.replicas)),
        )
        yield rows.dealt_out, np.zeros(max(1, len(self.topics)) * len(self.places.replicas), np.int64)
        yield rows.site_sizes, fractions(self.site_sizes)
        yield rows.text_partitions, whole_numbers(self.text_partitions)
        yield rows.groups, self.groups.array()
        yield rows.group_of, whole_numbers(self.group_of)
        yield rows.group_ended, np.zeros((max(1, len(self.groups)), MESSAGE_ENDS), np.int64)
        yield rows.group_partitions, self.group_partitions.array()
        yield rows.members, self.members.array()
        yield rows.held, whole_numbers(self.held)
        yield rows.member_of, whole_numbers(self.member_of)
        yield rows.delays, fractions(self.delays)
        yield rows.outboxes, self.outboxes.array()
        yield rows.pending, np.zeros((max(1, len(self.outboxes)), self.largest_batch), np.int64)
