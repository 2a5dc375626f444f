"""Words of 64 bits.

What the wheel asks of them, for machine code and for plain Python, where whole numbers have no end.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from sim.compiled.rows.machine_rows import ONE, known_to_numba

Untyped = Any  # what numba and llvmlite hand over
LAST = 63  # the bit that makes a number negative


class _Lowest:
    """`lowest(word)`: the number of the lowest bit of a word that is set; one is."""

    def __init__(self) -> None:
        known_to_numba("lowest", self, self._in_machine_code)

    def __call__(self, word: int) -> int:
        """The same in plain Python."""
        return (word & -word).bit_length() - 1

    def _in_machine_code(self, _typing: Untyped, word: Untyped) -> Untyped:
        def generate(_context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
            return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

        return types.int64(word), generate


class _Bit:
    """`bit(n)`: the word in which this bit alone is set."""

    def __init__(self) -> None:
        known_to_numba("bit", self, self._in_machine_code)

    def __call__(self, number: int) -> int:
        """The same in plain Python."""
        return 1 << number if number < LAST else -1 << LAST

    def _in_machine_code(self, _typing: Untyped, number: Untyped) -> Untyped:
        def generate(_context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
            return builder.shl(ONE, args[0])

        return types.int64(number), generate


lowest = _Lowest()
bit = _Bit()
