"""How much of the intervals is from inputs that are ranges: see `sim.stats.attribution`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.experiments.replicating.arms import Arm
from sim.experiments.replicating.method import Inputs
from sim.experiments.running.inputs import shares_of
from sim.records.columns import Columns
from sim.stats.attribution import SPARE, share_explained

FIGURES = ("response_mean", "response_p99", "completion_p99", "throughput", "availability")


def inputs_of(arms: Sequence[Arm], seed: int, figures: Mapping[str, Columns], numbers: Sequence[int]) -> Inputs | None:
    """What is said of the inputs of all variants; None where none is a range. `figures` are by variant."""
    names: dict[str, None] = {}
    shares: dict[str, dict[str, float]] = {}
    for arm in arms:
        table = figures[arm.name]
        its, draws = shares_of(arm.document, arm.variant, seed, numbers[: len(table)])
        names |= dict.fromkeys(its)
        if not its:
            continue
        found = {key: share_explained(draws, table.columns[key]) for key in FIGURES if key in table.columns}
        told = {key: share for key, share in found.items() if share is not None}
        if told:
            shares[arm.name] = told
    return Inputs(tuple(names), shares, len(names) + 1 + SPARE) if names else None
