"""The values that inputs said as ranges have in a replication: drawn before it begins, by streams of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chance.keyed import stream_key, uniforms
from sim.spec.uncertain import Range, fixed, ranges_in

_FIRST = np.zeros(1, np.int64)


def share_of(its: Range, seed: int, replication: int) -> float:
    """How far on the way from its low end to its high one it lies: the same for all variants, so they stay paired."""
    return float(uniforms(stream_key(seed, replication, f"input {its.name}"), _FIRST, 0)[0])


def drawn(document: dict[str, Any], seed: int, replication: int) -> dict[str, Any]:
    """The document of one replication."""
    changed: dict[str, Any] = fixed(document, lambda its: its.value(share_of(its, seed, replication)))
    return changed


def shares_of(
    document: dict[str, Any], variant: str, seed: int, numbers: Sequence[int]
) -> tuple[list[str], NDArray[np.float64]]:
    """The paths of the inputs of a variant, and (replications, inputs) what was drawn for each."""
    ranges = ranges_in(document, variant)
    rows = [[share_of(its, seed, number) for its in ranges] for number in numbers]
    return [its.name for its in ranges], np.array(rows, dtype=np.float64).reshape(len(rows), len(ranges))
