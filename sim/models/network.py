"""The network of one run: a wire between any two components that talk, and the hops over it."""

from __future__ import annotations

from collections.abc import Collection

from sim.models.draws import Draws
from sim.models.link import Hop, Wire
from sim.spec.distribution import Constant
from sim.spec.network import Link
from sim.spec.network import Network as Spec

CLIENTS = "clients"  # the far end of what goes to a door


class Network:
    """Wires are made when somebody first asks for one."""

    def __init__(self, spec: Spec, draws: Draws, zoned: Collection[str] = ()):
        self.spec = spec
        self.zoned = zoned  # the components that are in zones
        self.draws = draws
        self._wires: dict[frozenset[str], Wire] = {}  # by the names of both ends

    @property
    def wires(self) -> list[Wire]:
        """All wires, in the order in which they were made."""
        return list(self._wires.values())

    def wires_of(self, name: str) -> list[Wire]:
        """All wires that end at a component."""
        return [wire for ends, wire in self._wires.items() if name in ends]

    def wire(self, one: str, other: str) -> Wire:
        """The wire between two components."""
        ends = frozenset((one, other))
        if ends not in self._wires:
            self._wires[ends] = Wire(self._link(ends).loss)
        return self._wires[ends]

    def hops(self, caller: str, callee: str, stream: str) -> tuple[Hop, Hop]:
        """The way out and the way back; their draws are named after `stream`."""
        link, wire = self._link(frozenset((caller, callee))), self.wire(caller, callee)
        between = self.spec.between_zones if caller in self.zoned and callee in self.zoned else -1.0
        there, back = (self._hop(wire, link, f"{stream}.{way}", between) for way in ("request", "response"))
        return there, back

    def door_hop(self, component: str) -> Hop:
        """The way of a client to its door: of no length, but a black hole swallows what comes by it.

        The default of the network is for hops behind the door.
        """
        wire = self._wires.setdefault(frozenset((CLIENTS, component)), Wire(0.0))
        stream = f"{CLIENTS}.{component}"
        return Hop(wire, None, self.draws.uniform(f"{stream}.loss"), stream)

    def _hop(self, wire: Wire, link: Link, stream: str, between: float) -> Hop:
        latency = link.latency
        if latency is None or isinstance(latency, Constant):
            length = latency.value if latency is not None else 0.0
            return Hop(wire, None, self.draws.uniform(f"{stream}.loss"), stream, length, between)
        draw = self.draws.sampler(latency, stream)
        return Hop(wire, draw, self.draws.uniform(f"{stream}.loss"), stream, between_zones=between)

    def _link(self, ends: frozenset[str]) -> Link:
        links = self.spec.links
        return next((link for link in links if frozenset(link.between) == ends), self.spec.default)
