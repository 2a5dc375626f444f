"""Nodes of logs that go and come: the models' own brokers, over rows of this engine.

Which are there and who is to lead is decided rarely (`models/logs/cluster.py`). Replicas are in `replicas.py`; what a
record comes by is machine code (`leaders.py`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sim.compiled import produced
from sim.compiled.replicas import TopicView
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import Broker as BrokerRow
from sim.compiled.rows.logs import Node as NodeRow
from sim.compiled.rows.logs import brokers, nodes
from sim.compiled.rows.producers import producer_settings, producers
from sim.compiled.transaction_timeouts import CoordinatorView
from sim.compiled.views import of_row
from sim.models.logs.cluster import ClusteredBroker, Node

if TYPE_CHECKING:
    from sim.compiled.machine import Machine

Model = Any  # of the models, whose parts are exchanged for views


class NodesOfLogs:
    """The log brokers of one run that have nodes."""

    def __init__(self, machine: Machine):
        found = [broker for broker in machine.wiring.broker_at if isinstance(broker, ClusteredBroker)]
        self.brokers = {broker: BrokerView(machine, broker) for broker in found}

    def fail(self, broker: Model, node: int) -> None:
        """A node is gone."""
        self.brokers[broker].fail_node(node)

    def restore(self, broker: Model, node: int) -> None:
        """It is back."""
        self.brokers[broker].restore_node(node)

    def break_off(self, broker: Model) -> None:
        """All that are there are to be gone, with their broker."""
        self.brokers[broker].break_off()

    def tell_of_disks(self, broker: Model) -> None:
        """How slow they are may have changed."""
        for node in self.brokers[broker].nodes:
            node.row.slow = math.prod(node.slowdowns, start=1.0)


class BrokerView(ClusteredBroker):
    """A broker, whose nodes and topics are views."""

    nodes: list[NodeView]
    down: int = of_row()  # for how many faults

    def __init__(self, machine: Machine, model: Model):
        self.machine, self.place = machine, machine.wiring.broker_at[model]
        self.env: Model = machine.elasticity.env
        self.context: Model = machine.elasticity  # of which it asks for the event log alone
        self.name, self.nodes_spec = model.name, model.nodes_spec
        self.nodes = [NodeView(machine, node) for node in model.nodes]
        deep = [topic for topic in model.in_depth if machine.wiring.is_deep(topic)]
        self.in_depth = [TopicView(machine, self, topic) for topic in deep]
        self.coordinator = CoordinatorView(machine, self)
        self.settings = machine.wiring.producer_tables.settings_of(model)

    @property
    def row(self) -> BrokerRow:
        """Its row."""
        return brokers(self.machine.s)[self.place]

    def _senders(self) -> list[ProducerView]:
        s, found = self.machine.s, []
        place = producer_settings(s)[self.settings].there.first if self.settings >= 0 else NOBODY
        while place >= 0:
            found.append(ProducerView(self.machine, place))
            place = producers(s)[place].next
        return found

    def restore(self) -> None:
        """Wake all who wait."""
        self.machine.faults.wake_waiting(self.place)


class ProducerView:
    """A producer, as the nodes of its broker know it."""

    def __init__(self, machine: Machine, place: int):
        self.machine, self.place = machine, place

    def node_lost(self, node: int) -> None:
        """What it was asked is gone with it."""
        if self.machine.s.must_grow:
            self.machine.grow()
        produced.lose_node(self.machine.s, self.place, node)


class NodeView(Node):
    """A node, which its row knows to be up or down."""

    down: int = of_row()  # for how many faults
    life: int = of_row()  # changes when it is lost

    def __init__(self, machine: Machine, model: Model):
        self.machine, self.place = machine, machine.wiring.node_at[model]
        self.index, self.slowdowns = model.index, model.slowdowns
        self.fenced = False

    @property
    def row(self) -> NodeRow:
        """Its row."""
        return nodes(self.machine.s)[self.place]

    @property
    def free_at(self) -> list[float]:
        """When it has done with what it was asked."""
        row = self.row
        return [row.free_requests, row.free_network, row.free_disk]

    @free_at.setter
    def free_at(self, free_at: list[float]) -> None:
        """From now on."""
        self.row.free_requests, self.row.free_network, self.row.free_disk = free_at
