"""Where requests wait for a worker: how many may, who is served first, and who is dropped."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from sim.errors import nearest
from sim.spec.base import MOST, UNLIMITED, Between, Count, Duration, Flag, Leaves, Spec
from sim.units import shown
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

BACKLOGS = {"linux": 4096, "nginx": 511, "node": 511, "tomcat": 100, "gunicorn": 2048}
"""Whose listen backlog is how long: net.core.somaxconn of Linux since 5.4, which none of the others exceeds; `listen
backlog=` of nginx; `server.listen` of Node.js; acceptCount of Tomcat; `backlog` of gunicorn.
"""


def _backlog(value: object) -> object:
    """The number that a name stands for."""
    if not isinstance(value, str) or value.strip().isdigit():
        return value
    if value not in BACKLOGS:
        near = nearest(value, BACKLOGS)
        hint = f"; did you mean '{near}'?" if near else ""
        raise ValueError(f"found {shown(value)}, expected a whole number, or one of {', '.join(BACKLOGS)}{hint}")
    return BACKLOGS[value]


_BACKLOG = WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": MOST}, {"enum": list(BACKLOGS)}]})


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
        outcomes=(Outcome.SHED, Outcome.UNREACHABLE),
        events=(
            EventKind.SHEDDING_BEGAN,
            EventKind.SHEDDING_ENDED,
            EventKind.LISTEN_OVERFLOW_BEGAN,
            EventKind.LISTEN_OVERFLOW_ENDED,
        ),
        series=("queue", "listen_backlog", "listen_overflows"),
    )
    capacity: Count = UNLIMITED
    """How many may wait in each replica; further ones are shed, or wait in its `listen_backlog` if one is said."""
    listen_backlog: Annotated[int, Between(0, MOST), BeforeValidator(_backlog), _BACKLOG] | None = None
    """How many connections the kernel of each replica keeps, and one more, as Linux does (sk_acceptq_is_full), which
    the process has not accepted: it accepts none while all workers are busy and `capacity` wait, or while it hangs. A
    number, or whose: `linux` 4096, `nginx` 511, `node` 511, `tomcat` 100, `gunicorn` 2048. Of further ones the SYN is
    dropped, and sent again after 1, 3, 7, 15 ... s (RFC 6298), until the caller's `connect_timeout`. Every attempt
    brings a new connection, but those over one that a `pool` kept: they wait in the queue, however long it is.
    """
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
        if self.listen_backlog is not None and (self.push_out or self.preemptive):
            word = "push_out" if self.push_out else "preemptive"
            raise ValueError(f"found {word} beside listen_backlog, expected one of them: a kernel knows no classes")
        if (self.by == "header") != (self.header is not None):
            raise ValueError("`by: header` and `header: NAME` belong together: whose values are classes?")
        return self


def check_pinned(pinned: bool, concurrency: str, workers: int, queue: Queue) -> None:
    """ValueError where connections cannot be pinned to threads."""
    if not pinned:
        return
    if concurrency != "event_loop":
        raise ValueError("`pinned` is a word of `concurrency: event_loop`: a thread that is held has one request")
    if workers == UNLIMITED:
        raise ValueError("found pinned beside unlimited workers, expected a number: among how many is a connection?")
    if queue.discipline != "fifo" or queue.listen_backlog is not None:
        word = "listen_backlog" if queue.listen_backlog is not None else f"discipline {queue.discipline}"
        raise ValueError(f"found {word} beside pinned, expected one of them: each loop reads in order of arrival")
