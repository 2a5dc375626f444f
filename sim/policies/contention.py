"""By how much threads that compute at once slow one another: the Universal Scalability Law (`spec/contention.py`)."""

from __future__ import annotations

from dataclasses import dataclass

from sim.policies.base import dtype_of, policy
from sim.spec.contention import Contention


@dataclass(slots=True)
class ContentionRow:
    """The law of one service."""

    serial: float = 0.0  # sigma: share of the work that one at a time can do
    crosstalk: float = 0.0  # kappa: what each pair of threads costs, as a share of the work of one


def new_contention(spec: Contention) -> ContentionRow:
    """As a service says it."""
    return ContentionRow(serial=spec.serial, crosstalk=spec.crosstalk)


CONTENTION = dtype_of(ContentionRow)


@policy
def slowdown(row: ContentionRow, threads: float) -> float:
    """How many times as long as alone work takes where so many are at it."""
    others = threads - 1.0
    return 1.0 + row.serial * others + row.crosstalk * threads * others
