"""Active health checks of a service: who finds out which replicas may be chosen, and when.

It is run by both engines as it is (`compiled/elasticity.py`), since checks are rare beside requests.

Not modelled: that a check takes a worker or waits in the queue of a replica (it is answered beside them, as on a
management port of its own), warm-up, faults of `errors` (they are of endpoints: `outlier_detection` sees them), the
network between who checks and the replica, checks of each caller by itself, jitter, another interval for who
has no traffic, and how often a replica was ejected before its checks failed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sim.models.clock import CONTROL, Clock, Signal
from sim.models.recorder import Recorder
from sim.policies.balancing import FAILING
from sim.policies.base import passed, reached
from sim.policies.health import HealthRow, note
from sim.spec.health import HealthChecks as Spec
from sim.vocabulary import EventKind


class Checked(Protocol):
    """A replica, as its checks see it."""

    @property
    def closed(self) -> int:
        """For how many reasons nobody gets an answer from it."""

    @property
    def hung(self) -> int:
        """How many freezes hold it: one of these reasons."""

    @property
    def warm_since(self) -> float:
        """When it was ready, s."""


class Told(Protocol):
    """A host, as its checks see it (`models/service.py`)."""

    name: str
    unheard: int  # black holes that swallow what it sends

    def checked(self, index: int) -> Checked:
        """One of its replicas."""

    def pace_of(self, index: int) -> float:
        """How many times as long all takes there now."""

    def tell(self, index: int, known: int) -> None:
        """Tell all balancers what is known of a replica."""

    def is_another(self, index: int) -> None:
        """A replica is another one to all balancers from now on."""

    def uneject(self, index: int) -> None:
        """A check has passed: whoever had ejected it as an outlier takes it back."""


class HealthChecks:
    """The checks of all replicas of one service."""

    def __init__(self, spec: Spec, host: Told, env: Clock, recorder: Recorder, places: int, there: int, panics: bool):
        """`places` of replicas, of which the first that are `there` are healthy; `panics`: balancers know the others
        too, and may choose them in a panic.
        """
        self.spec, self.host, self.env, self.recorder = spec, host, env, recorder
        self.left_out = FAILING if panics else 0
        self.rows = [HealthRow() if index < there else None for index in range(places)]  # None: it is not there
        self.turns = [0] * places  # of who is at its place: what was planned in an earlier one is stale
        for index in range(there):
            self._in(spec.interval, index, self._check)

    def come_up(self, index: int) -> None:
        """A replica is up: a new one is checked at once, one that crashed when its turn has come."""
        if self.rows[index] is None:
            self.rows[index] = HealthRow(healthy=False, checked=False)
            self.host.tell(index, self.left_out)
            self._in(0.0, index, self._check)

    def forget(self, index: int) -> None:
        """It is to go: nobody checks it any more."""
        self.rows[index] = None
        self.turns[index] += 1

    def _check(self, index: int) -> None:
        replica, spec = self.host.checked(index), self.spec
        until, since = self.env.now + spec.timeout, replica.warm_since
        takes = spec.takes * self.host.pace_of(index)
        if self._refuses(replica):
            self._judge(index, False)
        elif passed(takes, spec.timeout):
            self._in(spec.timeout, index, lambda _: self._judge(index, False))
        elif takes:
            self._in(takes, index, lambda _: self._hear(index, until, since))
        else:
            self._hear(index, until, since)

    def _hear(self, index: int, until: float, since: float) -> None:
        """It answers now, unless it is frozen or unheard: then when the time is over, if that has ended by then."""
        replica, now = self.host.checked(index), self.env.now
        if self._refuses(replica) or replica.warm_since != since:  # it has died, and may have come back
            self._judge(index, False)
        elif not replica.hung and not self.host.unheard:
            self._judge(index, True)
        elif reached(now, until):
            self._judge(index, False)
        else:
            self._in(until - now, index, lambda _: self._hear(index, until, since))

    @staticmethod
    def _refuses(replica: Checked) -> bool:
        """Whether it is down or refuses; one that is only frozen does not even do that."""
        return replica.closed > (1 if replica.hung else 0)

    def _judge(self, index: int, good: bool) -> None:
        row, spec = self.rows[index], self.spec
        assert row is not None
        if note(row, good, spec.unhealthy_threshold, spec.healthy_threshold):
            self.host.tell(index, 1 if good else self.left_out)
            kind = EventKind.REPLICA_HEALTHY if good else EventKind.REPLICA_UNHEALTHY
            self.recorder.event(kind, f"{self.host.name}[{index}]")
            if good:
                self.host.is_another(index)
        elif good and row.healthy:
            self.host.uneject(index)
        pause = spec.interval if row.healthy or spec.unhealthy_interval is None else spec.unhealthy_interval
        self._in(pause, index, self._check)

    def _in(self, delay: float, index: int, what: Callable[[int], None]) -> None:
        """After so many seconds, unless another one is at its place by then."""
        turn = self.turns[index]

        def come(_: object) -> None:
            if self.turns[index] == turn:
                what(index)

        self.env.schedule(Signal(come), CONTROL, delay)
