"""Where rows lie in memory."""

from __future__ import annotations

import numpy as np
import pytest

from sim.compiled.room import longer
from sim.compiled.rows.declaring import CACHE_LINE, Row, aligned_zeros


def lines(offset: int, size: int) -> int:
    """How many cache lines the bytes from there on lie in."""
    return (offset + size - 1) // CACHE_LINE - offset // CACHE_LINE + 1


@pytest.mark.parametrize("fields", [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 57])
def test_a_row_lies_in_no_more_lines_than_its_fields_fill(fields, monkeypatch):
    monkeypatch.setattr(Row, "row_kinds", dict(Row.row_kinds))  # it is one of no engine
    body = {"__module__": __name__, "__annotations__": {f"f{number}": "int" for number in range(fields)}}
    kind = type(Row)(f"Row{fields}", (Row,), body)
    table = kind.zeros(50)
    assert table.ctypes.data % CACHE_LINE == 0
    begins = [table[place : place + 1].ctypes.data for place in range(50)]
    assert {lines(begin, 8 * fields) for begin in begins} == {-(-8 * fields // CACHE_LINE)}


def table_of_six() -> np.ndarray:
    table = aligned_zeros((3, 2), np.dtype(np.int64))
    table[:] = [[1, 2], [3, 4], [5, 6]]
    return table


def test_a_table_that_has_grown_begins_with_a_line_too():
    grown = longer(table_of_six())
    assert grown.ctypes.data % CACHE_LINE == 0
    assert grown.tolist() == [[1, 2], [3, 4], [5, 6], [0, 0], [0, 0], [0, 0]]


def test_who_looks_at_a_table_while_it_grows_sees_what_it_was():
    table = table_of_six()
    grown = longer(table)
    grown[0, 0] = 9
    assert table.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert grown.tolist() == [[9, 2], [3, 4], [5, 6], [0, 0], [0, 0], [0, 0]]


def test_a_long_table_that_nobody_looks_at_grows_where_it_lies():
    """Its memory is lengthened, not copied into another."""
    tables = [aligned_zeros(1 << 21, np.dtype(np.int64))]
    tables[0][:] = np.arange(tables[0].size)
    room = id(tables[0].base)
    grown = longer(tables.pop())
    assert id(grown.base) == room
    assert grown[: 1 << 21].tolist() == list(range(1 << 21))
    assert not grown[1 << 21 :].any()
