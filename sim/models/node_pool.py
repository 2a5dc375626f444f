"""The nodes of one pool, who stands on which, and Kubernetes' cluster autoscaler, which brings and takes them.

    absent --start--> starting --after its start-up time--> ready --unneeded for long--> draining --empty--> absent

What it leaves out the spec says.
"""

from __future__ import annotations

import math

from sim.models.clock import CONTROL, Signal
from sim.models.fleet import ABSENT, DRAINING, READY, STARTING, THERE, Fleet, Slot
from sim.models.site import System
from sim.policies.base import passed
from sim.spec.node_pool import NodePool as Spec
from sim.spec.node_pool import Space
from sim.vocabulary import EventKind

EMPTY_AT_ONCE = 10  # empty nodes that go in one scan (max-empty-bulk-delete)


class Node:
    """The place of one node."""

    __slots__ = ("index", "phase", "residents", "starts", "unneeded_since")

    def __init__(self, index: int):
        self.index = index
        self.phase = ABSENT
        self.starts = 0
        self.residents: list[tuple[Fleet, Slot]] = []  # replicas that stand here, those that drain included
        self.unneeded_since = math.nan  # s; nan: it is needed


class NodePool:
    """All of them, and the replicas that wait for one."""

    def __init__(self, system: System, name: str, spec: Spec):
        self.env = system.env
        self.recorder = system.recorder
        self.name = name
        self.spec = spec
        self.start_time = system.sampler(spec.start, f"{name}.node.start")
        self.nodes = [Node(index) for index in range(spec.max)]
        self.pending: list[tuple[Fleet, Slot]] = []  # who came first first
        self.at: dict[tuple[str, int], Node] = {}  # service and replica -> where it stands
        self.added_at = self.deleted_at = -math.inf  # s
        self.paid = 0
        self.paid_area = 0.0
        self.scans = 0
        watch = self.recorder.watch
        watch(name, "nodes", "level", lambda _: self.ready)
        watch(name, "nodes_paid", "mean", lambda now: self.paid_area + self.paid * now)
        watch(name, "replicas_pending", "level", lambda _: len(self.pending))

    def begin(self, fleets: list[Fleet]) -> None:
        """As many nodes as the replicas need that are there at the beginning, and the first look planned."""
        there = [(fleet, slot) for fleet in fleets for slot in fleet.of(READY)]
        places = self.spec.first_fit(fleet.cores for fleet, _ in there)
        for node in self.nodes[: max(self.spec.min, 1 + max(places, default=-1))]:
            node.phase = READY
            self.paid += 1
        for place, (fleet, slot) in zip(places, there, strict=True):
            self._put(self.nodes[place], fleet, slot)
        self._plan_scan()

    def of(self, *phases: int) -> list[Node]:
        """The nodes in one of these phases."""
        return [node for node in self.nodes if node.phase in phases]

    @property
    def ready(self) -> int:
        """How many nodes replicas can be put on."""
        return len(self.of(READY))

    # -- replicas, which come to stand here and go -----------------------------------------------------------------

    def place(self, fleet: Fleet, slot: Slot) -> bool:
        """Whether a node has room for it; else it waits for one, and is begun when it has found it."""
        node = self._roomiest(fleet.cores)
        if node is None:
            self.pending.append((fleet, slot))
            return False
        self._put(node, fleet, slot)
        return True

    def leave(self, fleet: Fleet, slot: Slot) -> None:
        """It is gone, or waits no longer: others may have its room."""
        if (fleet, slot) in self.pending:
            self.pending.remove((fleet, slot))
            return
        node = self.at.pop((fleet.host.name, slot.replica.index))
        node.residents.remove((fleet, slot))
        if node.phase == DRAINING and not node.residents:
            self._stop(node)
        self._place_pending()

    def _place_pending(self) -> None:
        waiting, self.pending = self.pending, []
        for fleet, slot in waiting:
            if self.place(fleet, slot):
                fleet.begin(slot)

    def _put(self, node: Node, fleet: Fleet, slot: Slot) -> None:
        node.residents.append((fleet, slot))
        self.at[fleet.host.name, slot.replica.index] = node

    def _roomiest(self, cores: int) -> Node | None:
        """The ready node with the most cores free, and of such the one with the fewest replicas."""
        fit = [node for node in self.of(READY) if _holds(self._room(node), cores)]
        return max(fit, key=lambda node: (self._room(node), -node.index), default=None)

    def _room(self, node: Node) -> Space:
        cores, replicas = self.spec.space
        return cores - sum(fleet.cores for fleet, _ in node.residents), replicas - len(node.residents)

    # -- the cluster autoscaler ------------------------------------------------------------------------------------

    def _plan_scan(self) -> None:
        """At every multiple of the interval."""
        due = (self.scans + 1) * self.spec.scan_interval
        self.env.schedule(Signal(self._scan), CONTROL, max(0.0, due - self.env.now))

    def _scan(self, _: object) -> None:
        self.scans += 1
        self._judge()
        if not self._add_nodes():
            self._remove_nodes()
        self._plan_scan()

    def _add_nodes(self) -> bool:
        """Start what holds the pending ones, beside the nodes that are under way; whether any was started."""
        asked = sorted((fleet.cores for fleet, _ in self.pending), reverse=True)
        coming = [self.spec.space] * len(self.of(STARTING))
        needed = 1 + max(self.spec.first_fit(asked, coming), default=-1) - len(coming)
        new = self.of(ABSENT)[: max(0, needed)]
        for node in new:
            self._start(node)
            self.added_at = self.env.now
        return bool(new)

    def _judge(self) -> None:
        """Since when each node is unneeded."""
        for node in self.nodes:
            if node.phase != READY or not self._is_unneeded(node):
                node.unneeded_since = math.nan
            elif math.isnan(node.unneeded_since):
                node.unneeded_since = self.env.now

    def _is_unneeded(self, node: Node) -> bool:
        asked = [fleet.cores for fleet, _ in node.residents]
        if self.spec.asked_for(sum(asked), len(asked)) >= self.spec.scale_down_utilization_threshold:
            return False
        others = [self._room(other) for other in self.of(READY) if other is not node]
        return max(self.spec.first_fit(sorted(asked, reverse=True), others), default=-1) < len(others)

    def _remove_nodes(self) -> None:
        """Those that were unneeded for long: all empty ones, else one of the others."""
        spec, now = self.spec, self.env.now
        if not passed(now, self.added_at + spec.scale_down_delay_after_add):
            return
        if not passed(now, self.deleted_at + spec.delay_after_delete):
            return
        long = [node for node in self.of(READY) if passed(now, node.unneeded_since + spec.scale_down_unneeded_time)]
        spare = max(0, len(self.of(STARTING, READY)) - spec.min)
        empty = [node for node in long if not node.residents][: min(spare, EMPTY_AT_ONCE)]
        for node in empty:
            self.deleted_at = now
            self._stop(node)
        if not empty and long and spare and not self.of(DRAINING):
            self.deleted_at = now
            self._drain(long[0])

    # -- the life of a node ----------------------------------------------------------------------------------------

    def _start(self, node: Node) -> None:
        node.starts += 1
        self._pay(1)
        self._turn(node, STARTING, EventKind.NODE_STARTING)
        delay = self.start_time(node.index, node.starts)
        self.env.schedule(Signal(lambda _: self._be_ready(node)), CONTROL, delay)

    def _be_ready(self, node: Node) -> None:
        self._turn(node, READY, EventKind.NODE_READY)
        self._place_pending()

    def _drain(self, node: Node) -> None:
        """Nobody is put there any more; who stands there is drained, and another one begins elsewhere."""
        self._turn(node, DRAINING, EventKind.NODE_DRAINING, len(node.residents))
        fleets = list(dict.fromkeys(fleet for fleet, _ in node.residents))
        for fleet, slot in list(node.residents):
            if slot.phase in THERE:
                fleet.drain(slot)
        for fleet in fleets:
            fleet.fill()

    def _stop(self, node: Node) -> None:
        self._pay(-1)
        self._turn(node, ABSENT, EventKind.NODE_STOPPED)

    def _turn(self, node: Node, phase: int, kind: EventKind, value: float = 0.0) -> None:
        node.phase = phase
        self.recorder.event(kind, f"{self.name}[{node.index}]", value=value)

    def _pay(self, more: int) -> None:
        self.paid += more
        self.paid_area -= more * self.env.now


def _holds(room: Space, cores: int) -> bool:
    return room[0] >= cores and room[1] >= 1
