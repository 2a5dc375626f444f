"""Tables for numba: an address and a type, nothing else.

`table[i]` is the record itself, or the number, without a look at bounds.

numba's own arrays would do, and did: but each is seven numbers to pass about, and every index is first asked whether
it is negative. Without that the interpreter compiles in less time and runs faster. The index must be right: the plain
engine looks whether it is.

What is asked of a table by machine code (its rows, a free row of it, a row at its end) is written here as
instructions rather than as a function of numba's: there are dozens of them, all alike, and each function costs numba
a twentieth of a second.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer, infer_global, make_intrinsic_template, signature
from numba.extending import lower_builtin, models, register_model

Untyped = Any  # what numba and llvmlite hand over
BYTE, WORD = ir.IntType(8), ir.IntType(64)
ONE = ir.Constant(WORD, 1)


class RowsType(types.Type):
    """Rows of one type of record, or numbers of one type."""

    def __init__(self, row: Untyped, size: int):
        self.row = row
        self.size = size  # bytes
        super().__init__(name=f"Rows({row})")


def rows_type(dtype: np.dtype[Any]) -> RowsType:
    """The type of a table of such rows."""
    return RowsType(from_dtype(dtype), dtype.itemsize)


@register_model(RowsType)
class _RowsModel(models.PrimitiveModel):
    def __init__(self, manager: Untyped, kind: Untyped):
        super().__init__(manager, kind, BYTE.as_pointer())


@infer_global(operator.getitem)
class _Row(AbstractTemplate):
    def generic(self, args: Untyped, _kws: Untyped) -> Untyped:
        table, index = args
        if isinstance(table, RowsType) and isinstance(index, types.Integer):
            return signature(table.row, table, types.int64)
        return None


@lower_builtin(operator.getitem, RowsType, types.Integer)
def _row(context: Untyped, builder: Untyped, call: Untyped, args: Untyped) -> Untyped:
    at = _place(builder, call.args[0].size, *args)
    found = context.get_value_type(call.return_type)
    if isinstance(call.return_type, types.Record):
        return builder.bitcast(at, found)
    return builder.load(builder.bitcast(at, found.as_pointer()))


def _place(builder: Untyped, size: int, address: Untyped, index: Untyped) -> Untyped:
    return builder.gep(address, [builder.mul(index, ir.Constant(WORD, size))])


@infer_global(operator.setitem)
class _SetRow(AbstractTemplate):
    def generic(self, args: Untyped, _kws: Untyped) -> Untyped:
        table, index, _ = args
        if isinstance(table, RowsType) and isinstance(index, types.Integer):
            return signature(types.none, table, types.int64, table.row)
        return None


@lower_builtin(operator.setitem, RowsType, types.Integer, types.Number)
@lower_builtin(operator.setitem, RowsType, types.Integer, types.Record)
def _set_row(context: Untyped, builder: Untyped, call: Untyped, args: Untyped) -> Untyped:
    table, (address, index, row) = call.args[0], args
    at = _place(builder, table.size, address, index)
    if isinstance(table.row, types.Record):
        cgutils.raw_memcpy(builder, at, builder.bitcast(row, BYTE.as_pointer()), ir.Constant(WORD, table.size), 1)
    else:
        builder.store(row, builder.bitcast(at, row.type.as_pointer()))
    return context.get_dummy_value()


# -- what machine code asks of a table ---------------------------------------------------------------------------------


def known_to_numba(name: str, handle: Untyped, types_and_code: Callable[..., Untyped]) -> None:
    """Let compiled code call an object of ours.

    `types_and_code` gives the signature and what writes the instructions, as of an intrinsic.
    """
    template = make_intrinsic_template(handle, types_and_code, name, prefer_literal=False, kwargs={})
    infer(template)
    infer_global(handle, types.Function(template))


def rows_at(builder: Untyped, record: Untyped, offset: int) -> Untyped:
    """The rows whose address stands in a record, `offset` bytes from its beginning."""
    return builder.inttoptr(builder.load(_field(builder, record, offset)), BYTE.as_pointer())


def _field(builder: Untyped, record: Untyped, offset: int, kind: Untyped = WORD) -> Untyped:
    return builder.bitcast(
        builder.gep(builder.bitcast(record, BYTE.as_pointer()), [ir.Constant(WORD, offset)]), kind.as_pointer()
    )


def taken(context: Untyped, builder: Untyped, s: Untyped, pool: Untyped, words: str) -> Untyped:
    """Take the first row of a free list; where few are left, ask for more. There is none: an exception."""
    free, left, reserve = (_field(builder, s, pool.offset + 8 * word) for word in range(3))
    new = builder.load(free)
    with cgutils.if_unlikely(builder, builder.icmp_signed("<", new, ir.Constant(WORD, 0))):
        context.call_conv.return_user_exc(builder, RuntimeError, (words,))
    rows = rows_at(builder, s, pool.address)
    builder.store(builder.load(_field(builder, _place(builder, pool.size, rows, new), pool.next)), free)
    rest = builder.sub(builder.load(left), ir.Constant(WORD, 1))
    builder.store(rest, left)
    _ask_for_more(builder, s, pool.must_grow, builder.icmp_signed("<", rest, builder.load(reserve)))
    return new


def given_back(builder: Untyped, s: Untyped, pool: Untyped, first: Untyped, last: Untyped, count: Untyped) -> None:
    """Put a chain of rows before the first of a free list."""
    free, left = (_field(builder, s, pool.offset + 8 * word) for word in range(2))
    rows = rows_at(builder, s, pool.address)
    builder.store(builder.load(free), _field(builder, _place(builder, pool.size, rows, last), pool.next))
    builder.store(first, free)
    builder.store(builder.add(builder.load(left), count), left)


def appended(context: Untyped, builder: Untyped, s: Untyped, buffer: Untyped, words: str) -> Untyped:
    """The place behind the last row; where many are there, ask to have them handed over.

    There is no such place: an exception.
    """
    count, most, size = (_field(builder, s, buffer.offset + 8 * word) for word in range(3))
    at = builder.load(count)
    with cgutils.if_unlikely(builder, builder.icmp_signed(">=", at, builder.load(size))):
        context.call_conv.return_user_exc(builder, RuntimeError, (words,))
    behind = builder.add(at, ir.Constant(WORD, 1))
    builder.store(behind, count)
    _ask_for_more(builder, s, buffer.must_grow, builder.icmp_signed(">=", behind, builder.load(most)))
    return at


def _ask_for_more(builder: Untyped, s: Untyped, must_grow: int, short: Untyped) -> None:
    with cgutils.if_unlikely(builder, short):
        builder.store(ir.Constant(BYTE, 1), _field(builder, s, must_grow, BYTE))
