"""`sim.compare`: variants of a scenario on common random numbers, or what was measured beside what was simulated.

A measurement beside a scenario is what `validate` does: its arrivals are replayed. Beside a comparison that was run
already nothing runs again, and each side has the load that it had; the interval of an error is then that of both: of
a measurement as long as it is, which varies as a run of that length would, and of the mean of the replications.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

from sim.errors import UsageError, did_you_mean
from sim.experiments.replicating import comparison as variants_of
from sim.experiments.replicating.results import Comparison
from sim.experiments.shipped import Source
from sim.fitting.comparing import compared
from sim.fitting.replaying import Loaded
from sim.fitting.target import Measurement, Part, Target, Trace, measured_of, one_table, trace_of
from sim.fitting.validation import Validation, bounds_of, validate
from sim.measured import Measured
from sim.measured.as_records import as_records


@overload
def compare(
    study: Measured | Sequence[Measured],
    variants: Source | Comparison,
    replications: int = ...,
    **options: Any,  # noqa: ANN401 - those of `validate`
) -> Validation: ...


@overload
def compare(
    study: Source | Sequence[Source],
    variants: Sequence[str] | None = ...,
    replications: int | None = ...,
    **options: Any,  # noqa: ANN401 - those of the comparison of variants
) -> Comparison: ...


def compare(
    study: Any,
    variants: Any = None,
    replications: int | None = None,
    **options: Any,
) -> Comparison | Validation:
    """All variants of a study, or those named, under the same seed and replications; the first is the baseline.

    Several studies are one comparison, whose variants are named `<file-stem>:<variant>`. There are ten `replications`,
    or as many as make the error of some `metrics` at most `precision`, or as many as tell which is `best`: the options
    are those of `sim.experiments.replicating.comparison.compare`.

    `compare(measured, simulated)`: what `read_measured` answered beside a scenario, under the measured load, or beside
    a comparison that was run already: every figure of both with intervals, the error, and a verdict with
    `tolerances`, as `validate` gives it. Raises UsageError where the two have nothing in common.
    """
    measured = [study] if isinstance(study, Measured) else study
    if isinstance(measured, (str, Path)) or not _are_measured(measured):
        return variants_of.compare(study, variants, replications, **options)
    if isinstance(variants, Comparison):
        if replications is not None:
            raise UsageError("replications: what was run already has its own; leave them out")
        return _beside(measured, variants, **options)
    if variants is None:
        raise UsageError("found a measurement alone, expected a scenario beside it: sim.compare(measured, 'shop.yaml')")
    return validate(variants, measured, replications=replications or 10, **options)


def _are_measured(parts: object) -> bool:
    found = list(parts) if isinstance(parts, Sequence) else []
    some = [isinstance(part, Measured) for part in found]
    if any(some) and not all(some):
        raise UsageError("found measurements and scenarios in one list, expected sim.compare(measured, simulated)")
    return any(some)


def _beside(
    measured: Measurement,
    comparison: Comparison,
    variant: str | None = None,
    tolerances: Mapping[str, float] | None = None,
    confidence: float | None = None,
    part: Part = Part(),  # noqa: B008 - frozen
) -> Validation:
    """A measurement and a run, each under its own load."""
    if confidence not in (None, comparison.method.confidence):
        raise UsageError("confidence: what was run already has its own; leave it out")
    name = _variant(comparison, variant)
    result = comparison.variants[name]
    found = measured_of(measured, part)
    trace = trace_of(found, result.scenario, part)
    target = _target(found, trace, comparison, name)
    alone = replace(comparison, variants={name: result}, differences={})
    records, longer = None, 1.0
    if trace is not None:
        records = as_records(trace.matched.requests, trace.duration, trace.warmup)
        longer = (result.scenario.duration - result.scenario.warmup) / (trace.duration - trace.warmup)
    return Validation(
        study=comparison.study,
        variant=name,
        figures=compared(target, records, alone, bounds_of(tolerances), longer),
        paired=None,
        said=target.said,
        replications=comparison.replications,
        requests=target.count,
        confidence=comparison.method.confidence,
        simulated=result,
        measured=records,
    )


def _variant(comparison: Comparison, variant: str | None) -> str:
    names = list(comparison.variants)
    if variant is None and len(names) > 1:
        raise UsageError(f"found {len(names)} variants, expected which: variant={names[0]!r}")
    if variant is not None and variant not in names:
        raise UsageError(f"found no variant {variant!r}{did_you_mean(variant, names)}")
    return names[0] if variant is None else variant


def _target(measured: Sequence[Measured], trace: Trace | None, comparison: Comparison, name: str) -> Target:
    scenario = comparison.variants[name].scenario
    said = [line for found in measured for line in str(found).splitlines()]
    said.append("nothing is replayed: the run has the load of its scenario, the measurement its own")
    loaded = Loaded({}, replays=trace is not None and trace.matched.routed, said=())
    if trace is None:
        return Target(comparison.study, name, scenario, None, one_table(measured), loaded, tuple(said))
    told = (*said, *trace.matched.told(), *trace.told)
    return Target(comparison.study, name, scenario, trace.matched.requests, None, loaded, told)
