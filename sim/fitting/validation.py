"""How far a model is from a measurement.

Every figure of both with intervals, the error between them, and a verdict with stated tolerances.

The measured trace becomes records (`sim.measured.as_records`), so both sides are counted by the same functions. Where
its arrivals are replayed, the load is the same in every replication, and what a single replication varies by is what
chance alone makes of a measurement: the interval of the error is that of one run (the measured) against the mean of
n, Student's t with deviation x sqrt(1 + 1 / n).
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.errors import UsageError, did_you_mean
from sim.experiments.replicating.comparison import run
from sim.fitting.comparing import Compared, Finding, compared
from sim.fitting.pairing import Paired, request_by_request
from sim.fitting.plots import MeasuredPlots
from sim.fitting.target import Measurement, Part, target_of
from sim.measured.as_records import as_records
from sim.units import share

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiments.replicating.results import VariantResult
    from sim.experiments.shipped import Source
    from sim.records.tables import Records
    from sim.spec.study import Study

TOLERANCES = {"mean": 0.02, "p50": 0.02, "p95": 0.02, "p99": 0.03, "throughput": 0.02, "outcomes": 0.01}
"""Relative errors that are borne; of outcomes, points of their share."""


@dataclass(frozen=True)
class Validation:
    """All of it."""

    study: Study
    variant: str
    figures: tuple[Compared, ...]
    paired: Paired | None  # request by request, where nothing of the model is random
    said: tuple[str, ...]  # what was understood, matched and replaced
    replications: int
    requests: int  # measured
    confidence: float
    simulated: VariantResult
    measured: Records | None

    @property
    def valid(self) -> bool:
        """Whether every figure is within its tolerance beyond doubt."""
        return bool(self.figures) and all(figure.finding == "within" for figure in self.figures)

    @property
    def refuted(self) -> bool:
        """Whether some figure is outside of its tolerance beyond doubt."""
        return not self.figures or any(figure.finding == "outside" for figure in self.figures)

    def named(self, finding: Finding) -> tuple[Compared, ...]:
        """The figures of which this is found."""
        return tuple(figure for figure in self.figures if figure.finding == finding)

    @property
    def summary(self) -> pd.DataFrame:
        """One row per figure in base units: both sides, the error of the one to the other, what is borne, the finding.

        Errors are relative, those of outcomes points of their share.
        """
        import pandas as pd

        columns: dict[str, list[object]] = {}
        for side in ("measured", "simulated"):
            for part, name in (("value", side), ("low", f"{side}_low"), ("high", f"{side}_high")):
                columns[name] = [getattr(getattr(figure, side), part) for figure in self.figures]
        for name in ("error", "low", "high", "tolerance", "finding"):
            columns[name if name not in ("low", "high") else f"error_{name}"] = [
                getattr(figure, name) for figure in self.figures
            ]
        return pd.DataFrame(columns, index=pd.Index([figure.key for figure in self.figures], name="metric"))

    @property
    def plot(self) -> MeasuredPlots:
        """The charts of both sides, for a notebook: `validation.plot.tail()`."""
        return MeasuredPlots(self)

    def _repr_html_(self) -> str:
        """The verdict and every figure, as Jupyter shows it."""
        shown = self.summary[["measured", "simulated", "error", "error_low", "error_high", "tolerance", "finding"]]
        head = f"{self.study.name}, {self.variant}: {self.verdict}"
        return f"<p><b>{html.escape(head)}</b></p>{shown.to_html(border=0)}"

    @property
    def verdict(self) -> str:
        """`valid`, `not valid`, or `not refuted`: nothing is wrong for sure, and not everything is right for sure."""
        return "not valid" if self.refuted else "valid" if self.valid else "not refuted"


def validate(
    study: Source,
    measurement: Measurement,
    variant: str | None = None,
    *,
    replications: int = 10,
    tolerances: Mapping[str, float] | None = None,
    confidence: float = 0.95,
    part: Part = Part(),  # noqa: B008 - frozen
    **place: Any,  # noqa: ANN401 - jobs, engine, journal, progress ... of `run`
) -> Validation:
    """A model held against a measurement: what was read by `read_measured`, or files.

    Where single requests were measured their arrivals are replayed, unless the users are closed; where only a
    summary is known the load is its rate or its users. `tolerances` are shares by name (`TOLERANCES`). Raises
    UsageError where the two have no route in common.
    """
    bounds = bounds_of(tolerances)
    target = target_of(study, measurement, variant, part)
    comparison = run(target.study, None, max(2, replications), confidence=confidence, **place)
    (result,) = comparison.variants.values()
    duration = target.study.variants[next(iter(target.study.variants))].duration
    records = as_records(target.requests, duration, result.scenario.warmup) if target.requests is not None else None
    figures = compared(target, records, comparison, bounds)
    paired = (
        request_by_request(records, result.records)
        if records is not None and comparison.method.exact and target.loaded.replays
        else None
    )
    return Validation(
        study=target.study,
        variant=target.variant,
        figures=figures,
        paired=paired,
        said=target.said,
        replications=comparison.replications,
        requests=target.count,
        confidence=confidence,
        simulated=result,
        measured=records,
    )


def bounds_of(tolerances: Mapping[str, float] | None) -> dict[str, float]:
    """All tolerances, those that are not said being `TOLERANCES`. Raises UsageError where a name is none."""
    return {**TOLERANCES, **_known(tolerances or {})}


def tolerances_of(texts: Sequence[str]) -> dict[str, float]:
    """`mean=2%` -> 0.02. Raises UsageError where that is no name or no share."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        try:
            found[name.strip()] = share(value.strip())
        except ValueError as error:
            raise UsageError(
                f"--tolerance {text[:60]}: {error if sign else 'expected NAME=SHARE, such as p99=3%'}"
            ) from None
    return _known(found)


def _known(tolerances: Mapping[str, float]) -> dict[str, float]:
    for name in tolerances:
        if name not in TOLERANCES:
            raise UsageError(f"tolerance: unknown name '{name}'{did_you_mean(name, TOLERANCES)}")
    return dict(tolerances)
