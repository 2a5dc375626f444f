"""A plug-in for tests: `lucky`, which goes through its steps until it has luck, three times at most."""

from __future__ import annotations

from typing import Any

from sim.plugin import (
    Action,
    Activity,
    AnyStep,
    Chance,
    Few,
    Field,
    Frame,
    Outcome,
    Part,
    Runs,
    Share,
    Site,
    State,
    Step,
    StepRow,
    Task,
    Total,
    Waits,
    behaviour,
    compiled_as,
    flow,
    policy,
    register,
    run,
    uniform,
)

OK, REFUSED = int(Outcome.OK), int(Outcome.REFUSED)


@register("step", "lucky")
class Lucky(Step):
    """Goes through its steps until it has luck, three times at most; without luck it is refused."""

    do: tuple[AnyStep, ...]
    share: Share = 0.5
    most: Few = Field(default=3, ge=1)

    @property
    def actions(self) -> tuple[Action, ...]:
        """Its steps, once at least."""
        return (Runs("do", self.do),)


@behaviour(Lucky)
class Luck:
    """As the word says."""

    def __init__(self, step: Lucky, site: Site) -> None:
        self.step = step
        self.steps = site.named(f"{site.name}.do").sequence(step.do)
        self.chance = site.uniform()
        self.where = site.where
        self.tries = 0
        self.quantity = f"tries {site.name}"
        site.world.recorder.watch(site.host.name, self.quantity, "total", lambda _: self.tries)

    def run(self, task: Task) -> Activity:
        """Try, and try again."""
        for _ in range(self.step.most):
            self.tries += 1
            outcome = yield from self.steps.run(task)
            if outcome != OK:
                return outcome
            if self.chance(task.request.id, task.chain) < self.step.share:
                return OK
        task.where = self.where
        task.root = 0
        return REFUSED


class LuckRow(StepRow):
    """Its numbers."""

    share: float
    most: int
    where: int
    steps: Part
    chance: Chance
    tries: Total

    @classmethod
    def begin(cls, behaviour: Luck) -> dict[str, Any]:
        """From the behaviour."""
        step = behaviour.step
        return {
            "share": step.share,
            "most": step.most,
            "where": behaviour.where,
            "steps": behaviour.steps,
            "chance": behaviour.chance,
            "tries": behaviour.quantity,
        }


class Tried(Frame):
    """How often it was."""

    tries: int


@policy
def is_lucky(drawn: float, share: float) -> bool:
    """Whether it is."""
    return drawn < share


@flow
def one_try(s: State, own: Task, step: LuckRow, frame: Tried) -> Waits[int]:
    """The steps once."""
    frame.tries += 1
    step.tries += 1
    return (yield from run(s, own, frame, step.steps))


@compiled_as(Luck, LuckRow, Tried)
def lucky(s: State, own: Task, step: LuckRow, frame: Tried) -> Waits[int]:
    """Try, and try again."""
    frame.tries = 0
    while frame.tries < step.most:
        outcome = yield from one_try(s, own, step, frame)
        if outcome != OK:
            return outcome
        if is_lucky(uniform(s, step.chance, own), step.share):
            return OK
    own.where = step.where
    own.root = 0
    return REFUSED
