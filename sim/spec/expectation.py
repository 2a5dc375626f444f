"""What a scenario expects of itself: `p99(response, POST /orders) < 800ms`, judged after a run as k6 judges
thresholds.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sim import units
from sim.errors import UsageError, did_you_mean
from sim.spec.references import Finding
from sim.spec.scenario import Scenario
from sim.spec.sites import bulkheads, limits, pools
from sim.spec.view import ViewRead
from sim.spec.walk import visits
from sim.vocabulary import METRICS, Metric, Outcome, base_of

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
STATISTICS = ("mean", "p50", "p90", "p95", "p99", "p999")
CLOCKS = ("response", "response_all", "completion")
_RECOVERY_CLOCKS = ("response", "completion")
_FORM = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*", re.ASCII)
_LONGEST = 1000  # characters


@dataclass(frozen=True)
class Expectation:
    """One sentence of `expect`.

    `metric_key` is the key under which results hold the figure: `response_p99(POST /orders)`.
    """

    text: str
    metric_key: str
    operator: str
    threshold: float  # in the unit of the metric: seconds, shares, per second

    def holds(self, value: float, noise: float = 0.0) -> bool:
        """Whether the figure meets the threshold, to which it is equal where they differ by no more than `noise`; no
        data (nan) never does.
        """
        found = self.threshold if abs(value - self.threshold) <= noise else value
        return not math.isnan(value) and OPERATORS[self.operator](found, self.threshold)


def expectations(scenario: Scenario) -> tuple[Expectation, ...]:
    """All expectations of a scenario; a ValueError where one makes no sense (the loader tells those as problems)."""
    return tuple(parse_expectation(text, scenario) for text in scenario.expect)


def expectation_problems(scenario: Scenario) -> list[Finding]:
    """The expectations that make no sense for this scenario."""
    findings = []
    for index, text in enumerate(scenario.expect):
        try:
            parse_expectation(text, scenario)
        except ValueError as error:
            findings.append(Finding(("expect", index), f"{text.strip()[:100]}: {error}"))
    return findings


def parse_expectation(text: str, scenario: Scenario) -> Expectation:
    """The meaning of one expectation, every name in it looked up."""
    match = _FORM.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError(
            "expected METRIC OPERATOR THRESHOLD, such as p99(response, POST /orders) < 800ms; operators are < <= > >= "
            "== !="
        )
    word, label, sign, threshold = match[1], match[2], match[3], match[4]
    key, metric = _metric(word, label, scenario)
    return Expectation(text.strip(), key, sign, _threshold(threshold, metric))


def metric_key(text: str, scenario: Scenario) -> str:
    """The key of a metric as a user writes it (`p99(response)`, `utilisation(payments)`); a UsageError where there is
    no such thing.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", text, re.ASCII) if len(text) <= _LONGEST else None
    try:
        if match is None:
            raise ValueError("expected a metric such as response_p99 or p99(response, POST /orders)")
        return _metric(match[1], match[2], scenario)[0]
    except ValueError as error:
        raise UsageError(f"{units.shown(text)}: {error}") from None


def amount(text: str, key: str) -> float:
    """An amount of the metric with this key, in its unit: `10ms` of response_p99, `0.5%` of availability."""
    try:
        return _threshold(text.strip(), METRICS[base_of(key)])
    except ValueError as error:
        raise UsageError(f"{key}: {error}") from None


def _metric(word: str, label: str | None, scenario: Scenario) -> tuple[str, Metric]:
    """The key and the metric of `word(label)`."""
    if word in STATISTICS:
        clock, _, rest = (label or "").partition(",")
        if clock.strip() not in CLOCKS:
            raise ValueError(
                f"{word} is of {', '.join(CLOCKS)}: found "
                f"{units.shown(clock.strip() or None)}{_mean(clock.strip(), CLOCKS)}"
            )
        word, label = f"{clock.strip()}_{word}", rest.strip() or None
    metric = METRICS.get(word)
    if metric is None:
        examples = ", expected one such as p99(response), availability or lost_orders"
        raise ValueError(f"unknown metric '{word}'{_mean(word, (*METRICS, *STATISTICS)) or examples}")
    return _key(metric, label.strip() if label is not None else None, scenario), metric


def _key(metric: Metric, label: str | None, scenario: Scenario) -> str:
    """`name` or `name(label)`, the label looked up.

    Only of routes a metric exists without a label: then it is of all.
    """
    if not metric.labels:
        if label is not None:
            raise ValueError(f"{metric.name} takes nothing in brackets")
        return metric.name
    kind = metric.labels[0]
    known = _known(kind, scenario)
    if not label:
        if metric.overall:
            return metric.name
        raise ValueError(f"{metric.name} needs a {kind} in brackets{did_you_mean('', known)}")
    if "clock" in metric.labels:
        return f"{metric.name}({_with_clock(label, kind, known)})"
    return f"{metric.name}({_looked_up(label, kind, known)})"


def _with_clock(label: str, kind: str, known: set[str]) -> str:
    """`fault` or `fault, completion`; the clock of the response goes without saying."""
    if label in known:
        return label
    name, comma, clock = label.rpartition(",")
    if not comma:
        return _looked_up(label, kind, known)
    if clock.strip() not in _RECOVERY_CLOCKS:
        raise ValueError(
            f"found {units.shown(clock.strip())}, expected response or "
            f"completion{_mean(clock.strip(), _RECOVERY_CLOCKS)}"
        )
    fault = _looked_up(name.strip(), kind, known)
    return fault if clock.strip() == "response" else f"{fault}, completion"


def _looked_up(word: str, kind: str, known: set[str]) -> str:
    if word not in known:
        raise ValueError(
            f"unknown {kind} '{word}'{did_you_mean(word, known) if known else f'; the scenario has no {kind}'}"
        )
    return word


def _known(kind: str, scenario: Scenario) -> set[str]:
    """What may stand in the brackets of a metric."""
    if kind == "route":
        return {target for traffic in scenario.traffic.values() for target in traffic.mix} | set(
            scenario.gateway.routes if scenario.gateway else ()
        )
    if kind == "fault":
        return {fault.name or "" for fault in scenario.faults}
    if kind == "service":
        return {*scenario.services, *(["gateway"] if scenario.gateway is not None else [])}
    if kind == "station":
        topics = {
            f"{consume.group} {topic}"
            for service in scenario.services.values()
            for topic, consume in service.consumes.items()
        }
        places = (*bulkheads(scenario), *pools(scenario))
        return {*_known("service", scenario), *topics, *(its.name for its in places), *limits(scenario)}
    if kind == "view":
        return {visit.step.name for visit in visits(scenario) if isinstance(visit.step, ViewRead)}
    if kind == "group":
        return {consume.group for service in scenario.services.values() for consume in service.consumes.values()}
    return {outcome.word for outcome in Outcome} if kind == "outcome" else set()


def _threshold(text: str, metric: Metric) -> float:
    """The threshold in the unit of the metric."""
    number = _number(text)
    if metric.unit == "s":
        return 0.0 if number == 0 else units.duration(text)
    if metric.unit == "share":
        return units.share(text if number is None else number)
    if metric.unit == "1/s":
        return units.rate(text)
    if number is None or not abs(number) < 1e300:
        raise ValueError(f"found {units.shown(text)}, expected a plain number: {metric.name} has no unit")
    return number


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", text) else None


def _mean(word: str, known: Iterable[str]) -> str:
    """Only a near word, never the whole list."""
    hint = did_you_mean(word, known)
    return hint if "mean" in hint else ""
