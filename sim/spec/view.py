"""Views: what lags behind what is written, and whether who reads finds there what he has written himself."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.actions import Action, Runs
from sim.spec.base import Duration, Leaves, register
from sim.spec.step import POPULATION_OF, AnyStep, Step
from sim.vocabulary import Outcome, Stage

ViewKey = Literal["user", "item", "all"]
MOST_LOOKS = 1_000_000  # of one read


@register("step", "view_write")
class ViewWrite(Step):
    """Something is written from now on, which a view does not show yet: a row in the primary, an event in a store.

    Who reads that view for the same user (or item) finds it, or does not: `view_read`. Views of one name are one in the
    whole system: where there are several copies, each has a name, and `choose` says whom a read meets.
    """

    leaves: ClassVar[Leaves] = Leaves()
    positional = "name"
    name: str
    """What the view is called."""
    key: ViewKey = "user"
    """Whose write it is: who reads for the same `user` expects to find it, or for the same `item`, or anybody."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Nothing that takes time."""
        return ()

    @property
    def told_apart_by(self) -> Literal["items", "users"] | None:
        """Of its key."""
        return POPULATION_OF.get(self.key)


@register("step", "view_apply")
class ViewApply(Step):
    """A view shows from now on what this request has written: in a consumer, when it has handled the event; or in the
    `background` of the write, after the lag of a read replica: `background: [{wait: 200ms}, {view_apply: orders}]`.

    Twice is as good as once. What is older than what the view shows already changes nothing.
    """

    leaves: ClassVar[Leaves] = Leaves()
    positional = "name"
    name: str
    """Which view."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Nothing that takes time."""
        return ()


@register("step", "view_read")
class ViewRead(Step):
    """Look whether a view shows what was written last for the user (or item) of this request. Where it does not, look
    again `every` so often until `max_wait` is over; then do what `otherwise` says, a read from the primary, or read
    what is old.

    To wait is what a version token is for: `afterClusterTime` of MongoDB, WAIT_FOR_EXECUTED_GTID_SET of MySQL, a
    projection that is asked for the version of the command. In threads a worker is held meanwhile.

    Each read is in one of the series: `views_fresh`, `views_waited` (fresh after waiting), `views_elsewhere`
    (`otherwise`), `views_stale`. The metric `stale_reads(NAME)` is the share that was stale. For how long a view is
    behind is the time of completion of what is written, with an `effect` beside `view_apply`.

    A write is told from another by when its request arrived; only the last of a key is looked for, so that an older one
    that the view has passed over is not missed. On paper every read is fresh.

    Not modelled: what is read; a reader who expects what others have written for other users; being woken at the very
    moment (let `every` be short).
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.DEGRADED, Outcome.ERROR),
        stages=(Stage.WAIT,),
        series=("views_fresh", "views_waited", "views_elsewhere", "views_stale"),
    )
    positional = "name"
    name: str
    """Which view."""
    max_wait: Duration = 0.0
    """For how long at most it is waited until the view shows it; 0: not at all."""
    every: Duration = Field(default=0.02, gt=0)
    """The time between two looks, while it is waited; the last one is when `max_wait` is over."""
    otherwise: tuple[AnyStep, ...] = ()
    """What is done where the view does not show it, after waiting: `[{call: orders.read_primary}]`."""
    stale: Literal["ok", "degraded", "error"] = "ok"
    """How a request ends that reads what is old, where there is no `otherwise`: as if nothing had happened, `degraded`,
    or with an error.
    """

    @property
    def looks(self) -> int:
        """How often it is looked again at most."""
        return math.ceil(self.max_wait / self.every - 1e-9)

    @property
    def last_pause(self) -> float:
        """Seconds before the last look, which is when `max_wait` is over: `every`, or what is left of it."""
        left = self.max_wait - (self.looks - 1) * self.every
        return self.every if math.isclose(left, self.every, rel_tol=1e-6) else left

    @property
    def actions(self) -> tuple[Action, ...]:
        """What is done where a view does not show it."""
        return (Runs("otherwise", self.otherwise, 0.0, badge="stale"),)

    @model_validator(mode="after")
    def _ends_in_one_way(self) -> Self:
        if self.otherwise and self.stale != "ok":
            raise ValueError(
                "found stale beside otherwise, expected one of them: who reads elsewhere reads nothing old"
            )
        if self.looks > MOST_LOOKS:
            raise ValueError(f"found {self.looks:,} looks in `max_wait`, expected at most {MOST_LOOKS:,}")
        return self
