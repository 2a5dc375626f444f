"""A cache in front of what takes long: what it keeps, for how long, and what happens at a miss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.actions import Action, Runs, TakesTime
from sim.spec.base import Duration, Flag, Leaves, Many, Share, Spec, register
from sim.spec.distribution import AnyDistribution, Constant
from sim.spec.document import Data
from sim.spec.step import AnyStep, Step, with_a_list
from sim.units import show_duration, show_share
from sim.vocabulary import Outcome, Stage

_POPULATIONS: Mapping[str, Literal["items", "users"]] = {"item": "items", "item_of_user": "items", "user": "users"}


class Keeping(Spec):
    """What a cache keeps, for how long, and what becomes of those who come meanwhile."""

    key: Literal["item", "user", "item_of_user", "all"] | None = None
    """What an entry is kept for: each `item`, each `user`, each item of each user (`item_of_user`), or one entry for
    `all` requests.
    """
    hit: Share | None = None
    """The share of looks that find something, where no `key` makes it follow from popularity."""
    size: Many | None = None
    """How many entries fit; without it all."""
    evict: Literal["lru", "lfu"] = "lru"
    """Which entry goes where there is no room: the least recently used (`lru`), or the least frequently (`lfu`)."""
    ttl: Duration | None = Field(default=None, gt=0)
    """How long an entry is good, from when it came; without it for ever."""
    jitter: Share = 0.0
    """By how much of `ttl`, more or less, it differs from entry to entry, evenly."""
    negative_ttl: Duration | None = Field(default=None, gt=0)
    """How long a refusal (not found, sold out) is kept, and given again; without it refusals are not kept."""
    stale_while_revalidate: Duration = Field(default=0.0, ge=0)
    """How long after its `ttl` an entry is still given, while one request brings a new one in the
    background (RFC 5861)."""
    stale_if_error: Duration = Field(default=0.0, ge=0)
    """How long after its `ttl` an entry is still given where no new one can be had (RFC 5861)."""
    coalesce: Flag = False
    """Whether all who miss the same key at once wait for the first of them, and get what he gets (single flight)."""
    scope: Literal["replica", "shared"] = "replica"
    """In the memory of each `replica`, or one for all of them (`shared`)."""
    lookup: AnyDistribution = Constant(value=0.0)
    """What a look takes: work on a worker of the replica, or a wait where the cache is `shared`."""

    @property
    def badge(self) -> str:
        """What the drawing says of calls behind it."""
        if self.hit is not None:
            return f"cached {show_share(self.hit)}"
        return f"cached {show_duration(self.ttl)}" if self.ttl is not None else "cached"

    @property
    def told_apart_by(self) -> Literal["items", "users"] | None:
        """Of its key; an item of a user is that of nobody in particular where no user is said."""
        return _POPULATIONS.get(self.key or "")

    @model_validator(mode="after")
    def _one_way_to_hit(self) -> Self:
        if (self.key is None) == (self.hit is None):
            found = "neither `key` nor `hit`" if self.key is None else "`key` and `hit` together"
            raise ValueError(f"found {found}, expected one of them: hits follow from what is popular, or are said")
        kept = ("size", "ttl", "negative_ttl", "stale_while_revalidate", "stale_if_error", "coalesce")
        said = [name for name in kept if name in self.model_fields_set]
        if self.hit is not None and said:
            raise ValueError(f"found `{said[0]}` beside `hit`, which keeps nothing; expected `key`, or no `{said[0]}`")
        stale = self.stale_while_revalidate or self.stale_if_error
        if self.ttl is None and (stale or self.jitter):
            raise ValueError("found an entry that grows stale but no `ttl` after which it does")
        return self


@register("step", "cache")
class Cache(Keeping, Step):
    """Look into a cache; what is not in it is found by the steps of `then`, and kept where they end well.

    With a `key` the share of hits follows from what is popular, from `size` and from `ttl`: nobody states it. With
    `hit` it is said, and nothing is kept. Caches of one name in one service are one. A cache begins empty; one in the
    memory of a replica is empty again after a crash. An error is never kept.

    On paper every look is a miss, as when the cache is cold, unless `hit` says how many are not.

    Writes are the step `cache_write`.

    Not modelled: the size of an entry in bytes, writes elsewhere that make an entry stale, and a network to a `shared`
    cache but for what `lookup` takes.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.REFUSED,),
        stages=(Stage.WORK, Stage.WAIT, Stage.OTHER, Stage.FOLLOWED),
        series=("cache_hits", "cache_misses", "cache_stale", "cache_joined", "cache_loads", "cache_entries"),
    )
    name: str
    """What it is called, within its service: the series of its hits and misses bear its name."""
    then: tuple[AnyStep, ...] = Field(min_length=1)
    """What is done at a miss."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """A look, and what is done at a miss."""
        look = TakesTime(self.lookup, computes=self.scope == "replica", kept=True)
        return (look, Runs("then", self.then, 1.0 - (self.hit or 0.0), badge=self.badge))

    @model_validator(mode="before")
    @classmethod
    def _single_step(cls, data: Data) -> Data:
        return with_a_list(data, "then")
