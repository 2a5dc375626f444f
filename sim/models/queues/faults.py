"""What faults do to a broker, besides taking it down: alarm/clear, slow/recover, split/unite."""

from __future__ import annotations

from typing import Any

from sim.models.behaviours import behaviour
from sim.models.logs.cluster import ClusteredBroker
from sim.models.queues.queue_broker import QueueBroker
from sim.models.world import World
from sim.spec import broker_fault as spec


def _queue_broker(world: World, name: str) -> QueueBroker:
    broker = world.brokers[name]
    assert isinstance(broker, QueueBroker)
    return broker


@behaviour(spec.Alarm)
class Alarm:
    """Publishers are blocked."""

    def __init__(self, fault: spec.Alarm, world: World):
        self.broker = _queue_broker(world, fault.broker)

    def begin(self) -> None:
        """Out of memory."""
        self.broker.raise_alarm(1)

    def end(self) -> None:
        """There is room again."""
        self.broker.raise_alarm(-1)


@behaviour(spec.BrokerSplit)
class BrokerSplit:
    """Some nodes do not hear the others."""

    def __init__(self, fault: spec.BrokerSplit, world: World):
        self.broker = _queue_broker(world, fault.broker)
        self.nodes = frozenset(fault.nodes)

    def begin(self) -> None:
        """The network between them is cut."""
        assert self.broker.nodes is not None
        self.broker.nodes.split(self.nodes)

    def end(self) -> None:
        """It is mended."""
        assert self.broker.nodes is not None
        self.broker.nodes.unite(self.nodes)


@behaviour(spec.SlowDisk)
class SlowDisk:
    """Commits, or what followers write, take longer from now on."""

    def __init__(self, fault: spec.SlowDisk, world: World):
        self.broker: Any = world.brokers[fault.of]
        self.node = fault.node
        self.by = fault.by

    def begin(self) -> None:
        """Slow down."""
        self._change(begins=True)

    def end(self) -> None:
        """Recover."""
        self._change(begins=False)

    def _change(self, *, begins: bool) -> None:
        broker = self.broker
        if not isinstance(broker, ClusteredBroker):
            broker.slow_disk(self.node, self.by, begins=begins)
            return
        for node in broker.nodes if self.node is None else [broker.nodes[self.node]]:
            if begins:
                node.slowdowns.append(self.by)
            else:
                node.slowdowns.remove(self.by)
