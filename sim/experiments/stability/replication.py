"""One replication of an experiment on stability: how the system fared around the stressor, or on each step of a
staircase of loads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.experiments.running.jobs import Job, JobResult, Tick, scenario_of, simulated
from sim.experiments.stability.stressor import Times
from sim.metrics.resilience import TOLERANCE
from sim.records.columns import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.metrics.resilience import Clock
    from sim.metrics.sample import Judged, Sample
    from sim.records.tables import Records
    from sim.spec.scenario import Scenario

PATIENCE = 10.0  # times as long as one looked on: a backlog that will be gone by then is on its way out
RECOVERED, RECOVERING, STUCK = 0.0, 1.0, 2.0
_BATCHES = 10  # of the second half of what follows the stressor, for the trend of the backlog


def perform_stressed(job: Job, tick: Tick, *, times: Times) -> JobResult:
    """How a run fared before the stressor and long after, whether and when it recovered, and where its backlog was
    going.
    """
    from sim.metrics.sample import sample_of

    scenario = _with_rows(scenario_of(job))
    records = simulated(scenario, job, tick)
    everyone = sample_of(records, scenario)
    answers = everyone.answers
    # what was under way then says nothing of before
    undisturbed = answers.where(~(answers.arrival + answers.response > times.begin))
    figures = _fared(undisturbed, "before", times.before) | _fared(answers, "after", times.after)
    recovery = _recovery(everyone, times)
    status = RECOVERED if math.isfinite(recovery) else RECOVERING if _draining(records, times) else STUCK
    figures |= {"recovery": recovery if math.isfinite(recovery) else math.inf, "status": status}
    for name, clock in _clocks(everyone).items():
        figures |= _state(clock, name, times.after)
    return JobResult(figures, frozenset(), Columns(), records.fingerprint(), records.duration)


def perform_staircase(job: Job, tick: Tick, *, dwell: float) -> JobResult:
    """How a run fared on each step, in the second half of it."""
    from sim.metrics.sample import sample_of

    scenario = _with_rows(scenario_of(job))
    records = simulated(scenario, job, tick)
    answers, figures = sample_of(records, scenario).answers, dict[str, float]()
    for step in range(round((records.duration - records.warmup) / dwell)):
        begin = records.warmup + step * dwell
        figures |= _fared(answers, f"step {step}", (begin + dwell / 2, begin + dwell))
    return JobResult(figures, frozenset(), Columns(), records.fingerprint(), records.duration)


def _with_rows(scenario: Scenario) -> Scenario:
    """What was under way at a moment, and what was answered then, only rows can tell."""
    return scenario.model_copy(update={"record": scenario.record.model_copy(update={"keep": "rows"})})


def _fared(everyone: Judged, when: str, span: tuple[float, float]) -> dict[str, float]:
    """How many arrived then, their success share and p99; answers that came then, against arrivals, and good ones per
    second.
    """
    from sim.metrics.sample import in_time
    from sim.stats.quantile import quantile
    from sim.vocabulary import Outcome

    begin, end = span
    its = everyone.arrived(begin, end)
    answered = everyone.arrival + everyone.response
    then = everyone.where((answered >= begin) & (answered < end))
    judged = int(its.judged.sum())
    return {
        f"success {when}": float((its.judged & its.served).sum()) / judged if judged else math.nan,
        f"p99 {when}": quantile(its.response[its.good], 0.99),
        f"answered {when}": float(then.served.sum()) / its.size if its.size else math.nan,
        f"goodput {when}": float((then.ended(Outcome.OK) & in_time(then.response, then.latency_objective)).sum())
        / (end - begin),
        f"requests {when}": float(its.size),
    }


def _clocks(everyone: Sample) -> dict[str, Clock]:
    """Response, and completion where orders have effects."""
    from sim.metrics.resilience import completion_clock, response_clock

    return {
        "response": response_clock(everyone.answers),
        **({"completion": completion_clock(everyone.orders)} if everyone.orders.size else {}),
    }


def _state(clock: Clock, name: str, span: tuple[float, float]) -> dict[str, float]:
    """Success share and p95 on one clock of those that arrived then."""
    from sim.stats.quantile import quantile

    then = (clock.arrival >= span[0]) & (clock.arrival < span[1])
    judged = int((then & clock.judged).sum())
    share = float((then & clock.success).sum()) / judged if judged else math.nan
    return {f"share {name}": share, f"p95 {name}": quantile(clock.latency[then & ~np.isnan(clock.latency)], 0.95)}


def is_as_without(run: Mapping[str, float], without: Sequence[Mapping[str, float]]) -> bool:
    """Whether a run fares long after its stressor as runs of the same load without one: success share and p95 within 5
    % of the worst of them.

    A small system is never quite the same for a whole minute, so that `recovery_time` may miss that it came back; on
    the same luck its last requests are answered as if nothing had been.
    """
    names = [key.removeprefix("p95 ") for key in run if key.startswith("p95 ")]
    return all(
        run[f"share {name}"] >= (1 - TOLERANCE) * min(other[f"share {name}"] for other in without)
        and run[f"p95 {name}"] <= (1 + TOLERANCE) * max(other[f"p95 {name}"] for other in without)
        for name in names
    )


def _recovery(everyone: Sample, times: Times) -> float:
    """By the rule of `recovery_time`, on the later of the two clocks; inf: not by the end, nan: nothing was well
    before.
    """
    from sim.metrics.resilience import recovery_time

    found = [recovery_time(clock, times.before, times.end, times.duration) for clock in _clocks(everyone).values()]
    return (
        max(found[0], *(value for value in found[1:] if not math.isnan(value)), 0.0)
        if not math.isnan(found[0])
        else math.nan
    )


def _draining(records: Records, times: Times) -> bool:
    """Whether what is inside, in flight or in a backlog of messages, falls beyond doubt, and fast enough."""
    levels = [
        index
        for index, series in enumerate(records.series)
        if series.quantity.split()[0] in ("in_flight", "lag", "outbox")
    ]
    watch = times.duration - times.end
    late = records.ticks > times.end + watch / 2
    ticks, inside = records.ticks[late], records.gauges[late][:, levels].sum(axis=1)
    if ticks.size < 4:
        return False
    batches = min(_BATCHES, ticks.size)
    at, level = _means(ticks, batches), _means(inside, batches)
    slope, error = _slope(at, level)
    return slope + 3 * error < 0 and level[-1] < -slope * PATIENCE * watch


def _means(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.array([part.mean() for part in np.array_split(values, count)])


def _slope(at: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[float, float]:
    """Of the line through the values, and its standard error."""
    spread = at - at.mean()
    total = float((spread**2).sum())
    slope = float((spread * values).sum()) / total
    rest = values - values.mean() - slope * spread
    return slope, math.sqrt(float((rest**2).sum()) / max(1, values.size - 2) / total)
