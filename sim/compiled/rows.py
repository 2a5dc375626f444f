"""Tables for numba: an address and a type, nothing else. `table[i]` is the record itself, or the number, without a look at bounds.

numba's own arrays would do, and did: but each is seven numbers to pass about, and every index is first asked whether it is negative.
Without that the interpreter compiles in less time and runs faster. The index must be right; what is at fault if not is the caller.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

Untyped = Any  # what numba and llvmlite hand over
BYTE, WORD = ir.IntType(8), ir.IntType(64)


class RowsType(types.Type):
    """Rows of one type of record, or numbers of one type."""

    def __init__(self, row: Untyped, size: int):
        self.row = row
        self.size = size  # bytes
        super().__init__(name=f"Rows({row})")


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
    at = _place(builder, call.args[0], *args)
    found = context.get_value_type(call.return_type)
    if isinstance(call.return_type, types.Record):
        return builder.bitcast(at, found)
    return builder.load(builder.bitcast(at, found.as_pointer()))


def _place(builder: Untyped, table: RowsType, address: Untyped, index: Untyped) -> Untyped:
    return builder.gep(address, [builder.mul(index, ir.Constant(WORD, table.size))])


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
    at = _place(builder, table, address, index)
    if isinstance(table.row, types.Record):
        cgutils.raw_memcpy(builder, at, builder.bitcast(row, BYTE.as_pointer()), ir.Constant(WORD, table.size), 1)
    else:
        builder.store(row, builder.bitcast(at, row.type.as_pointer()))
    return context.get_dummy_value()


def rows_at(dtype: np.dtype[Any], offset: int) -> Callable[[Untyped], Untyped]:
    """A function for compiled code: the rows of this type whose address stands in a record, `offset` bytes from its beginning."""
    kind = RowsType(from_dtype(dtype), dtype.itemsize)

    def find(_typing: Untyped, record: Untyped) -> Untyped:
        def generate(_context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
            place = builder.gep(builder.bitcast(args[0], BYTE.as_pointer()), [ir.Constant(WORD, offset)])
            return builder.inttoptr(builder.load(builder.bitcast(place, WORD.as_pointer())), BYTE.as_pointer())

        return kind(record), generate

    found: Untyped = intrinsic(find)
    accessor: Callable[[Untyped], Untyped] = found
    return accessor


def _rows_from(_typing: Untyped, table: Untyped, _first: Untyped) -> Untyped:
    def generate(_context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
        return _place(builder, table, *args)

    return table(table, types.int64), generate


_intrinsic: Untyped = intrinsic(_rows_from)
rows_from: Callable[[Untyped, int], Untyped] = _intrinsic
"""For compiled code: the rows from the n-th on, as a table that begins there."""
