"""An event store: state is what follows from all that has happened, and whoever appends says what he has seen."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sim.spec.actions import Action, Runs, TakesTime
from sim.spec.base import Between, Duration, Flag, Leaves, Many, register
from sim.spec.distribution import AnyDistribution, Constant
from sim.spec.step import POPULATION_OF, AnyStep, Step
from sim.vocabulary import Outcome, Stage

MOST_AGGREGATES = 10_000_000


@register("step", "event_store")
class EventStore(Step):
    """Load an aggregate, decide by `then`, and append events, if nobody has appended to it meanwhile.

    To load is to read the snapshot and to replay the events behind it: the work of `replay` for each. What is appended
    names the version that was seen (expected version, optimistic concurrency); where another command was faster it is a
    conflict, and the attempt ends with an error. As with EventStoreDB (WrongExpectedVersion) and Marten
    (EventStreamUnexpectedMaxEventId) it is up to the caller to try again: `retry`. Stores of one name in one service
    are one, of all its replicas, and outlive a crash.

    On paper nobody is in another's way, and half of the events between two snapshots are replayed.

    Not modelled: what writing a snapshot takes, the size of events, reads of more than one aggregate, and a store that
    is itself busy (let `then` or a `call` before it ask a service).
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.ERROR,),
        stages=(Stage.WORK, Stage.WAIT),
        series=("events_appended", "events_replayed", "version_conflicts"),
    )
    positional = "name"
    name: str
    """What it is called, within its service: its time series bear its name."""
    key: Literal["item", "user", "all"]
    """What an aggregate is: each `item`, each `user`, or one for `all` requests."""
    appends: Annotated[int, Between(0, 1000)] = 1
    """How many events a command appends; 0 only reads."""
    begins_with: Annotated[int, Between(0, 1_000_000_000)] = 0
    """How many events each aggregate has at the beginning of the run: how old the store is."""
    snapshot_every: Many | None = None
    """After how many events of an aggregate a snapshot is kept; without it all of them are replayed, from the first."""
    replay: Duration = 0.0
    """Work for each event that is replayed."""
    load: AnyDistribution = Constant(value=0.0)
    """What reading takes: a wait, whatever is read."""
    append: AnyDistribution = Constant(value=0.0)
    """What appending takes: a wait."""
    in_memory: Flag = False
    """Whether a replica keeps what it has loaded (actors of Akka Persistence, Axon's cache): it replays only what
    others have appended since, and after a crash all behind the snapshot.
    """
    then: tuple[AnyStep, ...] = Field(default=())
    """What is done between loading and appending."""

    @property
    def replayed_on_paper(self) -> float:
        """Events: half of those between two snapshots, or all that there are at the beginning."""
        if self.in_memory:
            return 0.0
        return self.begins_with if self.snapshot_every is None else (self.snapshot_every - 1) / 2.0

    @property
    def actions(self) -> tuple[Action, ...]:
        """To load, to replay, to decide, to append."""
        replaying = Constant.model_construct(value=self.replay * self.replayed_on_paper)
        return (
            TakesTime(self.load, computes=False, kept=False),
            TakesTime(replaying, computes=True, kept=False),
            Runs("then", self.then),
            TakesTime(self.append, computes=False, kept=False),
        )

    @property
    def told_apart_by(self) -> Literal["items", "users"] | None:
        """Of its key."""
        return POPULATION_OF.get(self.key)
