"""Calls, what can be called, and the way there, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.compiled import network, placing
from sim.compiled.draw_rows import row_of
from sim.compiled.flows.calls import LAYERS, purpose_of
from sim.compiled.rows import calls as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.balancing import BalancingTables
from sim.compiled.wiring.found import Filled, Found, FoundPolicies, whole_numbers
from sim.models.gateway import Route
from sim.models.queues.exchange import PublishTarget as ExchangeTarget
from sim.models.topic import PublishTarget
from sim.policies.balancer import BalancerRow, new_balancer

if TYPE_CHECKING:
    from sim.compiled.flows.layer import Layer
    from sim.compiled.wiring.guards import GuardTables
    from sim.compiled.wiring.places import Places
    from sim.compiled.wiring.queues import SenderTables
    from sim.models.call import Call, Target
    from sim.models.link import Hop
    from sim.models.service import Endpoint
    from sim.models.topic import Topic

KEYS = {"order": placing.BY_ORDER, "user": placing.BY_USER, "item": placing.BY_ITEM}


def placed_by(topic: Topic, key: str | None) -> int:
    """What decides the partition of what is published to a topic under this key."""
    if topic.spec.partitioner == "round_robin":
        return int(placing.IN_TURN)
    return int(placing.BY_HEADER if topic.spec.key_header is not None else KEYS.get(key or "", placing.STICKY))


class CallTables:
    """Their rows."""

    def __init__(self, places: Places, guards: GuardTables, senders: SenderTables):
        self.places = places
        self.guards = guards
        self.senders = senders
        self.calls, self.targets, self.hops = Found(rows.Call), Found(rows.Target), Found(rows.Hop)
        self.balancers = FoundPolicies(BalancerRow)
        self.balancing = BalancingTables(places, self.balancers)
        self.loads_of: dict[int, tuple[int, int]] = {}  # of hosts that are counted: where lines begin, their length
        self._loads = max([1, *(len(host.replicas) for host in places.hosts)])  # first the line of who does not count
        self.balancer_of = np.full((len(places.hosts), len(places.replicas)), NOBODY, np.int64)
        self.programs: dict[Any, int] = {}  # of endpoints and routes: where they begin
        self._call_at: dict[Call, int] = {}
        self._target_at: dict[Any, int] = {}
        self._hop_at: dict[Hop, int] = {}

    # -- calls ---------------------------------------------------------------------------------------------------------

    def call(self, call: Call) -> int:
        """A guarded call."""
        if call in self._call_at:
            return self._call_at[call]
        self._call_at[call] = place = self.calls.add()
        values: dict[str, Any] = {
            "target": self.target(call.target),
            "hop": self.hop(call.hop),
            "back": self.hop(call.back),
            "salt": call.salt,
            "mark": call.mark,
            "guards": self.guards.guards_at(call.guards),
        }
        for layer in LAYERS:
            values |= layer.of_call(call, self, place)
        self.calls.rows[place] |= values | self._ends(call)
        return place

    def lane(self, layer: type[Layer], duration: float | None, call: int) -> int:
        """The timers of a layer of a call."""
        return self.places.lane(duration, purpose_of(layer), call, whole_call=layer.whole_call)

    def _ends(self, call: Call) -> dict[str, int]:
        """The caller and the callee, as events name them.

        Each replica of a caller by itself where it has a guard of its own.
        """
        places = self.places
        host = next(host for host in places.hosts if host.name == call.caller)
        per_replica = call.policy.scope != "service"
        subject = len(places.subjects)
        places.subjects += (
            [f"{call.caller}[{replica.index}]" for replica in host.replicas] if per_replica else [call.caller]
        )
        about = next(iter(call.guards.values())).about if call.guards else call.target.component
        return {
            "subject": subject,
            "about": places.subject(about),
            "per_replica": per_replica,
            "may_freeze": host.may_hang,
        }

    def hop(self, hop: Hop) -> int:
        """One direction of one kind of message."""
        if hop not in self._hop_at:
            draw = row_of(hop.draw) if hop.draw is not None else NOBODY
            chance, wire = row_of(hop.chance), self.places.wire_at[hop.wire]
            self._hop_at[hop] = self.hops.add(
                length=hop.length,
                between_zones=hop.between_zones,
                fixed=hop.fixed,
                draw=draw,
                chance=chance,
                wire=wire,
                salt=hop.salt,
            )
        return self._hop_at[hop]

    # -- targets -------------------------------------------------------------------------------------------------------

    def target(self, target: Target) -> int:
        """What can be called; its program is known in the end."""
        if target not in self._target_at:
            if isinstance(target, PublishTarget):
                self._target_at[target] = self._topic(target)
            elif isinstance(target, ExchangeTarget):
                self._target_at[target] = self._exchange(target)
            elif isinstance(target, Route):
                self._target_at[target] = self.targets.add(kind=network.ROUTE, **self._hosted(target))
            else:
                self._target_at[target] = self._endpoint(target)
        return self._target_at[target]

    def _topic(self, target: PublishTarget) -> int:
        return self.targets.add(
            kind=network.TO_LEADER if self.places.is_deep(target.topic) else network.PUBLICATION,
            where=target.where,
            only=self.places.replica_at[self.places.world.nowhere],
            topic=self.places.topic_at[target.topic],
            key=placed_by(target.topic, target.key),
            site=target.site,
        )

    def _exchange(self, target: ExchangeTarget) -> int:
        return self.targets.add(
            kind=network.TO_EXCHANGE,
            where=target.where,
            only=self.places.replica_at[self.places.world.nowhere],
            sender=self.senders.sender(target.sender, batched=target.batched),
        )

    def _hosted(self, target: Any) -> dict[str, Any]:  # noqa: ANN401 - an Endpoint or a Route
        replicas = target.host.replicas
        first = self.places.replica_at[replicas[0]]
        return {
            "where": target.where,
            "only": first if target.only is not None else NOBODY,
            "host": self.places.host_at[target.host],
            "first": first,
            "count": len(replicas),
            "counts": target.counts,
            "entry": target,
        }

    def _endpoint(self, endpoint: Any) -> int:  # noqa: ANN401 - an Endpoint
        draws = [row_of(draw) for draw in endpoint.balancer_draws] or [NOBODY]
        values = self._hosted(endpoint) | {
            "uniforms": len(endpoint.balancer_draws),
            "uniform": draws[0],
            "other_uniform": draws[min(1, len(draws) - 1)],
            "zone_uniform": draws[min(2, len(draws) - 1)],
            "other_zone_uniform": draws[-1],
            "by_view": endpoint.by_request is not None,
        }
        self._balance(values["host"], endpoint)
        values["loads"], values["line"] = self.loads_of.get(values["host"], (0, 0))
        return self.targets.add(kind=network.ENDPOINT, **values)

    def _balance(self, host: int, endpoint: Endpoint) -> None:
        """Every possible caller has a balancer of its own over the replicas of a service."""
        replicas = len(endpoint.host.replicas)
        if endpoint.only is not None or self.balancer_of[host, 0] >= 0 or self.balancing.view_of[host, 0] >= 0:
            return
        if endpoint.counts:
            self.loads_of[host] = self._loads, replicas
            self._loads += replicas * len(self.places.replicas)
        if endpoint.service.smart is not None:
            self.balancing.balance(host, endpoint.service, self.loads_of[host][0])
            return
        for place, caller in enumerate(self.places.replicas):
            self.balancer_of[host, place] = self.balancers.add(
                new_balancer(endpoint.service.balancing, caller.index % replicas)
            )

    # -- tables --------------------------------------------------------------------------------------------------------

    def tables(self) -> Filled:
        """As they are at time 0."""
        places = self.places
        wires, faults = max(1, len(places.wires)), max(1, len(places.harms))
        for row in self.targets.rows:
            if "entry" in row:
                row["entry"] = self.programs.get(row["entry"], row["entry"])
        yield rows.calls, self.calls.array()
        yield rows.targets, self.targets.array()
        yield rows.hops, self.hops.array()
        yield rows.wires, self._wires().array()
        yield rows.wire_losses, np.zeros((wires, faults))
        yield rows.wire_delays, np.zeros((wires, faults), np.int64)
        yield from self.balancing.tables()
        yield rows.balancers, self.balancers.array()
        yield rows.balancer_of, self.balancer_of
        yield rows.loads, np.zeros(self._loads, np.int64)
        yield rows.alive, whole_numbers([int(not replica.absent) for replica in places.replicas])

    def _wires(self) -> Found:
        found = Found(rows.Wire)
        for wire in self.places.wires:
            found.add(loss=wire.loss)
        return found
