"""A log broker with nodes: which are there, who leads what, and what a request takes of them.

Who waits for an acknowledgement of a node that is gone is told at once, and nobody reads from the partitions that it
led. When its session times out, the controller fences it: it takes it out of the
in-sync replicas, and appoints another leader for the partitions that it leads, and for no others
(ReplicationControlManager.handleBrokerFenced); after the election the first in-sync replica that is not fenced leads.
The controller knows sessions alone: it may appoint a node that is gone already, and then appoints again when that one's
session is over. A node that is back before its own session is over has lost nothing and leads on; one that was fenced
leads again where nobody was left to lead and it is in sync (handleBrokerUnfenced).

Requests, bytes of the network and bytes of the disk are one server each per node, for what is published to the leaders
there, in order of arrival, one request of each connection at a time (`connection.py`). A quota is that of a client at
one node, as `producer_byte_rate` is.

What a node that is gone had been asked is gone with it, begun or not, and one that is back has nothing to do. Its
connections break (`connection.py`); who publishes without a `producer` is unreachable when its turn would have come.

Not modelled: a host that is lost without a word, so that its clients hear nothing until `request_timeout`; what fetches
of consumers and followers take of a node, and what a follower writes; that the windows of its quotas are gone with a
node; the controller's own failures, the coordinators of groups and transactions as nodes, racks, preferred
leaders that are elected back (auto.leader.rebalance.enable, every 5 minutes), eligible leader replicas (KIP-966),
throttled replication, page cache and fsync (a node that is back has what it had), and which of its threads a node uses
for what.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from sim.models.behaviours import behaviour
from sim.models.clock import CONTROL, Signal
from sim.models.logs.transactions import Coordinator, Transaction
from sim.models.site import System
from sim.models.task import Replica, Task
from sim.models.topic import Broker
from sim.policies.base import Ring
from sim.policies.client_quota import ClientQuotaRow, new_client_quota, throttle_time
from sim.spec.broker import LogBroker
from sim.spec.cluster import Nodes
from sim.spec.producer import Producer
from sim.vocabulary import EventKind


class Replicated(Protocol):
    """A topic, as its nodes know it (`replicated.py`)."""

    name: str

    def node_lost(self, node: int) -> int:
        """It is gone; how many partitions have no leader now."""

    def fence(self, node: int) -> int:
        """It counts as gone; out of how many in-sync sets it is."""

    def appoint(self, node: int | None) -> list[tuple[Any, int]]:
        """Name others to lead what this node was to lead (nobody: what has no leader): (partition, its term)."""

    def elect(self, partition: Any, term: int) -> bool:  # noqa: ANN401 - one of its own
        """Whether the node that was named for this term leads now."""

    def node_back(self, node: int) -> None:
        """It is there again, with what it had."""

    def offline(self) -> int:
        """Partitions that nobody leads."""

    def under_replicated(self) -> int:
        """Partitions of which some replica is not in sync."""

    @property
    def lost(self) -> int:
        """Records that were acknowledged and are gone."""


class HearsOfNodes(Protocol):
    """A producer, as the nodes of its broker know it (`producer.py`)."""

    def node_lost(self, node: int) -> None:
        """What it was asked is gone with it."""


class Sending(HearsOfNodes, Protocol):
    """The same, as its broker knows it."""

    spec: Producer
    blocked: deque[Any]
    free: float
    requests: int
    batches: int

    def close(self) -> None:
        """Its replica is gone."""


class Node:
    """One node: up or down, how slow its disk is, and when it has done with what it was asked."""

    __slots__ = ("down", "fenced", "free_at", "index", "life", "slowdowns")

    def __init__(self, index: int):
        self.index = index
        self.down = 0
        self.fenced = False  # the controller counts it as gone
        self.life = 0  # changes when it goes down, alone or with its broker
        self.slowdowns: list[float] = []
        self.free_at = [0.0, 0.0, 0.0]  # s; requests, network, disk

    def slowed(self, seconds: float) -> float:
        """What its disk makes of a time."""
        return seconds * math.prod(self.slowdowns, start=1.0)


@behaviour(LogBroker)
class ClusteredBroker(Broker):
    """A log broker, whatever of it is said."""

    def __init__(self, context: System, name: str, spec: LogBroker):
        super().__init__(context, name, spec)
        self.spec = spec
        self.in_depth: list[Replicated] = []  # its topics, where they have nodes
        self.nodes_spec = spec.nodes or Nodes(count=max(1, spec.most_replicas))
        self.nodes: Sequence[Node] = [Node(index) for index in range(self.nodes_spec.count)]
        self.quotas: dict[tuple[int, str], tuple[ClientQuotaRow, Ring]] = {}  # of each node, by service
        self.producers: list[Sending] = []
        self.coordinator = Coordinator(self)
        self.transactions: dict[Task, Transaction] = {}  # of who handles a record in one, and of what they publish
        self.own: dict[Replica, dict[object, Sending]] = {}  # the producers of each replica, by who has each
        self.make_producer: Callable[[str], Sending]  # of a service; set where there are some (`wiring.py`)
        self.gone = [0, 0]  # requests and batches of producers that are gone
        watch = context.recorder.watch
        if spec.producer is not None:
            self.chance = context.uniform(f"{name}.producer")
            watch(name, "blocked", "level", lambda _: sum(len(producer.blocked) for producer in self.producers))
            watch(
                name, "produce_requests", "total", lambda _: sum(its.requests for its in self.producers) + self.gone[0]
            )
            watch(name, "batches", "total", lambda _: sum(its.batches for its in self.producers) + self.gone[1])
            watch(name, "buffered", "level", lambda _: sum(its.spec.buffer - its.free for its in self.producers))
        if spec.has_nodes:
            watch(name, "offline", "level", lambda _: sum(topic.offline() for topic in self.in_depth))
            watch(name, "under_replicated", "level", lambda _: sum(topic.under_replicated() for topic in self.in_depth))
            watch(name, "lost", "total", lambda _: sum(topic.lost for topic in self.in_depth))

    # -- producers ---------------------------------------------------------------------------------------------------

    def transaction_of(self, task: Task) -> Transaction | None:
        """That of the consumer whose record a task handles, or is a branch of."""
        return self.transactions.get(task.attempt or task)

    def producer_of(self, service: str, replica: Replica, transaction: Transaction | None = None) -> Any:  # noqa: ANN401 - a producer, which knows its broker
        """The one that a replica has for all that it publishes here; who has transactions has one of his own."""
        own = self.own.setdefault(replica, {})
        owner = transaction.owner if transaction is not None else None
        producer = own.get(owner)
        if producer is None:
            producer = own[owner] = self.make_producer(service)
            self.producers.append(producer)
        return producer

    def forget_producer(self, replica: Replica) -> None:
        """A replica is gone, and its producers with it."""
        for producer in self.own.pop(replica, {}).values():
            producer.close()
            self.producers.remove(producer)
            self.gone[0] += producer.requests
            self.gone[1] += producer.batches

    # -- harm --------------------------------------------------------------------------------------------------------

    def fail(self) -> None:
        """Go down, with all nodes."""
        self.break_off()
        super().fail()

    def break_off(self) -> None:
        """All that are there are to be gone."""
        for node in self.nodes if not self.down else ():
            if not node.down:
                self._break_off(node)

    def _break_off(self, node: Node) -> None:
        """What it had been asked is gone with it."""
        node.life += 1
        node.free_at = [0.0, 0.0, 0.0]
        for producer in self._senders():
            producer.node_lost(node.index)

    def _senders(self) -> Iterable[HearsOfNodes]:
        return self.producers

    def fail_node(self, index: int) -> None:
        """It is gone from one moment to the next."""
        node = self.nodes[index]
        node.down += 1
        if node.down > 1:
            return
        self._break_off(node)
        led = sum(topic.node_lost(index) for topic in self.in_depth)
        self._tell(EventKind.LEADER_LOST, index, led)
        life = node.life

        def notice(_: object) -> None:
            if node.down and node.life == life:
                self._fence(node)

        self.env.schedule(Signal(notice), CONTROL, self.nodes_spec.session_timeout)

    def _fence(self, node: Node) -> None:
        node.fenced = True
        self._tell(EventKind.ISR_SHRANK, node.index, sum(topic.fence(node.index) for topic in self.in_depth))
        self._appoint(node.index)

    def _appoint(self, node: int | None) -> None:
        """Others are to lead what this node was to lead, or what nobody was left for."""
        appointed = [(topic, *those) for topic in self.in_depth for those in topic.appoint(node)]
        if not appointed:
            return

        def lead(_: object) -> None:
            led = sum(topic.elect(partition, term) for topic, partition, term in appointed)
            self._tell(EventKind.LEADER_ELECTED, -1, led)
            self.wake_waiting()

        self.env.schedule(Signal(lead), CONTROL, self.nodes_spec.election)

    def restore_node(self, index: int) -> None:
        """It is back, with what it had."""
        node = self.nodes[index]
        node.down -= 1
        if node.down:
            return
        was_fenced, node.fenced = node.fenced, False
        for topic in self.in_depth:
            topic.node_back(index)
        if was_fenced:
            self._appoint(None)
        self.wake_waiting()

    def wake_waiting(self) -> None:
        """Consumers and relays try again."""
        if not self.down:
            self.restore()

    def _tell(self, kind: EventKind, node: int, value: int) -> None:
        if value:
            subject = f"{self.name}[{node}]" if node >= 0 else self.name
            self.context.recorder.event(kind, subject, "", value)

    # -- capacity ----------------------------------------------------------------------------------------------------

    def busy(self, index: int, size: float) -> float:
        """Seconds until a node has done with a request that brings so many bytes to be written."""
        spec, node = self.nodes_spec, self.nodes[index]
        if not spec.limited:
            return 0.0
        now = self.env.now
        takes = (
            1.0 / spec.requests if spec.requests is not None else 0.0,
            size / spec.network if spec.network is not None else 0.0,
            node.slowed(size / spec.disk) if spec.disk is not None else 0.0,
        )
        at = now
        for server, seconds in enumerate(takes):
            if seconds > 0.0:
                at = node.free_at[server] = max(node.free_at[server], at) + seconds
        return at - now

    def throttle(self, node: int, service: str, size: float) -> float:
        """Seconds for which a node reads no more of a service that has sent it so many bytes."""
        quota, whose = self.spec.quota, (node, service)
        if quota is None or quota.produce is None:
            return 0.0
        if whose not in self.quotas:
            self.quotas[whose] = new_client_quota(quota.produce, quota.window, quota.windows)
        row, ring = self.quotas[whose]
        return throttle_time(row, ring, self.env.now, size)
