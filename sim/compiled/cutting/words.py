"""The words that flows are written in, beside those of Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sim.models.flows import Waits, flow

__all__ = [
    "Fold",
    "Refused",
    "Waits",
    "flow",
    "fold",
    "is_flow",
    "is_lasting",
    "is_policy",
    "lasting",
    "perhaps",
    "the",
]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def lasting(function: F) -> F:
    """Mark one expression whose value stays what it is for as long as a flow goes on."""
    vars(function)["is_lasting"] = True
    return function


# The two below are read where they stand in a flow and are never called: what a flow is cut into has the row itself.


def the(kind: type[T], place: int | None) -> T:
    """The row of this kind that a function of the engine has named by its place, or that is there for certain."""
    raise NotImplementedError(f"{kind.__name__} {place}: flows are cut, they do not run")


def perhaps(kind: type[T], place: int) -> T | None:
    """The same, where there may be none."""
    raise NotImplementedError(f"{kind.__name__} {place}: flows are cut, they do not run")


@dataclass(frozen=True)
class Fold:
    """Layers around an innermost flow: `yield from inner(s, own, call)` in one of them is the next."""

    layers: tuple[Callable[..., Any], ...]


def fold(*layers: Callable[..., Any]) -> Fold:
    """Put layers around one another, the outermost first."""
    return Fold(layers)


class Refused(Exception):  # noqa: N818 - a finding about a flow
    """What is no flow: its name, its line, and why."""


def is_flow(function: object) -> bool:
    """Whether it is to be cut."""
    return getattr(function, "is_flow", False)


def is_lasting(function: object) -> bool:
    """Whether it is an expression that lasts."""
    return getattr(function, "is_lasting", False)


def is_policy(function: object) -> bool:
    """Whether it is a policy: a plain function with a compiled twin."""
    return hasattr(function, "compiled")
