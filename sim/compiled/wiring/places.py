"""The models of one run, and which of them is which row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.compiled.program import Unsupported
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.events import TimerLane
from sim.compiled.wiring.draws import TableOfDraws
from sim.compiled.wiring.found import Found
from sim.models.clock_fault import ClockStep
from sim.models.fault import (
    BrokerDown,
    Crash,
    Deploy,
    Errors,
    Flush,
    NetworkFault,
    Outage,
    Random,
    Slow,
    StoreDown,
    Zone,
)
from sim.models.faulting import FaultEvent
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.replicated import ReplicatedTopic
from sim.models.queues.faults import Alarm, BrokerSplit, SlowDisk
from sim.models.queues.queue_broker import QueueBroker
from sim.models.restarting import Restart
from sim.models.world import World

if TYPE_CHECKING:
    from sim.models.consumer import Consumer
    from sim.models.group import Group, Member
    from sim.models.link import Wire
    from sim.models.outbox import Outbox
    from sim.models.queues.channel import QueueConsumer
    from sim.models.queues.queue import Queue
    from sim.models.stock import Stock
    from sim.models.task import Replica
    from sim.models.topic import Reader
    from sim.spec.scenario import Scenario

BUILT_IN = (
    Outage, Slow, Errors, Crash, NetworkFault, BrokerDown, Flush, Deploy, Random, Restart, Zone, Alarm, BrokerSplit,
    SlowDisk, StoreDown, ClockStep,
)  # fmt: skip


class Places:
    """What every room of the wiring asks: models by row, rows by model, and numbers that are given out once."""

    def __init__(self, scenario: Scenario, replication: int):
        self.scenario = scenario
        self.replication = replication
        self.draws = TableOfDraws(scenario.seed, replication)
        self.world = world = World(scenario, replication, draws=self.draws)
        self.subjects: list[str] = []  # what an event may be about
        self.orders: list[Callable[[], None]] = []  # what Python does at an event of kind ORDER
        self.lanes = Found(TimerLane)
        self.spaces = 0
        self.hosts = world.hosts()
        self.host_at: dict[Any, int] = {host: place for place, host in enumerate(self.hosts)}
        self.replicas: list[Replica] = [replica for host in self.hosts for replica in host.replicas]
        self.replicas += [world.nowhere, *(workload.client.replica for workload in world.workloads)]
        self.replica_at = {replica: place for place, replica in enumerate(self.replicas)}
        self.wires: list[Wire] = world.network.wires
        self.wire_at = {wire: place for place, wire in enumerate(self.wires)}
        self.stock_at: dict[Stock, int] = {stock: place for place, stock in enumerate(world.stocks.values())}
        self._find_logs()
        self._find_queues()
        self.harms: list[Any] = self._harms()

    def _find_logs(self) -> None:
        world = self.world
        logs = [broker for broker in world.brokers.values() if not isinstance(broker, QueueBroker)]
        self.broker_at = {broker: place for place, broker in enumerate(logs)}
        self.topic_at = {topic: place for place, topic in enumerate(world.topics.values())}
        kept = [topic for topic in self.topic_at if getattr(topic, "keeper", None) is not None]
        self.keeper_at: dict[Any, int] = {topic: place for place, topic in enumerate(kept)}
        self.groups: list[Group] = world.groups
        self.group_at: dict[Reader, int] = {group: place for place, group in enumerate(self.groups)}
        self.members: list[Consumer] = [member for service in world.services.values() for member in service.members]
        self.member_at: dict[Member, int] = {member: place for place, member in enumerate(self.members)}
        self.outboxes: list[Outbox] = [outbox for service in world.services.values() for outbox in service.outboxes]
        self.node_at: dict[Any, int] = {}  # by what a broker knows it
        for broker in logs:
            if isinstance(broker, ClusteredBroker):
                self.node_at |= {node: len(self.node_at) + index for index, node in enumerate(broker.nodes)}
        self.outbox_at = {outbox: place for place, outbox in enumerate(self.outboxes)}

    def is_deep(self, topic: Any) -> bool:  # noqa: ANN401 - a topic, of whatever kind
        """Whether there is more to be known of its messages: it has nodes, or records of transactions."""
        if not isinstance(topic, ReplicatedTopic):
            return False
        readers: list[Any] = [*topic.groups]
        deep = topic.broker.spec.has_nodes or self.has_transactions(topic.broker)
        return deep or any(group.unstable is not None for group in readers)

    def has_transactions(self, broker: Any) -> bool:  # noqa: ANN401 - a log broker, of whatever kind
        """Whether any consumer of it handles each record in a transaction."""
        return any(self.transacts(member) for member in self.members if member.group.topic.broker is broker)

    @staticmethod
    def transacts(member: Any) -> bool:  # noqa: ANN401 - a consumer
        """Whether it handles each record in a transaction."""
        return member.transacted is not None

    def _find_queues(self) -> None:
        every: list[Any] = list(self.world.brokers.values())
        brokers: list[QueueBroker] = [broker for broker in every if isinstance(broker, QueueBroker)]
        self.queue_broker_at: dict[QueueBroker, int] = {broker: place for place, broker in enumerate(brokers)}
        queues = [queue for broker in brokers for queue in broker.queues.values()]
        self.queue_at: dict[Queue, int] = {queue: place for place, queue in enumerate(queues)}
        consumers = [consumer for service in self.world.services.values() for consumer in service.listeners]
        self.channel_at: dict[QueueConsumer, int] = {consumer: place for place, consumer in enumerate(consumers)}

    def channels_of(self, queue: Queue) -> list[int]:
        """All consumers of a queue, up or down."""
        everyone: list[Any] = queue.everyone
        return [self.channel_at[consumer] for consumer in everyone]

    def is_to_queues(self, outbox: Outbox) -> bool:
        """Whether its rows go to a queue broker."""
        return outbox.topic.broker in self.queue_broker_at

    def _harms(self) -> list[Any]:
        """The faults that are planned. Raises Unsupported for one of a plug-in."""
        events = [entry[-1] for entry in sorted(self.world.env.calendar)]
        # most both begin and end
        harms = list(dict.fromkeys(event.harm for event in events if isinstance(event, FaultEvent)))
        harms += [harm.harm for harm in harms if isinstance(harm, Random)]  # what comes by chance
        for harm in harms:
            if type(harm) not in BUILT_IN:
                raise Unsupported(f"the fault '{type(harm).__name__.lower()}'")
        return harms

    def subject(self, text: str) -> int:
        """The place of a text that an event may be about."""
        self.subjects.append(text)
        return len(self.subjects) - 1

    def lane(self, duration: float | None, purpose: int, owner: int, *, whole_call: bool = False) -> int:
        """A lane of timers of one duration, seconds; NOBODY where there is none."""
        if duration is None:
            return NOBODY
        return self.lanes.add(duration=duration, purpose=purpose, owner=owner, whole_call=whole_call)

    def space(self, count: int = 1) -> int:
        """A number of its own for one kind of key, or the first of several."""
        self.spaces += count
        return self.spaces - count + 1
