"""The balancer of one replica of a caller, where it goes by weights, latencies, hashes or failures.

It learns of a replica by the answers that its own caller has, and at once of one that is down or has come back. One
that has come back is another one, of which nothing is known (Envoy: hosts_removed, hosts_added).

Not modelled: zones, active health checks, what other callers know, Maglev tables, bounded loads of hashing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

from sim.chance.keyed import stream_number
from sim.models.outcomes import ERROR, SHED, TIMEOUT, UNREACHABLE
from sim.models.recorder import Recorder
from sim.models.request import Request
from sim.policies import balancer as plain
from sim.policies import balancing as policy
from sim.policies.base import reached
from sim.spec.balancing import PLAIN, Balancing, OutlierDetection
from sim.vocabulary import EventKind

GATEWAY_FAILURES = (SHED, TIMEOUT, UNREACHABLE)  # 502, 503, 504
FAILURES = (ERROR, *GATEWAY_FAILURES)  # 5xx


class Ring:
    """Points of all replicas on a circle; a key goes to the next one that may be chosen."""

    def __init__(self, name: str, replicas: int, size: int):
        each = max(1, size // replicas)
        points = sorted((stream_number(f"{name}[{i}]_{k}"), i) for i in range(replicas) for k in range(each))
        self.at = [point for point, _ in points]
        self.whose = [index for _, index in points]

    def pick(self, key: str, those: Sequence[int]) -> int:
        """The replica of a key."""
        allowed = set(those)
        start = bisect_left(self.at, stream_number(key))
        for step in range(len(self.at)):
            index = self.whose[(start + step) % len(self.at)]
            if index in allowed:
                return index
        return -1


class Balancer:
    """What one caller knows of the replicas of one callee."""

    def __init__(
        self,
        spec: Balancing,
        name: str,
        returned: Mapping[int, float],
        replicas: int,
        start: int,
        caller: str,
        recorder: Recorder,
    ):
        self.spec = spec
        self.name, self.caller, self.recorder = name, caller, recorder
        self.peers = [policy.PeerRow() for _ in range(replicas)]
        for peer, weight in zip(self.peers, spec.weights, strict=False):
            peer.weight = float(weight)
        self.loads = [0] * replicas
        self.alive: Sequence[int] = [1] * replicas  # who was there when it chose last
        self.returned = returned  # place -> when a replica came back there
        # mypy does not narrow a Literal by `in`
        self.row = plain.new_balancer(spec.policy, start) if spec.policy in PLAIN else None  # type: ignore[arg-type]
        self.weighted = bool(spec.weights) or spec.slow_start is not None
        self.ring = Ring(name, replicas, spec.ring_size) if spec.policy == "ring_hash" else None
        self.next_look = spec.outlier_detection.interval if spec.outlier_detection is not None else 0.0

    @property
    def ejected(self) -> int:
        """How many of those that are there are left out."""
        return sum(peer.ejected and there for peer, there in zip(self.peers, self.alive, strict=True))

    def choose(self, alive: Sequence[int], request: Request, now: float, draw: Callable[[int], float]) -> int:
        """The replica to call; -1: there is none. `draw(k)` is the k-th uniform of this choice."""
        self._look(now)
        self.alive = alive
        up = self._allowed(alive)
        those = [index for index, there in enumerate(up) if there]
        if not those:
            return -1
        index = self._pick(those, up, request, now, draw)
        self.loads[index] += 1
        return index

    def over(self, index: int, outcome: int, seconds: float, now: float) -> None:
        """An attempt is over; negative: nobody knows how."""
        self.loads[index] -= 1
        self._look(now)
        peer = self.peers[index]
        if now - seconds < self.returned.get(index, -math.inf):
            return  # that was another one, at the same place
        if outcome >= 0 and self.spec.policy == "peak_ewma":
            policy.observe(peer, seconds, now, self.spec.decay)
        if outcome >= 0 and self.spec.outlier_detection is not None:
            self._judge(index, peer, outcome, now, self.spec.outlier_detection)

    def _pick(
        self, those: Sequence[int], up: Sequence[int], request: Request, now: float, draw: Callable[[int], float]
    ) -> int:
        spec = self.spec
        if self.ring is not None:
            return self.ring.pick(f"user {request.user}" if request.user >= 0 else f"request {request.id}", those)
        if spec.policy == "peak_ewma":
            return policy.peak_ewma(self.peers, those, self.loads, now, spec.decay, draw(0), draw(1))
        if self.weighted:
            weights = [self._weight(index, now) for index in those]
            if spec.policy == "round_robin":
                return policy.smooth_round_robin(self.peers, those, weights)
            return policy.least_connections(self.peers, those, weights, self.loads)
        assert self.row is not None
        uniforms = plain.UNIFORMS[self.row.kind]
        u1 = draw(0) if uniforms else 0.0
        return plain.pick(self.row, self.loads, up, len(up), u1, draw(1) if uniforms > 1 else u1)

    def _weight(self, index: int, now: float) -> float:
        peer, window = self.peers[index], self.spec.slow_start
        return peer.weight if window is None else peer.weight * policy.share_of_slow_start(peer, now, window)

    def _allowed(self, alive: Sequence[int]) -> Sequence[int]:
        """Those that are there and not ejected; all that are there, where too few would be left."""
        if self.spec.outlier_detection is None or not self.ejected:
            return alive
        left = [int(there and not peer.ejected) for there, peer in zip(alive, self.peers, strict=True)]
        return alive if sum(left) < self.spec.panic_threshold * sum(alive) or not any(left) else left

    # -- who is left out -------------------------------------------------------------------------------------------

    def _judge(self, index: int, peer: policy.PeerRow, outcome: int, now: float, rule: OutlierDetection) -> None:
        """Count an answer, and eject the replica at the moment at which one too many was a failure."""
        peer.asked += 1
        if outcome not in FAILURES:
            peer.good += 1
            peer.failures = peer.gateway_failures = 0
            return
        peer.failures += 1
        peer.gateway_failures = peer.gateway_failures + 1 if outcome in GATEWAY_FAILURES else 0
        if peer.gateway_failures == rule.consecutive_gateway_failure:
            peer.gateway_failures = 0
            self._eject(index, now, rule)
        if peer.failures == rule.consecutive_5xx:
            peer.failures = 0
            self._eject(index, now, rule)

    def _eject(self, index: int, now: float, rule: OutlierDetection) -> None:
        peer = self.peers[index]
        here = sum(self.alive)
        if peer.ejected or not policy.may_eject(
            self.ejected, max(1, here), rule.max_ejection_percent, rule.always_eject_one_host
        ):
            return
        policy.eject(peer, now, rule.base_ejection_time, rule.max_ejection_time)
        self.recorder.event(EventKind.REPLICA_EJECTED, f"{self.name}[{index}]", self.caller, time=now)

    def _look(self, now: float) -> None:
        """What Envoy does at the end of every interval that is over by now: nothing has happened in between."""
        self._meet_newcomers()
        rule = self.spec.outlier_detection
        while rule is not None and reached(now, self.next_look):
            at = self.next_look
            self.next_look += rule.interval
            for index, peer in enumerate(self.peers):
                if peer.ejected and policy.is_over(peer, at, rule.base_ejection_time, rule.max_ejection_time):
                    policy.uneject(peer, at)
                    self.recorder.event(EventKind.REPLICA_RETURNED, f"{self.name}[{index}]", self.caller, time=at)
                else:
                    policy.forgive(peer, at, rule.interval)
            if rule.success_rate:
                self._compare(at, rule)
            for peer in self.peers:
                peer.asked = peer.good = 0

    def _meet_newcomers(self) -> None:
        for index, at in self.returned.items():
            peer = self.peers[index]
            if at > peer.since:
                self.peers[index] = policy.PeerRow(weight=peer.weight, since=at)
                if peer.ejected:
                    self.recorder.event(EventKind.REPLICA_RETURNED, f"{self.name}[{index}]", self.caller, time=at)

    def _compare(self, at: float, rule: OutlierDetection) -> None:
        """Eject those whose success rate in the interval is far below that of the others."""
        judged = [(i, peer) for i, peer in enumerate(self.peers) if peer.asked >= rule.success_rate_request_volume]
        if len(judged) < rule.success_rate_minimum_hosts:
            return
        rates = [100.0 * peer.good / peer.asked for _, peer in judged]
        threshold = policy.success_rate_threshold(rates, rule.success_rate_stdev_factor)
        for (index, _), rate in zip(judged, rates, strict=True):
            if rate < threshold:
                self._eject(index, at, rule)
