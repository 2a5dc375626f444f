"""Functions by their address: how machine code calls what was compiled by itself, or after it.

In plain Python the address of a function is its place in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from sim.compiled.rows.machine_rows import known_to_numba
from sim.compiled.rows.tables import Table

if TYPE_CHECKING:
    from sim.compiled.rows.state import State

Untyped = Any  # what numba and llvmlite hand over
unlikely: Untyped = cgutils.if_unlikely
functions = Table("functions", int)
"""Where each function begins that is called `by_address` (`sim/compiled/apart.py`)."""
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
            return answer_at(context, builder, args[0], types.int64(*asked), args[1:])

        return types.int64(types.int64, *asked), generate


call_at = _CallAt()


def answer_at(context: Untyped, builder: Untyped, address: Untyped, signature: Untyped, args: Untyped) -> Untyped:
    """Instructions: what the function answers that begins at an address. Its exceptions go on to the caller.

    numba's own would clear a place for an exception whenever the caller begins, for each of its calls; here an
    exception is told where the caller itself would tell one.
    """
    answers, asked = signature.return_type, signature.args
    called = context.call_conv.get_function_type(answers, asked)
    function = builder.inttoptr(address, ir.PointerType(called))
    with builder.goto_entry_block():
        answer = builder.alloca(called.args[0].pointee)
    handed = context.get_arg_packer(asked).as_arguments(builder, args)
    failed = builder.call(function, [answer, builder.function.args[1], *handed])
    with unlikely(builder, builder.icmp_signed("!=", failed, ir.Constant(failed.type, 0))):
        builder.ret(failed)
    return context.get_returned_value(builder, answers, builder.load(answer))


def machine_address(dispatcher: Untyped, asked: Untyped) -> int:
    """Where the machine code of a function begins that is handed values of these types; it is compiled if need be."""
    dispatcher.compile(asked)
    made = dispatcher.overloads[asked]
    address: int = made.library.get_pointer_to_function(made.fndesc.llvm_func_name)
    return address
