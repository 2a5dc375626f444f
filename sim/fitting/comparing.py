"""The figures of a model and of a measurement side by side, and the error between them with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from sim.metrics.keys import key_of
from sim.metrics.measurement import measure
from sim.metrics.within import within_run
from sim.stats.interval import Interval
from sim.stats.student import t_quantile
from sim.vocabulary import Outcome

if TYPE_CHECKING:
    from sim.experiments.replicating.results import Comparison, VariantResult
    from sim.fitting.target import Target
    from sim.records.tables import Records

STATISTICS = ("mean", "p50", "p95", "p99")
LEAST_SHARE = 0.0005  # of an outcome that is worth a line
_LEAST_ABOVE = 10  # requests beyond a percentile, of fewer it tells nothing

Finding = Literal["within", "outside", "open"]


@dataclass(frozen=True)
class Compared:
    """One figure on both sides."""

    key: str  # of the catalogue: response_p99(POST /orders)
    tolerated: str  # the name of its tolerance
    measured: Interval
    simulated: Interval
    error: float  # simulated against measured: relative; of shares the difference
    low: float  # of the error, with the confidence asked for
    high: float
    tolerance: float
    joint: float  # half the interval that holds for all figures together: of the error's logarithm, or of the points

    @property
    def relative(self) -> bool:
        """Whether the error is a share of the measured."""
        return self.tolerated != "outcomes"

    @property
    def finding(self) -> Finding:
        """Within or outside of its tolerance beyond doubt, or open: more would have to be measured to tell.

        Outside is judged for all figures together (Bonferroni): of many right ones the unluckiest refutes nothing.
        """
        apart = abs(math.log1p(self.error)) if self.relative and self.error > -1 else abs(self.error)
        borne = math.log1p(self.tolerance) if self.relative else self.tolerance
        if not apart - self.joint <= borne:
            return "outside"
        return "within" if -self.tolerance <= self.low and self.high <= self.tolerance else "open"


def compared(
    target: Target,
    records: Records | None,
    comparison: Comparison,
    tolerances: Mapping[str, float],
    longer: float = 1.0,
) -> tuple[Compared, ...]:
    """Every figure that both sides have. `comparison` is of the one variant, under the measured load or under one of
    its own, and each of its replications is so many times `longer` than the measurement.
    """
    (result,) = comparison.variants.values()
    measured = _measured(target, records, comparison.method.confidence)
    keys = _keys(measured, result, target)
    found = (_compared(key, name, measured[key], comparison, tolerances[name], len(keys), longer) for key, name in keys)
    return tuple(figure for figure in found if figure is not None)


def _measured(target: Target, records: Records | None, confidence: float) -> dict[str, Interval]:
    """The figures of the measurement; their own intervals where one run gives them (batch means, order statistics)."""
    if records is not None:
        whole = measure(records, target.scenario)
        own = within_run(records, target.scenario, whole, confidence)
        return {
            key: own.get(key, Interval(value, censored=key in whole.censored)) for key, value in whole.values.items()
        }
    table = target.table
    assert table is not None
    found = {"response_mean": Interval(table.mean)}
    found |= {f"response_{name}": Interval(table.quantile(q)) for name, q in _QUANTILES.items() if table.tabulates(q)}
    if table.count and table.span > 0:
        found["throughput"] = Interval((table.count - table.failures) / table.span)
        found[key_of("outcome_share", "ok")] = Interval(1.0 - table.failures / table.count)
    return found


_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def _keys(measured: Mapping[str, Interval], result: VariantResult, target: Target) -> list[tuple[str, str]]:
    """(key, name of its tolerance): of all requests, then of each route; then the outcomes that occur."""
    routes = target.requests.routes if target.requests is not None and target.loaded.replays else ()
    present = [
        name
        for number, name in enumerate(routes)
        if target.requests is not None and bool(np.any(target.requests.route == number))
    ]
    labels = ["", *(present if len(present) > 1 else ())]
    keys = [
        (key_of(f"response_{name}", label), name)
        for label in labels
        for name in STATISTICS
        if _enough(name, target, label)
    ]
    keys += [(key_of("throughput", label), "throughput") for label in labels]
    for outcome in Outcome:
        key = key_of("outcome_share", outcome.word)
        shares = [side[key].value for side in (measured, result.metrics) if key in side]
        if target.requests is None and outcome is not Outcome.OK:
            continue
        if outcome is not Outcome.IN_FLIGHT and any(value >= LEAST_SHARE for value in shares):
            keys.append((key, "outcomes"))
    return [(key, name) for key, name in keys if key in measured and not math.isnan(measured[key].value)]


def _enough(name: str, target: Target, label: str) -> bool:
    """Whether so many requests were measured that this percentile says anything."""
    if name not in _QUANTILES or target.requests is None:
        return True
    requests = target.requests
    its = requests.timed if not label else requests.timed & (requests.route == requests.routes.index(label))
    return int(np.count_nonzero(its)) * (1 - _QUANTILES[name]) >= _LEAST_ABOVE


def _compared(
    key: str,
    name: str,
    measured: Interval,
    comparison: Comparison,
    tolerance: float,
    figures: int,
    longer: float,
) -> Compared | None:
    (result,) = comparison.variants.values()
    ours, confidence = result.metrics.get(key), comparison.method.confidence
    if ours is None or math.isnan(ours.value):  # nothing of it was simulated
        return Compared(key, name, measured, Interval(math.nan), math.nan, math.nan, math.nan, tolerance, math.nan)
    scale = measured.value if name != "outcomes" else 1.0
    if scale == 0:
        return None
    error = (ours.value - measured.value) / scale
    deviation = 0.0 if comparison.method.exact or math.isnan(ours.deviation) else ours.deviation
    relative, degrees = name != "outcomes", max(1, ours.n - 1)
    one = deviation / ours.value if relative and ours.value > 0 else deviation / scale
    spread = one * math.sqrt(longer + 1 / max(1, ours.n))
    half = t_quantile(0.5 + confidence / 2, degrees) * spread
    joint = t_quantile(1 - (1 - confidence) / (2 * figures), degrees) * spread
    if math.isnan(measured.low):
        chance = t_quantile(0.5 + confidence / 2, degrees) * deviation * math.sqrt(longer)
        measured = replace(measured, low=measured.value - chance, high=measured.value + chance)
    low, high = error - half, error + half
    if relative and error > -1:  # by factors: times are skewed
        low, high = ((1 + error) * math.exp(sign * half) - 1 for sign in (-1, 1))
    return Compared(key, name, measured, ours, error, low, high, tolerance, joint)
