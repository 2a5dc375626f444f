"""What a service knows of its users between their requests: in a replica, or in a store."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.actions import Action, Runs, TakesTime
from sim.spec.base import Duration, Leaves, register
from sim.spec.distribution import AnyDistribution, Constant
from sim.spec.step import AnyStep, Step
from sim.vocabulary import Outcome, Stage

IDLE = 30 * 60.0  # s; Tomcat's session-timeout, and that of Spring Session


@register("step", "session")
class Session(Step):
    """Look for the session of the user who asks: `begin` is done where he has none, `rebuild` where it is lost.

    Held in a replica (`in: replica`), as a servlet container does, it is known there alone: a user whom the balancer
    sends to another one, or whose replica is restarted, scaled in or dead, has lost it, and has one there afterwards.
    `load_balancing: ring_hash` sends a user to the same replica while that is there. In a store (`in: store`) every
    replica finds it and nothing is lost; each request pays for the look. Sessions of one service are one.

    On paper everybody has a session.

    Not modelled: what lies in it and grows, copies of it in other replicas, a store that fails or is slow under load
    (write a call of it before this step), a cookie that a balancer follows, and two requests of one user at once, of
    which each may begin a session.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.DEGRADED, Outcome.REFUSED),
        stages=(Stage.WORK, Stage.WAIT),
        series=("sessions_found", "sessions_begun", "sessions_lost"),
    )
    held: Literal["replica", "store"] = Field(default="replica", alias="in")
    """Where it is held: in the memory of a `replica`, or in a `store` that all of them ask."""
    expires: Duration = Field(default=IDLE, gt=0)
    """After how long without a request it is over, and the next one begins another."""
    lookup: AnyDistribution = Constant(value=0.0)
    """What a look takes: work on a worker of the replica, or a wait where it is in a `store`."""
    begin: tuple[AnyStep, ...] = ()
    """What is done for a user who has none, before it is kept: signing in, say."""
    rebuild: tuple[AnyStep, ...] = ()
    """What is done where it is lost, before it is kept."""
    lost: Literal["degraded", "refused", "ok"] = "degraded"
    """How a request ends that has met a lost session, when it is rebuilt: `degraded` (what was in it is gone),
    `refused` (its user has to start again), or as if nothing had happened.
    """

    @property
    def actions(self) -> tuple[Action, ...]:
        """A look, and what is done without a session."""
        look = TakesTime(self.lookup, computes=self.held == "replica", kept=True)
        return (
            look,
            Runs("begin", self.begin, 0.0, badge="first"),
            Runs("rebuild", self.rebuild, 0.0, badge="session lost"),
        )

    @property
    def told_apart_by(self) -> Literal["items", "users"] | None:
        """By users."""
        return "users"

    @model_validator(mode="after")
    def _loses_what_it_holds(self) -> Self:
        said = [name for name in ("rebuild", "lost") if name in self.model_fields_set]
        if self.held == "store" and said:
            raise ValueError(f"found `{said[0]}` beside `in: store`, expected `in: replica`: a store loses nothing")
        return self
