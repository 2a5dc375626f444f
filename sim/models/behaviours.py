"""Which class is how a spec behaves: a step, a fault, a kind of broker. Ours and those of plug-ins register alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sim.spec.base import Spec

B = TypeVar("B", bound=Callable[..., Any])
_behaviours: dict[type[Spec], Callable[..., Any]] = {}


def behaviour(spec: type[Spec]) -> Callable[[B], B]:
    """Class decorator: this is how that step, fault or kind of broker behaves. A later one for a spec replaces it.

    A step is made from (spec, site), a fault from (spec, world), a broker from (world, name, spec).
    """

    def add(cls: B) -> B:
        _behaviours[spec] = cls
        return cls

    return add


def behaviour_of(spec: Spec) -> Callable[..., Any]:
    """The class that is registered for that of a spec. TypeError: there is none."""
    kind = type(spec)
    if kind not in _behaviours:
        raise TypeError(f"{kind.__name__} has no behaviour: register one with @behaviour({kind.__name__})")
    return _behaviours[kind]
