"""Sagas: local transactions in several services, of which each can be undone where a later one does not come about."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sim.spec.actions import Action, Compensates
from sim.spec.base import UNLIMITED, Count, Duration, Flag, Leaves, Some, Spec, register
from sim.spec.step import AnyStep, Step
from sim.vocabulary import Stage


class SagaStep(Spec):
    """One transaction, and what undoes it."""

    do: tuple[AnyStep, ...] = Field(min_length=1)
    """What is done."""
    undo: tuple[AnyStep, ...] = ()
    """What undoes it; without any there is nothing to undo."""


@register("step", "saga")
class Saga(Step):
    """One transaction after the other; where one fails or is refused those before it are undone, the last first.

    The outcome is that of the one that did not come about. An undo that does not end well is tried again (Garcia-Molina
    and Salem 1987; Richardson, Microservices Patterns, ch. 4). Whoever runs the endpoint orchestrates.

    Not modelled: a store in which the orchestrator keeps where it is (a crash in the middle leaves the saga stuck), and
    choreography, which needs no word: consumers publish events of their own (scenario `saga`). On paper every undo ends
    well at once.
    """

    leaves: ClassVar[Leaves] = Leaves(
        stages=(Stage.BACKOFF, Stage.FOLLOWED, Stage.END),
        series=("sagas_completed", "sagas_compensated", "sagas_stuck", "sagas_open"),
    )
    positional = "steps"
    steps: tuple[SagaStep, ...] = Field(min_length=1)
    """The transactions, in this order."""
    undo_attempts: Annotated[Count, Some("the first undo is an attempt too")] = UNLIMITED
    """How often an undo is tried before the saga is stuck, and somebody must look at it."""
    undo_pause: Duration = Field(default=1.0, gt=0)
    """The pause before an undo is tried again."""
    answers_first: Flag = False
    """Whether the failure is answered before all is undone, which then goes on in the background."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Its transactions, and what undoes them."""
        return (Compensates(tuple((step.do, step.undo) for step in self.steps)),)


@register("step", "retract")
class Retract(Step):
    """An effect is taken back: it does not exist any more; of charges and reservations there is one less.

    When an order was complete stays what it was.
    """

    positional = "effect"
    effect: str
    """What is taken back: `payment-captured`."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """None that takes time."""
        return ()
