"""Writes through a cache: at once, or behind the answer."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.actions import Action, Runs
from sim.spec.base import Duration, Leaves, Many, register
from sim.spec.document import Data
from sim.spec.step import AnyStep, Step, with_a_list
from sim.vocabulary import Stage


@register("step", "cache_write")
class CacheWrite(Step):
    """Write something that a `cache` of the service keeps: for the same `key`, and good for its `ttl` from then on.

    `through`: the steps of `then` write it to what is behind the cache, and where they end well the entry is new.
    `behind`: the entry is new at once, and the request goes on; what was written is collected in the replica, and at
    the latest `every` so long after the first of it, or once there is a `batch` of it, one run of `then` writes all
    that was collected, in the background. A crash loses what was not written by then, and so does a `then` that fails:
    `cache_writes` less `cache_writes_stored` and `cache_writes_waiting` are lost. So Hazelcast's MapStore
    (write-delay-seconds, write-batch-size, storeAll).

    On paper each write behind runs `then` for itself.

    Not modelled: two writes of one key that are collected as one, the time that a larger batch takes, a queue of writes
    that is full, and copies of what is collected in other replicas.
    """

    leaves: ClassVar[Leaves] = Leaves(
        stages=(Stage.WAIT, Stage.FOLLOWED),
        series=("cache_writes", "cache_writes_stored", "cache_writes_waiting"),
    )
    name: str
    """The cache, one of its service, which has a `key`."""
    how: Literal["through", "behind"]
    """Whether the request waits until it is written, or not."""
    every: Duration | None = Field(default=None, gt=0)
    """Of `behind`: how long a write waits at most until it is written."""
    batch: Many | None = None
    """Of `behind`: how many are written at once without waiting for longer."""
    then: tuple[AnyStep, ...] = Field(min_length=1)
    """What writes it."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """What writes."""
        return (Runs("then", self.then, aside=self.how == "behind", badge=f"write {self.how}"),)

    @model_validator(mode="before")
    @classmethod
    def _single_step(cls, data: Data) -> Data:
        return with_a_list(data, "then")

    @model_validator(mode="after")
    def _behind_some_time(self) -> Self:
        if self.how == "behind" and self.every is None:
            raise ValueError("found `how: behind` without `every`, expected how long a write waits at most")
        said = [word for word in ("every", "batch") if getattr(self, word) is not None]
        if self.how == "through" and said:
            raise ValueError(f"found `{said[0]}` beside `how: through`, which collects nothing; expected `how: behind`")
        return self
