"""The balancer of one replica of a caller, where it goes by weights, latencies, hashes or failures.

It learns of a replica by the answers that its own caller has, and at once of one that is down or has come back, where
that is not for health checks to find out. One that has come back is another one, of which nothing is known (Envoy:
hosts_removed, hosts_added).

Not modelled: weights of zones, a share of calls that takes no heed of them, what other callers know, bounded loads of
hashing, the time a table takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim.models.draws import Draw
from sim.models.recorder import Recorder
from sim.models.request import Request
from sim.models.sites import mark_of
from sim.models.task import Outside, Replica
from sim.policies import balancer as plain
from sim.policies import balancing as policy
from sim.policies import hashing, outliers
from sim.policies.balancer import BalancerRow
from sim.policies.base import reached
from sim.policies.zones import ANY, choose_zone, keep_zone
from sim.spec.balancing import Balancing
from sim.vocabulary import EventKind


class Balancer:
    """What one caller knows of the replicas of one callee."""

    def __init__(
        self,
        spec: Balancing,
        name: str,
        alive: Sequence[int],
        returned: Mapping[int, float],
        start: int,
        caller: Replica,
        zones: Sequence[int],
        all_zones: int,
        recorder: Recorder,
        rises: int = 1,
        luck: Draw | None = None,
    ):
        """`rises`: health checks that must pass until a replica that failed is taken back. `luck`: of who is ejected,
        and for how long, where chance decides.
        """
        self.name, self.caller, self.recorder = name, name_of(caller), recorder
        self.zone, self.zones = caller.zone, zones
        # those with whom this caller shares the load
        self.callers: Any = caller.host if caller.zone >= 0 else None
        self.room = [0] * all_zones, [0] * all_zones
        self.alive = alive  # who is there now
        self.returned = returned  # place -> when a replica came back there
        self.replicas = len(alive)
        self.rule = policy.new_balancing(spec, all_zones if zones else 0, rises)
        self.peers = policy.new_peers(spec, self.replicas)
        self.loads = [0] * self.replicas
        self.allowed = [0] * self.replicas
        # whose turn it is, among all and in each zone
        self.turns = [policy.new_plain(spec, start) for _ in range(self.rule.zones + 1)]
        self.ring = hashing.ring_of(name, self.replicas, spec.ring_size) if spec.policy == "ring_hash" else None
        self.table_size = spec.table_size
        self.next_look = self.rule.interval
        self.luck, self.entity, self.drawn = luck, luck_of(caller), 0

    @property
    def ejected(self) -> int:
        """How many of those that are there are left out."""
        return sum(peer.ejected for peer, there in zip(self.peers, self.alive, strict=True) if there)

    def choose(self, request: Request, now: float, draw: Callable[[int], float]) -> int:
        """The replica to call; -1: there is none. `draw(k)` is the k-th uniform of this choice."""
        self._look(now)
        if not policy.allow(self.rule, self.peers, self.alive, self.allowed, self.replicas, now):
            return -1
        zone = self._zone(draw) if self.rule.zones and self.callers is not None else ANY
        if zone != ANY:
            keep_zone(self.allowed, self.zones, self.replicas, zone)
        index = self._pick(request, now, draw, self.turns[zone + 1])
        self.loads[index] += 1
        return index

    def over(self, index: int, outcome: int, seconds: float, now: float) -> None:
        """An attempt is over; negative: nobody knows how."""
        self.loads[index] -= 1
        self._look(now)
        if outcome < 0 or now - seconds < self.returned.get(index, -math.inf):
            return  # that was another one, at the same place
        peer = self.peers[index]
        if self.rule.kind == policy.BY_LATENCY:
            policy.observe(peer, seconds, now, self.rule.decay)
        why = outliers.judge(self.rule, peer, outcome, now) if self.rule.detects else 0
        for reason in (outliers.BY_GATEWAY, outliers.BY_5XX, outliers.BY_LOCAL):
            if why & reason:
                self._eject(index, now, reason)

    def check_passed(self, index: int, now: float) -> None:
        """A health check of a replica has passed: it returns, where it was ejected."""
        self._look(now)
        if self.peers[index].ejected and outliers.returns(self.rule, self.peers[index]):
            outliers.uneject(self.peers[index], now)
            self._tell(EventKind.REPLICA_RETURNED, index, now)

    def _zone(self, draw: Callable[[int], float]) -> int:
        """The zone to send to, or ANY."""
        callers, (here, there) = self.callers, self.room
        known = self.rule, self.peers, self.alive, self.allowed, self.zones, self.replicas
        those = callers.alive, callers.zones, len(callers.zones)
        return choose_zone(*known, self.zone, *those, here, there, draw(2), draw(3))

    def _pick(self, request: Request, now: float, draw: Callable[[int], float], turn: BalancerRow) -> int:
        rule, replicas = self.rule, self.replicas
        if self.ring is not None:
            points, whose = self.ring
            key = hashing.key_of(request.user, request.id)
            return hashing.pick_on_ring(points, whose, len(points), key, self.allowed)
        if rule.kind == policy.BY_TABLE:
            table = hashing.table_of(self.name, tuple(self.allowed), self.table_size)
            return table[hashing.key_of(request.user, request.id) % self.table_size]
        if rule.kind == policy.BY_NAME:
            uniforms = plain.UNIFORMS[turn.kind]
            u1 = draw(0) if uniforms else 0.0
            return plain.pick(turn, self.loads, self.allowed, replicas, u1, draw(1) if uniforms > 1 else u1)
        u1, u2 = (draw(0), draw(1)) if rule.kind == policy.BY_LATENCY else (0.0, 0.0)
        return policy.pick(rule, self.peers, self.loads, self.allowed, replicas, now, u1, u2)

    # -- who is left out -------------------------------------------------------------------------------------------

    def _eject(self, index: int, now: float, why: int) -> None:
        luck = longer = 0.0
        if self.luck is not None and self.rule.chance:
            luck, longer = self.luck(self.entity, self.drawn), self.luck(self.entity, self.drawn + 1)
            self.drawn += 2
        if outliers.eject(self.rule, self.peers, self.alive, self.replicas, index, now, why, luck, longer):
            self._tell(EventKind.REPLICA_EJECTED, index, now)

    def _tell(self, kind: EventKind, index: int, now: float) -> None:
        self.recorder.event(kind, f"{self.name}[{index}]", self.caller, time=now)

    def _look(self, now: float) -> None:
        """What Envoy does at the end of every interval that is over by now: nothing has happened in between."""
        self._meet_newcomers()
        rule = self.rule
        while rule.detects == policy.AS_ENVOY and reached(now, self.next_look):
            at = self.next_look
            self.next_look += rule.interval
            for index, peer in enumerate(self.peers):
                if outliers.look(rule, peer, at):
                    self._tell(EventKind.REPLICA_RETURNED, index, at)
            by_percentage = outliers.failure_percentages_count(rule, self.peers, self.replicas)
            self._compare(at, 0, outliers.BY_RATE)
            for index, peer in enumerate(self.peers):
                if by_percentage and outliers.fails_too_often(rule, peer):
                    self._eject(index, at, outliers.BY_PERCENTAGE)
            self._compare(at, 1, outliers.BY_LOCAL_RATE)
            for peer in self.peers:
                outliers.forgive(rule, peer, at)
                outliers.begin_interval(peer)

    def _compare(self, at: float, local: int, why: int) -> None:
        """Eject those whose success rate is far below that of the others."""
        threshold = outliers.success_rate_threshold(self.rule, self.peers, self.replicas, local)
        far_below = [outliers.is_outlier(self.rule, peer, threshold, local) for peer in self.peers]
        for index, ejects in enumerate(far_below):
            if ejects:
                self._eject(index, at, why)

    def _meet_newcomers(self) -> None:
        for index, peer in enumerate(self.peers):
            at = self.returned.get(index, -math.inf)
            if at > peer.since:
                was_out = peer.ejected
                outliers.renew(peer, at)
                if was_out:
                    self._tell(EventKind.REPLICA_RETURNED, index, at)


def luck_of(caller: Replica) -> int:
    """A number of its own for each caller, whose luck it is who is ejected."""
    return mark_of(f"clients {caller.host.place}" if isinstance(caller.host, Outside) else name_of(caller))


def name_of(caller: Replica) -> str:
    """A caller, as events name it."""
    return f"{caller.host.name}[{caller.index}]" if caller.host.name else "clients"
