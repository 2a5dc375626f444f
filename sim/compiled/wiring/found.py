"""Rows as they are found, before there is a table of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compiled.rows.declaring import Row
from sim.compiled.rows.tables import AnyTable
from sim.policies.base import dtype_of, table_of

Filled = Iterable[tuple[AnyTable, NDArray[Any]]]
"""Tables, and what is in them at time 0."""


class Found:
    """The rows of one table, as they are found."""

    def __init__(self, row: type[Row]):
        self.row = row
        self.rows: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, **values: Any) -> int:  # noqa: ANN401 - numbers
        """Append one; its place. What is not said is as the row begins."""
        if unknown := set(values) - set(self.row.fields):
            raise TypeError(
                f"{self.row.__name__}: found the fields {sorted(unknown)}, expected {sorted(self.row.fields)}"
            )
        self.rows.append(values)
        return len(self.rows) - 1

    def array(self) -> NDArray[np.void]:
        """All of them, at least one."""
        array = self.row.zeros(max(1, len(self.rows)))
        for row, values in zip(array, self.rows, strict=False):
            for name, value in values.items():
                row[name] = value
        return array


class FoundPolicies:
    """The rows of one kind of policy, which are the models' own."""

    def __init__(self, row: type[Any]):
        self.row = row
        self.rows: list[Any] = []

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, row: Any) -> int:  # noqa: ANN401 - a row of a policy
        """Append one; its place."""
        self.rows.append(row)
        return len(self.rows) - 1

    def array(self) -> NDArray[np.void]:
        """All of them, at least one."""
        return table_of(self.rows) if self.rows else np.zeros(1, dtype_of(self.row))


def whole_numbers(found: Sequence[int]) -> NDArray[np.int64]:
    """A table of whole numbers, at least one."""
    return np.array(found or [0], np.int64)


def fractions(found: Sequence[float]) -> NDArray[np.float64]:
    """A table of numbers, at least one."""
    return np.array(found or [0.0])
