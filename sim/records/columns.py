"""Numbers in named columns over one index: what a frame of pandas is made of, once somebody asks for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Columns:
    """Columns of one length. pandas takes longer to import than a small experiment takes to run, so nothing here needs
    it but `frame`.
    """

    index: NDArray[Any] = field(default_factory=lambda: np.empty(0))  # (n,)
    columns: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)  # (n,) each
    index_name: str = ""

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Columns:
        """The columns of a frame."""
        columns = {str(name): frame[name].to_numpy(dtype=float) for name in frame.columns}
        return cls(frame.index.to_numpy(), columns, str(frame.index.name or ""))

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.columns[name]

    def only(self, names: Sequence[str]) -> Columns:
        """These columns alone."""
        return Columns(self.index, {name: self.columns[name] for name in names}, self.index_name)

    def frame(self) -> pd.DataFrame:
        """As pandas has it."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns), index=pd.Index(self.index, name=self.index_name or None))


def mean_of(parts: Sequence[Columns]) -> Columns:
    """The mean cell by cell, over those parts that have a value there (nan: none). All parts have the same index."""
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(name for part in parts for name in part.columns)
    return Columns(
        parts[0].index,
        {name: _mean([part.columns[name] for part in parts if name in part.columns]) for name in names},
        parts[0].index_name,
    )


def _mean(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """By Kahan's summation, so that the mean of equal values is that value."""
    total, lost, count = (np.zeros(columns[0].shape) for _ in range(3))
    for column in columns:
        known = ~np.isnan(column)
        value = np.where(known, column, 0.0) - lost
        raised = total + value
        with np.errstate(invalid="ignore"):  # an infinite value has lost nothing
            rest = raised - total - value
        lost = np.where(known, np.where(np.isnan(rest), 0.0, rest), lost)
        total = np.where(known, raised, total)
        count += known
    mean = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean
