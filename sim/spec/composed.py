"""Steps that are made of other steps: one of several, again and again, whichever is first, what nobody waits for."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.actions import Action, Branches, Chooses, Repeats, Runs
from sim.spec.base import Between, Flag, Leaves, Share, Spec, register
from sim.spec.counting import HowMany
from sim.spec.document import Data
from sim.spec.step import AnyStep, Step, with_a_list, with_lists_of_steps
from sim.units import show_share
from sim.vocabulary import Stage

_STEPS: dict[str, Any] = {"type": "array", "items": {"$choice": "step"}}
_LISTS: dict[str, Any] = {"type": "array", "minItems": 1, "items": {"anyOf": [_STEPS, {"$choice": "step"}]}}
_TOO_MUCH = 1.0 + 1e-9  # shares such as 33.3 % are rounded


class Alternative(Spec):
    """One way to go on, and how often it is taken."""

    share: Share | None = None
    """How often it is taken; without one: whenever no other branch is. At most one branch goes without."""
    do: tuple[AnyStep, ...]
    """Its steps."""

    @model_validator(mode="before")
    @classmethod
    def _single_step(cls, data: Data) -> Data:
        return with_a_list(data, "do")


@register("step", "choose")
class Choose(Step):
    """One of several branches, by their shares; what these leave of 100 % does none of them, and goes on.

    So `choose: [{share: 30%, do: [...]}]` is done now and then. Not on paper: a `reply`
    inside of a branch, whose caller is taken to wait for the end.
    """

    leaves: ClassVar[Leaves] = Leaves()
    positional = "branches"
    branches: tuple[Alternative, ...] = Field(min_length=1)
    """Ways to go on, each with its share and its steps."""
    per: Literal["request", "attempt"] = "attempt"
    """Whether a retry takes the branch that the request took before (`request`) or chooses anew (`attempt`)."""

    @property
    def shares(self) -> tuple[float, ...]:
        """Of each branch; the one without a share of its own has what the others leave."""
        rest = max(0.0, 1.0 - math.fsum(branch.share or 0.0 for branch in self.branches))
        return tuple(rest if branch.share is None else branch.share for branch in self.branches)

    @property
    def actions(self) -> tuple[Action, ...]:
        """One of its branches."""
        return (Chooses(tuple(zip(self.shares, (branch.do for branch in self.branches), strict=True))),)

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        if sum(branch.share is None for branch in self.branches) > 1:
            raise ValueError(
                "found several branches without a share, expected at most one: it takes what the others leave"
            )
        total = math.fsum(branch.share or 0.0 for branch in self.branches)
        if total > _TOO_MUCH:
            raise ValueError(f"found shares that add up to {show_share(total)}, expected at most 100%")
        return self


@register("step", "repeat")
class Repeat(Step):
    """The same steps several times, one after the other until one does not end well, or `at_once`, when all are waited
    for.

    Each time draws anew, and a call among the steps is another call each time. At once, the first in
    order that does not end well is the outcome.
    """

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.PARALLEL, Stage.END))
    positional = "times"
    times: HowMany
    """How many times: a number, `{uniform: [1, 5]}`, `{geometric: 3}`, `{poisson: 2}`."""
    do: tuple[AnyStep, ...]
    """What is done each time."""
    at_once: Flag = False
    """Whether all begin at once, on the same worker."""
    per: Literal["request", "attempt"] = "request"
    """Whether a retry does it as many times (`request`) or draws the number anew (`attempt`)."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Its steps, again and again."""
        return (Repeats(self.do, self.times, self.at_once),)

    @model_validator(mode="before")
    @classmethod
    def _single_step(cls, data: Data) -> Data:
        return with_a_list(data, "do")


@register("step", "race")
class Race(Step):
    """Branches at once, on the same worker; the first that ends well is the answer, and only where none does that of
    the first branch.

    With `wait_for: 2` two of them must end well, as a quorum of a store asks for: it is over when they have, or when so
    many have failed that they no longer can, and then it fails as the first of these in their order.

    On paper the others always go on to their end, `cancel` or not.
    """

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.PARALLEL, Stage.END))
    positional = "branches"
    shorthand: ClassVar[dict[str, Any]] = _LISTS
    branches: tuple[tuple[AnyStep, ...], ...] = Field(min_length=2)
    """Lists of steps, which begin at once."""
    wait_for: Annotated[int, Between(1, 1000)] = 1
    """How many must end well."""
    losers: Literal["abandon", "cancel"] = "abandon"
    """Whether the others go on for nobody (`abandon`), as on_timeout of a policy, or are stopped (`cancel`)."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Its branches, of which the first is enough."""
        return (Branches(self.branches, first=True, enough=self.wait_for),)

    @model_validator(mode="after")
    def _are_so_many(self) -> Self:
        if self.wait_for > len(self.branches):
            raise ValueError(f"wait_for: found {self.wait_for}, expected at most the {len(self.branches)} branches")
        return self

    @model_validator(mode="before")
    @classmethod
    def _single_steps(cls, data: Data) -> Data:
        return with_lists_of_steps(data)


@register("step", "background")
class Background(Step):
    """Steps that go on by themselves while the endpoint does: on a thread of their own, which is no worker, but on the
    same cores.

    An event loop has but its own threads, and their work takes turns with all other. How they
    end changes no answer; a crash of the replica ends them.
    Not modelled: a pool that bounds how many there are at once.
    """

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.FOLLOWED, Stage.END), series=("background", "background_failed"))
    positional = "do"
    do: tuple[AnyStep, ...] = Field(min_length=1)
    """What is done."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Its steps, which nobody waits for."""
        return (Runs("do", self.do, aside=True),)

    @model_validator(mode="before")
    @classmethod
    def _single_step(cls, data: Data) -> Data:
        return with_a_list(data, "do")
