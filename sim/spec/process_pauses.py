"""Pauses of a whole process that come by themselves: garbage collections that stop the world."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from sim.spec.base import Leaves, Spec
from sim.spec.distribution import AnyDistribution
from sim.vocabulary import EventKind, Stage


class ProcessPauses(Spec):
    """Each replica stands still now and then with all that goes on in it, by luck of its own, and goes on where it
    was: a garbage collection that stops the world (`-Xlog:safepoint` and `gc.log` of a JVM say how often and how long),
    a snapshot that forks, a virtual machine that is moved. It is what the fault `{outage: NAME, how: hang}` does to all
    replicas at once: who comes meanwhile and finds no idle worker waits outside.

    Of its time a replica works every / (every + for). One that crashes or stops leaves its pause; one that starts has
    its first pause after a time of its own. The event log says when each begins and how long it lasts.

    Not modelled: how much is allocated (pauses come no sooner under load), memory that is full, collectors that work
    beside the application and take cores from it, and pauses of the gateway (a fault says those).
    """

    leaves: ClassVar[Leaves] = Leaves(
        events=(EventKind.REPLICA_PAUSED,), stages=(Stage.FROZEN,), series=("paused", "listen_backlog")
    )
    every: AnyDistribution
    """From the end of a pause, or the start of the replica, until the next begins: `{exponential: 10s}`; a bare time is
    constant, and then all replicas that start together pause together.
    """
    lasts: AnyDistribution = Field(alias="for")
    """How long each lasts: `{lognormal: {median: 50ms, p99: 400ms}}`."""

    @property
    def at_work(self) -> float:
        """The share of time in which a replica does not pause, in the long run."""
        return self.every.mean / (self.every.mean + self.lasts.mean)

    @model_validator(mode="after")
    def _comes_and_goes(self) -> Self:
        if self.every.mean <= 0.0 or self.lasts.mean <= 0.0:
            raise ValueError("found a mean time of 0, expected a time between pauses and one that they last")
        return self
