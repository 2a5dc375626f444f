"""Where requests wait for a worker: how many may, who is served first, and who is dropped."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import UNLIMITED, Between, Count, Duration, Flag, Leaves, Spec
from sim.vocabulary import EventKind, Outcome

Discipline = Literal["fifo", "lifo", "priority", "codel", "adaptive_lifo", "edf", "fair"]
Whose = Literal["endpoint", "traffic", "user", "consumer", "header"]

_WORDS = {  # of a discipline alone
    "classes": ("priority",),
    "push_out": ("priority",),
    "preemptive": ("priority",),
    "deadlines": ("edf",),
    "drop_late": ("edf",),
    "target": ("codel",),
    "interval": ("codel", "adaptive_lifo"),
    "by": ("priority", "edf", "fair"),
    "header": ("priority", "edf", "fair"),
}


class Queue(Spec):
    """Where requests wait for a worker, one per replica.

    `priority`: the lowest number first, in order of arrival within a class, and nobody is interrupted (Cobham's queue),
    unless it is `preemptive`.
    `edf`: the earliest deadline
    first. `fair`: keys take turns (fair queueing of Nagle, RFC 970), so that nobody's crowd delays others.
    `codel`: folly's and so Facebook's controlled delay (folly/executors/Codel.cpp): where every request of an
    `interval` waited longer than `target`,
    in the next one those are dropped that waited more than twice the target, when their turn comes. RFC 8289 drops ever
    more often instead.
    `adaptive_lifo`: in order of arrival until the queue has not been empty for an `interval`, then the newest first
    until it is
    (Maurer, "Fail at Scale", ACM Queue 2015).
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.SHED,), events=(EventKind.SHEDDING_BEGAN, EventKind.SHEDDING_ENDED), series=("queue",)
    )
    capacity: Count = UNLIMITED
    """How many may wait in each replica; further ones are shed."""
    discipline: Discipline = "fifo"
    """Who is served first: who came first (`fifo`) or last (`lifo`), by `priority` of their class, by deadline (`edf`),
    in turns (`fair`), or as a
    library drops and turns round (`codel`, `adaptive_lifo`).
    """
    timeout: Duration | None = None
    """Who has waited as long as this is shed."""
    by: Whose | None = None
    """What tells classes, deadlines or turns apart: the `endpoint` (of a gateway the route) by default, of `fair` the
    `user`.
    """
    header: str | None = None
    """Of `by: header`: which one (`headers` of traffic)."""
    classes: dict[str, Annotated[int, Between(0, 1000)]] = Field(default_factory=dict)
    """Of `priority`: name -> its class, 0 first; who is not named comes after all who are."""
    push_out: Flag = False
    """Of `priority`: where the queue is full, the newest of the last class is shed for a newcomer of an earlier one."""
    preemptive: Flag = False
    """Of `priority`: who finds all workers busy interrupts the `work` of one of a later class, of the last, and there
    of who began last; that goes on where it was when a worker is free (preemptive resume). A worker that waits for a
    callee is not taken away.
    """
    deadlines: dict[str, Duration] = Field(default_factory=dict)
    """Of `edf`: name -> by when after its arrival a request is to be begun; who is not named comes after all who are.
    """
    drop_late: Flag = False
    """Of `edf`: who is not begun by its deadline is shed when its turn comes."""
    target: Duration = 5e-3
    """Of `codel`: the wait that is no sign of overload."""
    interval: Duration = Field(default=0.1, gt=0)
    """Of `codel` and `adaptive_lifo`: how long there must be a standing queue."""

    @property
    def key(self) -> Whose:
        """What tells classes apart."""
        return self.by or ("user" if self.discipline == "fair" else "endpoint")

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """(field, name) of all who have a class or a deadline."""
        return (*(("classes", name) for name in self.classes), *(("deadlines", name) for name in self.deadlines))

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        for word, whose in _WORDS.items():
            if word in self.model_fields_set and self.discipline not in whose:
                raise ValueError(f"`{word}` is a word of {' and '.join(whose)}, not of {self.discipline}")
        if self.discipline == "priority" and not self.classes:
            raise ValueError("the field 'classes' is missing: who comes first? {checkout: 0, browse: 1}")
        if self.discipline == "edf" and not self.deadlines:
            raise ValueError("the field 'deadlines' is missing: by when is whom to be served? {checkout: 200ms}")
        if self.push_out and self.capacity == UNLIMITED:
            raise ValueError(
                "found push_out without a capacity, expected both: nobody has to give way in a queue without limit"
            )
        if (self.by == "header") != (self.header is not None):
            raise ValueError("`by: header` and `header: NAME` belong together: whose values are classes?")
        return self
