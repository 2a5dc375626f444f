"""What every room of the engine begins with: its decorators, and constants that are numbers of 64 bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from sim.chance import arrivals
from sim.chance.compiler import compiled_to_be_linked
from sim.chance.shared import machine_code_is_off
from sim.vocabulary import MessageEnd, Outcome

F = TypeVar("F", bound=Callable[..., Any])

UNLIMITED = 1 << 60  # places, or a queue without a bound

handler: Callable[[F], F] = compiled_to_be_linked(error_model="numpy")
"""Decorator of the functions that only the interpreter calls; what Python calls too is `compiled`."""

inlined: Callable[[F], F] = compiled_to_be_linked(error_model="numpy", forceinline=True)
"""The same for those on every request's way that are called from one or two places.

They are put there whole, which saves the call.
"""

PLAIN = machine_code_is_off()
"""Whether the engine runs as plain Python, with its rows, indices and types checked."""


def whole(number: int) -> int:
    """A constant of the interpreter.

    Numba would compile a function anew for every literal number that it is handed, but not for these.
    """
    if PLAIN:
        return int(number)
    constant: Any = np.int64(number)
    whole_number: int = constant
    return whole_number


def truth(value: bool) -> bool:
    """The same of a bool."""
    if PLAIN:
        return value
    constant: Any = np.bool_(value)
    answer: bool = constant
    return answer


@inlined
def is_known(time: float) -> bool:
    """Whether a time is one; where there is none stands nan."""
    return not math.isnan(time)


YES, NO = truth(True), truth(False)
ZERO, ONE, NONE = whole(0), whole(1), whole(-1)
OUTCOMES, MESSAGE_ENDS = whole(len(Outcome)), whole(len(MessageEnd))
CHUNK = whole(arrivals.CHUNK)  # arrivals made at once
