"""Functions by their address: how the interpreter calls what was compiled after it.

In plain Python the address of a function is its place in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from sim.compiled.rows.machine_rows import known_to_numba

if TYPE_CHECKING:
    from sim.compiled.rows.state import State

Untyped = Any  # what numba and llvmlite hand over
unlikely: Untyped = cgutils.if_unlikely
_PLAIN: list[Callable[..., int]] = []


def plain_address(function: Callable[..., int]) -> int:
    """The address of a function of plain Python."""
    if function not in _PLAIN:
        _PLAIN.append(function)
    return _PLAIN.index(function)


class _CallAt:
    """`call_at(address, s, task, step, frame)`: what the function answers that begins there."""

    def __init__(self) -> None:
        known_to_numba("call_at", self, self._in_machine_code)

    def __call__(self, address: int, s: State, task: int, step: int, frame: int) -> int:
        """The same in plain Python."""
        return _PLAIN[address](s, task, step, frame)

    def _in_machine_code(
        self, _typing: Untyped, _address: Untyped, record: Untyped, _task: Untyped, _step: Untyped, _frame: Untyped
    ) -> Untyped:
        asked = (record, types.int64, types.int64, types.int64)

        def generate(context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
            called = context.call_conv.get_function_type(types.int64, asked)
            function = builder.inttoptr(args[0], ir.PointerType(called))
            status, answer = context.call_conv.call_function(builder, function, types.int64, asked, args[1:])
            with unlikely(builder, status.is_error):
                context.call_conv.return_status_propagate(builder, status)
            return answer

        return types.int64(types.int64, *asked), generate


call_at = _CallAt()
