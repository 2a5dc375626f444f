"""Where the time of requests went, and which station was full first: every variant run with its spans, and their
composition over replications.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, Unpack

import numpy as np
import pandas as pd

from sim.errors import UsageError, did_you_mean
from sim.experiments.on_paper.offered_load import Analysis, OfferedLoad
from sim.experiments.replicating.arms import arms_of, named
from sim.experiments.replicating.comparison import compare
from sim.experiments.replicating.plots import ExplanationPlots
from sim.experiments.replicating.results import Comparison, VariantResult
from sim.experiments.running.jobs import Job, JobResult, Tick, measured, perform, scenario_of, simulated
from sim.experiments.running.options import RunKeywords, RunOptions
from sim.experiments.shipped import Source, as_study
from sim.experiments.showing import Shown
from sim.records.columns import Columns
from sim.spec.scenario import Recording
from sim.stats.bounds import NOT_NEGATIVE
from sim.stats.interval import Interval
from sim.stats.mean import mean_interval

if TYPE_CHECKING:
    from sim.metrics.attribution import Composition
    from sim.metrics.use import Use
    from sim.spec.scenario import Scenario
    from sim.spec.study import Study

Clock = Literal["response", "completion"]
CLOCKS: tuple[Clock, ...] = ("response", "completion")
SHARES = (0.5, 0.99)
_USED = ("utilisation", "utilisation_max", "queue_mean", "queue_max", "full_at", "attempts")


@dataclass(frozen=True)
class Portion:
    """What one place cost the requests around a quantile."""

    # the station; for network, bulkhead and back-off the callee; for a client's own back-off the traffic; for lag the
    # group
    place: str
    what: str  # one of metrics.ways.PARTS
    again: bool  # within an attempt after which another one was made
    seconds: Interval
    share: float  # of their time


@dataclass(frozen=True)
class Explained:
    """The composition of the requests around one quantile; the portions add up to `response`."""

    share: float  # 0.99
    value: Interval  # s; the quantile itself
    response: Interval  # s; the mean time of the requests around it, on the clock that is explained
    requests: float  # looked at, per replication
    portions: tuple[Portion, ...]  # largest first
    # whether it is that of an order which was not complete at the end, in some replication: it is later than `value`
    open: bool = False

    @property
    def name(self) -> str:
        """`p99`"""
        return quantile_name(self.share)


@dataclass(frozen=True)
class Busy:
    """One pool of servers by the USE method, mean over replications."""

    station: str
    resource: str  # "workers", "cores", "consumers", "hottest consumer", "places", "rate"
    utilisation: Interval
    utilisation_max: Interval
    queue_mean: Interval
    queue_max: Interval
    full_at: float  # s; median of the moments from which it was full; inf: mostly never
    attempts: Interval
    errors: dict[str, Interval] = field(default_factory=dict)  # per replication, by outcome


@dataclass(frozen=True)
class VariantExplanation:
    """One variant, explained."""

    name: str
    quantiles: dict[str, Explained]  # by "p50", "p99"; empty where nothing was answered
    use: tuple[Busy, ...]
    load: OfferedLoad  # on paper
    result: VariantResult
    clock: Clock = "response"  # the one that is explained
    # the quantiles on the other clock, where there are orders
    other: dict[str, Explained] = field(default_factory=dict)

    @property
    def filled(self) -> tuple[Busy, ...]:
        """The stations that were full in the run, the first first."""
        return tuple(sorted((busy for busy in self.use if math.isfinite(busy.full_at)), key=lambda busy: busy.full_at))

    @property
    def busiest(self) -> Busy | None:
        """The station with the highest utilisation on average."""
        known = [busy for busy in self.use if not math.isnan(busy.utilisation.value)]
        return max(known, key=lambda busy: busy.utilisation.value, default=None)


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """What `explain` answers.

    `parts` and `use` are tables for a notebook; `sim.report.explanation` tells it in words.
    """

    comparison: Comparison  # the figures of the same runs
    variants: dict[str, VariantExplanation]
    route: str | None = None
    failures: bool = False  # whether requests that failed are among them

    @property
    def parts(self) -> pd.DataFrame:
        """One row per variant, quantile and part: place, what, again, seconds with interval, share."""
        rows = [
            {"variant": name, "clock": variant.clock, "quantile": quantile, **vars(portion), **_limits(portion.seconds)}
            for name, variant in self.variants.items()
            for quantile, explained in variant.quantiles.items()
            for portion in explained.portions
        ]
        columns = ["variant", "clock", "quantile", "place", "what", "again", "seconds", "low", "high", "share"]
        return pd.DataFrame(rows, columns=columns).astype({"seconds": float, "share": float})

    @property
    def plot(self) -> ExplanationPlots:
        """The chart of the report, for a notebook: `explanation.plot.composition()`."""
        return ExplanationPlots(self)

    @property
    def use(self) -> pd.DataFrame:
        """One row per variant and station: utilisation, saturation, errors."""
        rows = []
        for name, variant in self.variants.items():
            for busy in variant.use:
                figures = {key: getattr(busy, key).value for key in _USED if key != "full_at"}
                errors = {f"errors_{word}": figure.value for word, figure in busy.errors.items()}
                rows.append(
                    {
                        "variant": name,
                        "station": busy.station,
                        "resource": busy.resource,
                        **figures,
                        "full_at": busy.full_at,
                        **errors,
                    }
                )
        return pd.DataFrame(rows)


def explain(
    study: Source,
    variants: Sequence[str] | None = None,
    replications: int = 5,
    *,
    shares: Sequence[float] = SHARES,
    route: str | None = None,
    failures: bool = False,
    clock: Clock | None = None,
    **options: Unpack[RunKeywords],
) -> Explanation:
    """Where the time of the requests around each quantile went, station by station, in all variants or those named; of
    one route, where it is named.

    `clock`: the time until the answer (`response`) or until the order is complete (`completion`); without it that which
    is slower at the last quantile, for each variant. Responses are those of requests answered ok or degraded, as
    latencies are; with `failures` of all that were answered. The other keywords are those of `RunOptions`, without
    `perform`.
    """
    study = as_study(study)
    _refuse(study, shares, route, clock)
    options["perform"] = partial(perform_explaining, shares=tuple(shares), route=route, failures=failures)
    scenarios = [arm.scenario for arm in named(arms_of(study), variants)]
    RunOptions(**options).estimate(scenarios, replications, keeps=False, needs=Recording(spans="all"))
    comparison = compare(study, variants, replications, **options)
    found = {name: result.figures for name, result in comparison.variants.items()}
    plain = replace(comparison, variants={name: _without_ours(result) for name, result in comparison.variants.items()})
    explained = {
        name: _explanation(result, _Figures(found[name]), shares, clock) for name, result in plain.variants.items()
    }
    return Explanation(plain, explained, route, failures)


def quantile_name(share: float) -> str:
    """0.99 -> `p99`, 0.999 -> `p99.9`."""
    return f"p{share * 100:.10g}"


def _refuse(study: Study, shares: Sequence[float], route: str | None, clock: str | None) -> None:
    from sim.metrics.keys import routes

    wrong = [share for share in shares if not 0.0 < share < 1.0]
    if wrong or not shares:
        raise UsageError(
            f"quantiles: found {wrong[0] if wrong else 'none'}, expected shares between 0 and 1, such as 0.99"
        )
    known = dict.fromkeys(name for scenario in study.variants.values() for name in routes(scenario))
    if clock not in (None, *CLOCKS):
        raise UsageError(f"clock: found {clock}, expected response or completion{did_you_mean(str(clock), CLOCKS)}")
    if clock == "completion" and not any(completing(scenario) for scenario in study.variants.values()):
        raise UsageError(
            "clock: no order of this scenario is ever complete, since nothing says what completes it; expected "
            "completes_with"
        )
    if route is not None and route not in known:
        raise UsageError(f"unknown route '{route}'{did_you_mean(route, known)}")


# ---- one replication: figures like any other, under keys of our own, so that they travel and are kept as all figures
# are


def perform_explaining(
    job: Job, tick: Tick, *, shares: tuple[float, ...], route: str | None, failures: bool
) -> JobResult:
    """What `perform` does, with spans kept, which stay here, and their composition among the figures."""
    from sim.metrics.attribution import compositions
    from sim.metrics.use import use_table

    scenario = scenario_of(job)
    if scenario.auto_warmup:
        return perform(job, tick)  # a run of the pilot, whose timeline tells when it has settled
    scenario = scenario.model_copy(
        update={"record": scenario.record.model_copy(update={"keep": "rows", "spans": "all"})}
    )
    records = simulated(scenario, job, tick)
    found = measured(records, scenario, job)
    ours: dict[str, float] = {}
    for clock in CLOCKS if completing(scenario) else CLOCKS[:1]:
        ours |= _parts_as_figures(clock, compositions(records, scenario, shares, route, failures, clock))
    ours |= dict(_use_as_figures(use_table(records, scenario)))
    light = replace(records, spans=records.spans[:0].copy(), stages=records.stages[:0].copy())
    return replace(found, metrics={**found.metrics, **ours}, records=light if job.keep_records else None)


def _key(kind: str, *words: str | float | bool) -> str:
    return json.dumps([kind, *words])


def completing(scenario: Scenario) -> bool:
    """Whether anything says when an order is complete."""
    routes = scenario.gateway.routes.values() if scenario.gateway is not None else ()
    return any(its.completes_with for its in (*scenario.traffic.values(), *routes))


def _parts_as_figures(clock: str, found: dict[float, Composition]) -> Iterator[tuple[str, float]]:
    for share, composition in found.items():
        yield _key("value", clock, share), composition.value
        yield _key("response", clock, share), composition.response
        yield _key("count", clock, share), float(composition.count)
        yield _key("open", clock, share), float(composition.open)
        for part, seconds in composition.parts.items():
            yield _key("part", clock, share, part.place, part.what, part.again), seconds


def _use_as_figures(found: Sequence[Use]) -> Iterator[tuple[str, float]]:
    for use in found:
        for figure in _USED:
            yield _key("use", use.station, use.resource, figure), float(getattr(use, figure))
        for word, count in use.errors.items():
            yield _key("error", use.station, use.resource, word), float(count)


# ---- over replications


class _Figures:
    """Our own columns of the table of replications."""

    def __init__(self, table: Columns) -> None:
        self.columns = {tuple(json.loads(key)): values for key, values in table.columns.items() if _is_ours(key)}

    def of(self, kind: str, *words: str | float) -> dict[tuple[str | float | bool, ...], np.ndarray]:
        """The rest of the key -> its values, of the keys that begin so."""
        head = (kind, *words)
        return {key[len(head) :]: values for key, values in self.columns.items() if key[: len(head)] == head}


def _is_ours(key: str) -> bool:
    return key.startswith('["')


def _without_ours(result: VariantResult) -> VariantResult:
    metrics = {key: figure for key, figure in result.metrics.items() if not _is_ours(key)}
    return replace(
        result,
        metrics=metrics,
        figures=result.figures.only([key for key in result.figures.columns if not _is_ours(key)]),
    )


def _explanation(
    result: VariantResult, figures: _Figures, shares: Sequence[float], asked: Clock | None
) -> VariantExplanation:
    explained = {clock: _quantiles(figures, clock, shares) for clock in CLOCKS}
    clock = asked or _slower(explained)
    other = next(its for its in CLOCKS if its != clock)
    used = dict.fromkeys((str(key[0]), str(key[1])) for key in figures.of("use"))
    load = Analysis(result.scenario).load(result.name)
    order = {station.name: place for place, station in enumerate(load.stations)}
    busy = sorted(
        (_busy(figures, *place) for place in used),
        key=lambda busy: (order.get(busy.station, len(order)), busy.station, busy.resource != "workers"),
    )
    return VariantExplanation(result.name, explained[clock], tuple(busy), load, result, clock, explained[other])


def _quantiles(figures: _Figures, clock: Clock, shares: Sequence[float]) -> dict[str, Explained]:
    return {
        quantile_name(share): _explained(figures, clock, share)
        for share in shares
        if figures.of("response", clock, share)
    }


def _slower(explained: dict[Clock, dict[str, Explained]]) -> Clock:
    """The clock on which the last quantile is later; the response where they are alike."""
    last = {clock: list(its.values())[-1].value.value if its else -math.inf for clock, its in explained.items()}
    return "completion" if last["completion"] > last["response"] else "response"


def _explained(figures: _Figures, clock: Clock, share: float) -> Explained:
    response = figures.of("response", clock, share)[()]
    there = ~np.isnan(response)
    portions, mean = [], float(np.nanmean(response))
    for (place, what, again), values in figures.of("part", clock, share).items():
        # a part that a replication does not have took no time there
        its = np.where(there, np.nan_to_num(values), np.nan)
        seconds = mean_interval(its, bounds=NOT_NEGATIVE)
        portions.append(Portion(str(place), str(what), bool(again), seconds, seconds.value / mean if mean > 0 else 0.0))
    portions.sort(key=lambda portion: (-portion.seconds.value, portion.place, portion.what))
    count = float(np.nanmean(figures.of("count", clock, share)[()]))
    late = bool(np.nanmax(figures.of("open", clock, share)[()]) > 0)
    value = mean_interval(figures.of("value", clock, share)[()], bounds=NOT_NEGATIVE)
    return Explained(share, value, mean_interval(response, bounds=NOT_NEGATIVE), count, tuple(portions), late)


def _busy(figures: _Figures, station: str, resource: str) -> Busy:
    its = {str(key[0]): values for key, values in figures.of("use", station, resource).items()}
    means = {name: mean_interval(its[name], bounds=NOT_NEGATIVE) for name in _USED if name != "full_at"}
    errors = {
        str(key[0]): mean_interval(np.nan_to_num(values), bounds=NOT_NEGATIVE)
        for key, values in figures.of("error", station, resource).items()
    }
    with np.errstate(invalid="ignore"):
        full_at = float(np.median(its["full_at"]))
    return Busy(
        station,
        resource,
        full_at=full_at,
        errors=dict(sorted(errors.items(), key=lambda item: -item[1].value)),
        **means,
    )


def _limits(seconds: Interval) -> dict[str, float]:
    return {"seconds": seconds.value, "low": seconds.low, "high": seconds.high}
