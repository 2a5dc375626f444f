"""A topic with replicas: the leader of each partition, its followers, and what all in-sync ones have.

Followers have a batch `replication` after the leader, one after the other, in order: they fetch whole batches, and all
its records have one draw; where there is no `producer` each record is a batch. What all in-sync replicas have is
readable (the high watermark), and acknowledged under `acks: all`; with fewer than `min_insync_replicas` in sync nothing
becomes readable, whatever `acks` says (KAFKA-15583, in 3.7; "strict min ISR" in KIP-966). A follower that lacks
what was written longer ago than `replica_lag_time_max` is out of sync, and in sync again when it has caught up. When
another replica leads, what it lacks is lost, acknowledged or not; offsets are not given out twice.

Not modelled: fetches of followers one by one (of which a leader hears only at the next one), their sizes, leader
epochs, reads from followers, preallocation, reassignment of partitions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable

from sim.chance.chain import link_chain
from sim.models.clock import Signal
from sim.models.destination import Sent
from sim.models.identity import Identities
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.keeping import keeper_of
from sim.models.logs.record import Record
from sim.models.outcomes import ERROR, LOST, OK, UNREACHABLE
from sim.models.request import Request
from sim.models.site import System
from sim.models.task import Replica
from sim.models.topic import Message, Partition, Topic
from sim.policies import partitioner as partitioners
from sim.policies.log_times import until_look
from sim.spec.broker import Topic as Spec
from sim.vocabulary import EventKind


class Follower:
    """One replica of one partition, as its leader sees it."""

    __slots__ = ("due", "end", "lacks", "life", "node")

    def __init__(self, node: int):
        self.node = node
        self.end = 0  # the first offset that it lacks
        self.due = 0.0  # s; when it has what is under way to it
        self.lacks: deque[tuple[int, float]] = deque()  # (offset, when it was written)
        self.life = 0  # changes when what is under way to it does not come any more

    def is_new_to_leader(self, now: float) -> None:
        """A new leader has never seen it behind: what it lacks counts from now on (Replica.resetReplicaState)."""
        self.lacks = deque((offset, now) for offset, _ in self.lacks)


class ReplicatedPartition(Partition):
    """A partition with a leader and followers."""

    __slots__ = ("appointed", "copies", "epoch", "in_sync", "known", "leader", "mark", "term")

    def __init__(self, index: int, replicas: list[int]):
        super().__init__(index)
        self.copies = {node: Follower(node) for node in replicas}
        self.leader: int | None = replicas[0]  # nobody while it is gone
        self.appointed: int | None = replicas[0]  # by the controller, which may not know yet that it is gone
        self.term = 0  # how often the controller has changed its mind
        self.epoch = 0  # the term of who leads, or led last
        self.known = True  # who is appointed, to itself and to clients
        self.in_sync = list(replicas)
        self.mark = 0  # the high watermark: all before it is in all in-sync replicas


class ReplicatedTopic(Topic):
    """A topic of a broker with nodes."""

    partitions: list[ReplicatedPartition]  # type: ignore[assignment]
    broker: ClusteredBroker

    def __init__(self, context: System, broker: ClusteredBroker, name: str, spec: Spec):
        super().__init__(context, broker, name, spec)
        copies, count = spec.replication_factor, len(broker.nodes)
        self.partitions = [
            ReplicatedPartition(index, [(index + copy) % count for copy in range(copies)])
            for index in range(spec.partitions)
        ]
        self.acknowledged: dict[Message, None] = {}  # and not yet in all in-sync replicas
        self.lost = 0
        self.turns: dict[object, int] = {}  # of each producer: how many it has dealt out in turn
        self.identities = Identities(context, context.scenario.traffic)
        self.keeper = keeper_of(self, spec, context.recorder)
        self.looks = False  # at how far followers are behind, at the next tick
        broker.in_depth.append(self)

    # -- publishing --------------------------------------------------------------------------------------------------

    def place(self, request: Request, chain: int, key: str | None, producer: Replica) -> ReplicatedPartition:
        """The partition of a message of this producer."""
        return self.partitions[self._partition(request, chain, key, producer)]

    def keyed(self, request: Request, key: str | None) -> int:
        """By the value of a header, where one is the key."""
        header = self.spec.key_header
        if header is None:
            return super().keyed(request, key)
        value = self.identities.header(request, header)
        return partitioners.partition_of_text(value, len(self.partitions)) if value is not None else -1

    def in_turn(self, producer: object) -> int:
        """The next partition of a producer that takes all in turn."""
        number = self.turns.get(producer, 0)
        self.turns[producer] = number + 1
        return partitioners.in_turn(number, len(self.partitions))

    def _partition(self, request: Request, chain: int, key: str | None, producer: Replica) -> int:
        if self.spec.partitioner == "round_robin":
            return self.in_turn(producer)
        return super()._partition(request, chain, key, producer)

    def key_value(self, request: Request) -> Hashable:
        """The key of what a request publishes."""
        if self.spec.key_header is not None:
            return self.identities.header(request, self.spec.key_header)
        return request.user if self.key == "user" else request.item if self.key == "item" else request.id

    def forget_producer(self, replica: Replica) -> None:
        """It has crashed."""
        super().forget_producer(replica)
        self.turns.pop(replica, None)

    def readable_before(self, partition: int) -> int:
        """The first offset of a partition that cannot be read yet."""
        unreadable = self.partitions[partition].unreadable
        return unreadable[0].offset if unreadable else self.partitions[partition].end

    def refuses(self, partition: ReplicatedPartition, acks: str) -> int:
        """What a producer hears at once: nobody leads, too few replicas are in sync for `acks: all`, or OK."""
        if self.broker.down or partition.leader is None:
            return UNREACHABLE
        if acks == "all" and len(partition.in_sync) < self.spec.min_insync_replicas:
            return ERROR
        return OK

    def append_batch(self, partition: ReplicatedPartition, records: list[Record], attempt: int) -> list[Message]:
        """Write a batch, which is sent for the first, second ... time."""
        messages = []
        for record in records:
            chain = link_chain(record.chain, 0, attempt) if attempt else record.chain
            sent = Sent(record.request, chain, record.path, record.flow)
            messages.append(self.new_message(sent, record.site, record.transaction))
            self._lead_on(messages[-1], partition)
        self._follow(messages, partition)
        return messages

    def acknowledge(self, messages: Iterable[Message]) -> None:
        """Their publisher hears that they have arrived, whether or not others have them already. What a leader alone
        has is on no other from which it could be cut off.
        """
        for message in messages if self.spec.replication_factor > 1 else ():
            if not message.readable:
                self.acknowledged[message] = None

    def write(self, message: Message, partition: Partition) -> None:
        """The leader has it; its followers will."""
        assert isinstance(partition, ReplicatedPartition)
        self._lead_on(message, partition)
        self._follow([message], partition)

    def _lead_on(self, message: Message, partition: ReplicatedPartition) -> None:
        """The leader has it."""
        if message.transaction is not None:
            message.transaction.add(message)
        if self.keeper is not None:
            self.keeper.written(partition.index, partition.end, message.size, message.request, self.env.now)
        self.into_partition(message, partition)

    def _follow(self, messages: list[Message], partition: ReplicatedPartition) -> None:
        """Its followers fetch what it has written together as one, and have it at one time."""
        first = messages[0]
        seconds = self.replication_time(first.request.id, first.chain)
        if len(partition.copies) == 1:
            self._replicate_alone(messages, partition, seconds)
        else:
            self._spread(messages, partition, seconds)
            self.advance(partition)
        for message in messages:
            self.note_unreadable(message)

    def _replicate_alone(self, messages: list[Message], partition: ReplicatedPartition, seconds: float) -> None:
        """Of a topic with one replica of each partition: they are safe after a while, or at once."""
        (alone,) = partition.copies.values()
        alone.end = partition.mark = partition.end
        for message in messages:
            self.replicate_after(message, seconds)

    def _spread(self, messages: list[Message], partition: ReplicatedPartition, seconds: float) -> None:
        """The leader sends them to its followers."""
        for copy in partition.copies.values():
            if copy.node == partition.leader:
                copy.end = partition.end
                continue
            copy.lacks.extend((message.offset, self.env.now) for message in messages)
            if not self.broker.nodes[copy.node].down:
                self._send(partition, copy, partition.end, self.broker.nodes[copy.node].slowed(seconds))

    def _send(self, partition: ReplicatedPartition, copy: Follower, end: int, delay: float) -> None:
        """The follower has all before `end` after this time, and after what is under way to it."""
        now = self.env.now
        copy.due = max(copy.due, now + delay)
        life = copy.life
        if copy.due <= now:
            self._arrived(partition, copy, end)
        else:
            then = Signal(lambda _: self._arrived(partition, copy, end) if copy.life == life else None)
            self.env.hold(then, copy.due - now)
            self._look_later()

    def _arrived(self, partition: ReplicatedPartition, copy: Follower, end: int) -> None:
        copy.end = max(copy.end, end)
        while copy.lacks and copy.lacks[0][0] < copy.end:
            copy.lacks.popleft()
        if copy.node not in partition.in_sync and partition.leader is not None and copy.end >= partition.mark:
            partition.in_sync.append(copy.node)
            self.recorder.event(EventKind.ISR_EXPANDED, f"{self.broker.name}[{copy.node}]", self.name, 1)
        self.advance(partition)

    def advance(self, partition: ReplicatedPartition) -> None:
        """The high watermark goes to where all in-sync replicas are, as long as enough of them are."""
        few = len(partition.in_sync) < self.spec.min_insync_replicas
        if partition.leader is None or few or len(partition.copies) == 1:
            return
        mark = min(partition.copies[node].end for node in partition.in_sync)
        partition.mark = max(partition.mark, mark)
        while partition.unreadable and partition.unreadable[0].offset < partition.mark:
            message = partition.unreadable[0]
            self.acknowledged.pop(message, None)
            self.replicated(message)

    # -- who is behind -----------------------------------------------------------------------------------------------

    def _look_later(self) -> None:
        """Kafka looks every half of the longest lag."""
        if not self.looks:
            self.looks = True
            every = self.broker.nodes_spec.replica_lag_time_max / 2.0
            self.env.hold(Signal(self._look), until_look(self.env.now, every))

    def _look(self, _: object) -> None:
        self.looks = False
        longest, now = self.broker.nodes_spec.replica_lag_time_max, self.env.now
        shrank: dict[int, int] = {}
        for partition in self.partitions:
            for copy in partition.copies.values() if partition.leader is not None else ():
                behind = copy.lacks and copy.node != partition.leader
                if behind and copy.node in partition.in_sync and now - copy.lacks[0][1] > longest:
                    partition.in_sync.remove(copy.node)
                    shrank[copy.node] = shrank.get(copy.node, 0) + 1
            self.advance(partition)
        for node, count in shrank.items():
            self.recorder.event(EventKind.ISR_SHRANK, f"{self.broker.name}[{node}]", self.name, count)
        if any(copy.lacks for partition in self.partitions for copy in partition.copies.values()):
            self._look_later()

    # -- nodes that go and come --------------------------------------------------------------------------------------

    def node_lost(self, node: int) -> int:
        """It is gone; how many partitions have no leader now. Who waits for an acknowledgement of it is told."""
        led = 0
        for partition in self.partitions:
            copy = partition.copies.get(node)
            if copy is not None:
                copy.life += 1
                copy.due = 0.0
            if partition.leader == node:
                led += 1
                partition.leader = None
                self._leave_waiting(partition.unreadable)
                for group in self.groups:
                    group.set_offline(partition.index, True)
                for other in partition.copies.values():  # nobody fetches from one who is gone
                    other.life += 1
                    other.due = 0.0
        return led

    def _leave_waiting(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if message.waiter is not None:
                self.env.wake(message.waiter)
                message.waiter = None

    def fence(self, node: int) -> int:
        """It counts as gone: it is in sync no more, unless it is the last that was."""
        shrank = 0
        for partition in self.partitions:
            if node in partition.in_sync and len(partition.in_sync) > 1:
                partition.in_sync.remove(node)
                shrank += 1
                self.advance(partition)
        return shrank

    def appoint(self, node: int | None) -> list[tuple[ReplicatedPartition, int]]:
        """Name others to lead what this node was to lead (nobody: what has no leader): (partition, its term)."""
        named = []
        for partition in self.partitions:
            if partition.appointed == node:
                partition.appointed = self._choice(partition)
                partition.known = False
                partition.term += 1
                if partition.appointed is not None:
                    named.append((partition, partition.term))
        return named

    def _choice(self, partition: ReplicatedPartition) -> int | None:
        """The first in-sync replica that is not fenced; where there is none, one out of sync where that is allowed."""
        unfenced = [node for node in partition.copies if not self.broker.nodes[node].fenced]
        fit = [node for node in unfenced if node in partition.in_sync]
        if not fit and self.broker.nodes_spec.unclean_leader_election and unfenced:
            fit = unfenced
            partition.in_sync = [unfenced[0]]
        return fit[0] if fit else None

    def elect(self, partition: ReplicatedPartition, term: int) -> bool:
        """Whether the node that was named for this term leads now."""
        if partition.term != term:
            return False
        partition.known = True
        if self.broker.nodes[self._appointed(partition)].down:
            return False
        self._lead(partition)
        return True

    def _appointed(self, partition: ReplicatedPartition) -> int:
        assert partition.appointed is not None
        return partition.appointed

    def _lead(self, partition: ReplicatedPartition) -> None:
        """Whoever is appointed is there, and begins."""
        leader = self._appointed(partition)
        partition.leader = leader
        partition.epoch = partition.term
        self._truncate(partition, partition.copies[leader])
        for copy in partition.copies.values():
            copy.is_new_to_leader(self.env.now)
            if copy.node != leader and not self.broker.nodes[copy.node].down:
                self._catch_up(partition, copy)
        self.advance(partition)
        for group in self.groups:
            group.set_offline(partition.index, False)

    def _truncate(self, partition: ReplicatedPartition, leader: Follower) -> None:
        """What the new leader lacks is lost; whoever has as much as it has all there is."""
        first = leader.end
        self._cut_off(partition, first)
        if partition.mark > first:  # one that was out of sync leads: what was readable is lost, too
            self.lost += partition.mark - first
            for group in self.groups:
                group.lose(partition.index, first)
            partition.mark = first
        for copy in partition.copies.values():
            if copy.end >= first:
                copy.end = partition.end
                copy.lacks.clear()

    def _cut_off(self, partition: ReplicatedPartition, first: int) -> None:
        """What nobody has read yet is lost from this offset on; who waits for it is told."""
        gone = [message for message in partition.unreadable if message.offset >= first]
        for message in gone:
            partition.unreadable.remove(message)
            self.lost += message in self.acknowledged
            self.acknowledged.pop(message, None)
            self._leave_waiting([message])
            self._lose(message)

    def _lose(self, message: Message) -> None:
        message.lost = True
        for group in self.groups:
            group.end_unread(message, LOST)

    def _catch_up(self, partition: ReplicatedPartition, copy: Follower) -> None:
        if copy.end < partition.end or copy.node not in partition.in_sync:
            seconds = self.replication_time(partition.index, partition.end)
            self._send(partition, copy, partition.end, self.broker.nodes[copy.node].slowed(seconds))

    def node_back(self, node: int) -> None:
        """It is there again: where it is still appointed it leads on; else it catches up with whoever leads."""
        for partition in self.partitions:
            copy = partition.copies.get(node)
            if copy is None:
                continue
            if partition.leader is not None:
                self._catch_up(partition, copy)
            elif partition.appointed == node and partition.known:
                self._lead(partition)

    # -- figures -----------------------------------------------------------------------------------------------------

    def offline(self) -> int:
        """Partitions that nobody leads."""
        return sum(partition.leader is None for partition in self.partitions)

    def under_replicated(self) -> int:
        """Partitions of which some replica is not in sync."""
        return sum(len(partition.in_sync) < len(partition.copies) for partition in self.partitions)
