"""What a plug-in says for the compiled engine: the rows of its step, and a flow, which is cut and never runs as it is.

    class CachedStep(StepRow):            one for each step and replica, in the memory of the compiled engine
        ttl: float
        ask: Part
        cache_hits: Total

    @compiled_as(Cache, CachedStep)
    def cached(s: State, own: Task, step: CachedStep, frame: Frame) -> Waits[int]:
        outcome = yield from run(s, own, frame, step.ask)
        return outcome

A flow answers with an outcome, as `run` of a behaviour does. The rules are those of `sim/compiled/cutting`; time passes
in the parts of a step, which are behaviours or sequences of the model. Nothing here knows the compiled engine.

Left out: what a flow would give back when its task is killed on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from sim.models.task import Task
from sim.policies.base import Ring

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

Waits = Generator[Any, None, T]
"""What a flow that waits answers in the end."""
Part: TypeAlias = int
"""A field of a row: steps that `run` goes through; in the beginning a behaviour, or a sequence of steps."""
Chance: TypeAlias = int
"""A field of a row: what `uniform` draws from; in the beginning what `site.uniform()` gave."""
Memory: TypeAlias = Ring
"""A field of a row: numbers to remember in, for a policy; in the beginning a list of floats. A crash brings it back."""
Shared: TypeAlias = Ring
"""The same, of all replicas, and of every step that hands over the same list; a crash leaves it alone."""
Total: TypeAlias = int
"""A field of a row: a count that a crash leaves alone; in the beginning the quantity that the model watches, by default
of the name of the field.
"""
ELSEWHERE = object()
"""`yield ELSEWHERE`: go on with a part, and come back here when it is over."""


class State(Protocol):
    """What a flow may ask of the run."""

    @property
    def now(self) -> float:
        """Seconds since the run began."""


class StepRow:
    """Base of what the flow of a step knows: typed fields, one row for each step and replica.

    Its fields are of int, float, bool, Part, Chance, Memory, Shared or Total, 32 at most.
    """

    @classmethod
    def begin(cls, behaviour: Any) -> Mapping[str, Any]:  # noqa: ANN401, ARG003 - the plug-in knows what it is
        """What its fields hold at time 0, from the behaviour as the model has made it. Numbers not said are 0."""
        return {}


class Frame:
    """Base of what a flow keeps of one task across a wait: six more fields of int, float or bool at most.

    They hold what the last one left there.
    """

    part: int  # that it goes through


@dataclass(frozen=True)
class StepFlow:
    """A flow, and its rows."""

    flow: Callable[..., Any]
    row: type[StepRow]
    frame: type[Frame]


_flows: dict[type, StepFlow] = {}


def flow(function: F) -> F:
    """Mark a part of a flow, which stands in a function of its own."""
    vars(function)["is_flow"] = True
    return function


def compiled_as(behaviour: type, row: type[StepRow], frame: type[Frame] = Frame) -> Callable[[F], F]:
    """Decorator of the flow that does in the compiled engine what this behaviour does on SimPy."""

    def add(function: F) -> F:
        _flows[behaviour] = StepFlow(flow(function), row, frame)
        return function

    return add


def flow_of(behaviour: type) -> StepFlow | None:
    """The flow of a behaviour; None: it runs on SimPy alone."""
    return _flows.get(behaviour)


@flow
def run(s: State, own: Task, frame: Frame, part: Part) -> Waits[int]:  # noqa: ARG001 - all flows are handed `s`
    """Go through a part; the outcome."""
    frame.part = part
    yield ELSEWHERE
    return own.outcome


def uniform(s: State, chance: Chance, own: Task) -> float:
    """A draw in (0, 1), the one that the model makes for this request and attempt."""
    raise NotImplementedError(f"{s} {chance} {own}: flows are cut, they do not run")


vars(uniform)["of_the_engine"] = "sim.compiled.places", "chance"
