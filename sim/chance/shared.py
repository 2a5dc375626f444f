"""Functions that both engines share: plain Python for the one, machine code for the other, from one source.

A shared function stays the plain function it is. numba is loaded by whoever wants machine code (`machine_code`, or code
that is compiled and names a shared function), and not before: a small scenario on SimPy is over by the time it takes to
import.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])
Untyped = Any  # what numba knows more of than we can say

_compile: Untyped = None  # `compiler.compiled`, once it is loaded
_waiting: list[Callable[..., Any]] = []  # shared functions that numba does not know yet
_worth_it = False


@overload
def shared(function: F) -> F: ...
@overload
def shared(*, machine: Callable[..., Any]) -> Callable[[F], F]: ...
def shared(function: F | None = None, *, machine: Callable[..., Any] | None = None) -> F | Callable[[F], F]:
    """Mark a function as one of both engines.

    `machine` is what machine code is made of where the numbers of Python are not those of a machine.
    """
    if function is None:
        return lambda plain: _shared(plain, machine or plain)
    return _shared(function, function)


@cache
def machine_code(function: Callable[..., Any], signature: str = "") -> Callable[..., Any]:
    """A shared function as machine code; of one signature, which numba then need not choose: half the cost of a call
    from Python.
    """
    from sim.chance.compiler import entry_point  # which makes all of them known

    dispatcher: Callable[..., Any] = getattr(function, "dispatcher")  # noqa: B009 - a function has no such attribute of its own
    return entry_point(dispatcher, signature) if signature else dispatcher


def machine_code_is_off() -> bool:
    """Whether numba is to leave all functions the plain Python that they are: NUMBA_DISABLE_JIT=1, for debuggers and
    for the checked engine.
    """
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def worth_machine_code() -> None:
    """There is so much to draw in this process that loading numba pays, for the plain engine too."""
    global _worth_it  # noqa: PLW0603 - of the whole process
    _worth_it = True


def is_worth_machine_code() -> bool:
    """Whether somebody said so, and there is machine code."""
    return _worth_it and not machine_code_is_off()


def quickest(function: Callable[..., Any], signature: str) -> Callable[..., Any]:
    """Machine code where it is worth loading, else the plain function: the results are the same, to the last bit."""
    return machine_code(function, signature) if is_worth_machine_code() else function


def as_objects(rows: NDArray[np.void]) -> list[SimpleNamespace]:
    """Rows of an array as the objects that a plain function reads, and writes, in their place."""
    names = rows.dtype.names or ()
    return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows.tolist()]


def make_known(compile_function: Callable[..., Any]) -> None:
    """numba is here: from now on code that it compiles may name shared functions, and is given their machine code."""
    global _compile  # noqa: PLW0603 - of the whole process
    _compile = compile_function
    while _waiting:
        _know(_waiting.pop())


def _shared(plain: F, source: Callable[..., Any]) -> F:
    setattr(plain, "machine_source", source)  # noqa: B010 - a function has no such attribute of its own
    _waiting.append(plain)
    if _compile is not None:
        make_known(_compile)
    return plain


def _know(function: Untyped) -> None:
    """numba asks whatever a name stands for what type it has, and takes that of the machine code for the function."""
    function.dispatcher = _compile(function.machine_source)
    function._numba_type_ = getattr(function.dispatcher, "_numba_type_", None)  # none with NUMBA_DISABLE_JIT
