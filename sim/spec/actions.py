"""What one run of a step asks of the system, in verbs that every part of the house understands.

A step tells its `actions` in the order in which they happen. From them come its load on paper and the warnings of `sim
check`, the arrows of the drawing, the endpoints, topics and policies that it refers to, the places of its bulkheads,
and the loops that it may close. So a step of a plug-in that tells them is known everywhere as ours are; of one that
does not (`None`) nothing is known but that it takes place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sim.units import show_share

if TYPE_CHECKING:
    from sim.spec.counting import HowMany
    from sim.spec.distribution import Distribution
    from sim.spec.policy import CallPolicy
    from sim.spec.step import Step


@dataclass(frozen=True, slots=True)
class TakesTime:
    """Time passes, and the worker is held for as long (threads)."""

    time: Distribution  # s
    computes: bool = False  # on a core of the replica, or on the worker's own
    kept: bool = False  # it belongs to the request: a retry or a redelivery meets the same


@dataclass(frozen=True, slots=True)
class Ends:
    """The run ends here for a share of attempts: with an error, or refused by the business."""

    share: float
    refused: bool = False
    kept: bool = False  # it belongs to the request: who ends here ends here each time


@dataclass(frozen=True, slots=True)
class TakesStock:
    """One unit of the service's stock; none left is a refusal. On paper there is always one left."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The caller has its answer; what follows is done for nobody."""


@dataclass(frozen=True, slots=True)
class Performs:
    """The steps of another endpoint of the same service, in this one's place."""

    endpoint: str  # service.endpoint


@dataclass(frozen=True, slots=True)
class Calls:
    """A call under a policy: it takes as long as its attempts and pauses, and fails as they do; then the
    fallback runs.
    """

    endpoint: str  # service.endpoint
    policy: str | CallPolicy | None = None  # by its name, or as it is written here
    fallback: tuple[Step, ...] | None = None
    remembered: float | None = None  # s for which an answer is remembered, so that not every run calls
    for_all: bool = False  # what is remembered is so for all of a replica, and not for each user
    said_in: str = ""  # the field that names the endpoint, where the word of the mechanism does not
    # on its arrow in the drawing, beside those of its policy, of a fallback and of a cache
    badges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Publishes:
    """An event to a topic, an exchange or a queue: the worker is held until the broker's ack, or not at all where a
    relay publishes it from an outbox.
    """

    topic: str
    key: str | None = None  # in the place of the topic's
    policy: str | CallPolicy | None = None
    fallback: tuple[Step, ...] | None = None
    poll: float | None = None  # s between two looks of the relay, where it goes through an outbox
    routing_key: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    confirmed: bool = False  # by a queue broker; a log broker says itself whether it acknowledges


@dataclass(frozen=True, slots=True)
class Branches:
    """Lists of steps at once, on the same worker; it lasts as long as the longest, and ends as the first that does not
    end well.

    `first`: it lasts until the first that ends well, or as many as are `enough`, and does not end well only where fewer
    do.
    """

    branches: tuple[tuple[Step, ...], ...]
    first: bool = False
    enough: int = 1


@dataclass(frozen=True, slots=True)
class Runs:
    """A list of steps of its own, for a share of attempts.

    `name` is what their site is called, after that of the step: `then`.
    """

    name: str
    steps: tuple[Step, ...]
    share: float = 1.0
    aside: bool = False  # nobody waits for them, and no worker is held
    badge: str = ""  # of calls inside, in the place of how often they come


@dataclass(frozen=True, slots=True)
class Chooses:
    """One of several lists of steps, each with its share; what these leave of 1 does none of them."""

    ways: tuple[tuple[float, tuple[Step, ...]], ...]


@dataclass(frozen=True, slots=True)
class Repeats:
    """A list of steps several times: one after the other until one does not end well, or at once as `Branches`."""

    steps: tuple[Step, ...]
    times: HowMany
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Locks:
    """A list of steps that one at a time does of all who ask for the same key of a lock; others wait for him."""

    lock: str
    key: str  # item, user or all
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Compensates:
    """Lists of steps, one after the other, each with what undoes it where a later one does not end well."""

    steps: tuple[tuple[tuple[Step, ...], tuple[Step, ...]], ...]


Action: TypeAlias = (
    TakesTime
    | Ends
    | TakesStock
    | Answers
    | Performs
    | Calls
    | Publishes
    | Branches
    | Runs
    | Chooses
    | Repeats
    | Locks
    | Compensates
)


def lists_in(action: Action) -> tuple[tuple[str, tuple[Step, ...]], ...]:
    """The lists of steps inside of an action, each with the name of its site after that of the step: `0`, `1` for
    branches, `fallback`.
    """
    if isinstance(action, Branches):
        return tuple((str(index), branch) for index, branch in enumerate(action.branches))
    if isinstance(action, Runs):
        return ((action.name, action.steps),)
    if isinstance(action, Chooses):
        return tuple((str(index), steps) for index, (_, steps) in enumerate(action.ways))
    if isinstance(action, (Repeats, Locks)):
        return (("do", action.steps),)
    if isinstance(action, Compensates):
        return tuple(
            (f"{place}.{word}", steps)
            for place, both in enumerate(action.steps)
            for word, steps in zip(("do", "undo"), both, strict=True)
        )
    if isinstance(action, (Calls, Publishes)) and action.fallback:
        return (("fallback", action.fallback),)
    return ()


def every_action(steps: Iterable[Step]) -> Iterator[Action]:
    """The actions of these steps and of those inside of them, outer before inner; those of what is performed belong to
    its endpoint.
    """
    for step in steps:
        for action in step.actions or ():
            yield action
            for _, inner in lists_in(action):
                yield from every_action(inner)


def badge_of(action: Action, name: str) -> str:
    """What the drawing says of how often the steps in the list of this name are done, in two words; nothing where they
    are done once, each time.
    """
    if isinstance(action, Chooses):
        return f"in {show_share(action.ways[int(name)][0])}"
    if isinstance(action, Runs):
        if action.badge:
            return action.badge
        return "background" if action.aside else f"in {show_share(action.share)}" if action.share < 1.0 else ""
    if isinstance(action, Repeats):
        return f"×{action.times.mean:g}{' at once' if action.at_once else ''}"
    if isinstance(action, Locks):
        return f"lock {action.lock}"
    if isinstance(action, Compensates):
        return "undo" if name.endswith(".undo") else "saga"
    if not isinstance(action, Branches) or not action.first:
        return ""
    return f"race, {action.enough} of {len(action.branches)}" if action.enough > 1 else "race"


def polls_of(step: Step) -> tuple[float, ...]:
    """Seconds between two looks of each relay that publishes what the step writes into an outbox."""
    return tuple(
        action.poll for action in step.actions or () if isinstance(action, Publishes) and action.poll is not None
    )
