"""What a sweep, a search for capacity, or one for the cheapest settings comes to, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from sim.experiments.searching.capacity_results import Capacity, Found
from sim.experiments.searching.cheapest import Cheapest
from sim.experiments.searching.documents import Answer
from sim.experiments.searching.sweep_results import Sweep
from sim.report.conclusions.best_where import TELLING, who_is_best
from sim.report.conclusions.comparing import HARMS
from sim.report.conclusions.conclusion import Conclusion
from sim.report.frame.blocks import Line
from sim.report.scaling import choice_in_words, parts_of
from sim.report.words import better_direction, count_of, label_of, listed, show, show_interval
from sim.vocabulary import unit_of


def conclude_search(answer: Answer) -> Conclusion:
    """The answer to any of the three."""
    if isinstance(answer, Sweep):
        return _sweep(answer)
    return _capacity(answer) if isinstance(answer, Capacity) else _cheapest(answer)


# ---- a sweep


def _sweep(sweep: Sweep) -> Conclusion:
    judged, several = any(sweep.verdicts.values()), len(sweep.variants) > 1
    if judged:
        sentence = f"{_all_holding(sweep)}."
    else:
        sentence = f"{who_is_best(sweep) if several else _ranging(sweep, sweep.variants[0])}."
    broken = [
        Line(f"{variant}: {text}.", "bad")
        for variant in sweep.variants
        if judged and (text := _breaking(sweep, variant))
    ]
    failed = [Line(f"{count_of(len(sweep.failures), 'run')} gave no result.", "bad")] if sweep.failures else []
    matters = [
        Line(f"{line}.")
        for title, _, remarks in parts_of(sweep)
        if title == "Sensitivity"
        for line in remarks.splitlines()
    ]
    return Conclusion(
        sentence if judged and several else f"{sentence[:1].upper()}{sentence[1:]}",
        [*failed, *broken, *_harms(sweep), *matters, *_laws(sweep)],
    )


def _all_holding(sweep: Sweep) -> str:
    """Where all expectations hold: of several variants those first that hold at the most points."""
    holds = {variant: _held(sweep, variant) for variant in sweep.variants}
    alike: dict[str, list[str]] = {}  # what is said of several variants is said once
    for variant in sorted(sweep.variants, key=lambda variant: -sum(holds[variant])):
        alike.setdefault(_holding(sweep, holds[variant]), []).append(variant)
    several = len(sweep.variants) > 1
    return "; ".join(f"{listed(names)}: {text}" if several else text for text, names in alike.items())


def _held(sweep: Sweep, variant: str) -> list[bool]:
    return [
        all(verdict.passed for verdict in sweep.verdicts.get((variant, point.number), ())) for point in sweep.points
    ]


def _holding(sweep: Sweep, holds: Sequence[bool]) -> str:
    if all(holds):
        return f"every expectation holds at all {count_of(len(holds), 'point')}"
    if not any(holds):
        return "the expectations hold together at no point"
    if len(sweep.axes) == 1:
        name, values = sweep.axes[0].label, [point.values[0] for point in sweep.points]
        first, last = holds.index(True), len(holds) - 1 - holds[::-1].index(True)
        if all(holds[first : last + 1]) and pd.api.types.is_numeric_dtype(sweep.settings.iloc[:, 0]):
            if last == len(holds) - 1:
                return f"every expectation holds from {name}={values[first]} on"
            return (
                "every expectation holds "
                f"{f'up to {name}=' if first == 0 else f'from {name}={values[first]} to '}{values[last]}"
            )
        return (
            "every expectation holds at "
            f"{name}={listed([value for value, held in zip(values, holds, strict=True) if held])} only"
        )
    return f"every expectation holds at {sum(holds)} of {count_of(len(holds), 'point')}"


def _breaking(sweep: Sweep, variant: str) -> str:
    """Which expectations fail, and at how many points."""
    failed: dict[str, int] = {}
    for point in sweep.points:
        for verdict in sweep.verdicts.get((variant, point.number), ()):
            if not verdict.passed:
                failed[verdict.text] = failed.get(verdict.text, 0) + 1
    texts = [
        f"{text} at {count_of(count, 'point')}" for text, count in sorted(failed.items(), key=lambda item: -item[1])
    ]
    return f"fails {listed(texts)}" if texts else ""


def _ranging(sweep: Sweep, variant: str) -> str:
    """The best and the worst of what a sweep is mostly made for."""
    said = []
    for key in TELLING:
        values = sweep.curve(variant, key)["value"].dropna()
        if values.empty or values.max() == values.min():
            continue
        lower = better_direction(key) == "lower"
        ordered = values.sort_values(ascending=lower)
        ends = [(float(ordered.iloc[place]), int(ordered.index.to_numpy()[place])) for place in (0, -1)]
        texts = [f"{show(value, unit_of(key))} at {_where(sweep, number)}" for value, number in ends]
        said.append(f"{label_of(key)} is between {texts[0]} and {texts[1]}")
    return ", ".join(said) or "nothing that was varied makes a difference to throughput or response p99"


def _where(sweep: Sweep, number: int) -> str:
    point = next(point for point in sweep.points if point.number == number)
    return ", ".join(f"{axis.label}={value}" for axis, value in zip(sweep.axes, point.values, strict=True))


def _harms(sweep: Sweep) -> Iterator[Line]:
    """What went wrong with orders and money at any point, expected or not."""
    for key, words in HARMS.items():
        if key not in sweep.runs.columns:
            continue
        means = sweep.runs[key].groupby(level=["variant", "point"], sort=False).mean()
        wrong = means[means > 0]
        if len(wrong):
            (variant, number), most = max(
                zip(wrong.index.to_flat_index(), wrong.to_list(), strict=True), key=lambda item: float(item[1])
            )
            worst = f"{show(most, '1')} of {variant} at {_where(sweep, number)}"
            yield Line(f"{words}: at {len(wrong)} of {count_of(len(means), 'point')}, most of all {worst}.", "bad")


def _laws(sweep: Sweep) -> Iterator[Line]:
    for fit in sweep.fits:
        law = fit.preferred
        if law is not None and math.isfinite(law.peak.value):
            who = f"{fit.variant}: " if len(sweep.variants) > 1 else ""
            peak = f"peaks at {fit.axis}={law.peak.value:.3g}, with {show(law.peak_throughput.value, '1/s')}"
            yield Line(f"{who}throughput {peak}, by the Universal Scalability Law; more is less beyond it.")


# ---- capacity


def _capacity(capacity: Capacity) -> Conclusion:
    points = [
        Line(f"{', '.join((found.variant, *found.settings.values()))}: {found.note}.")
        for found in capacity.found
        if found.note
    ]
    if capacity.axes:
        return Conclusion(_capacity_over(capacity), points)
    ordered = sorted(capacity.found, key=lambda found: -found.rate.value)
    if len(ordered) == 1:
        return Conclusion(_bears(ordered[0]), points)
    first, second = ordered[0], ordered[1]
    others = [Line(_bears(found)) for found in ordered]
    if first.rate.low > second.rate.high:
        times = (
            f"{first.rate.value / second.rate.value:.3g} times as much as {second.variant}, the next"
            if second.rate.value > 0
            else "the others nothing"
        )
        return Conclusion(f"{first.variant} bears most, {_rate(first)}: {times}.", [*others, *points])
    level = [found.variant for found in ordered if not found.rate.high < first.rate.low]
    return Conclusion(
        f"{listed(level)} bear about the same, {_rate(first)}: their intervals overlap.", [*others, *points]
    )


def _bears(found: Found) -> str:
    if not found.load.value > 0:
        return (
            f"{found.variant} bears no load at which every expectation holds; {found.breaks_first or 'nothing'} "
            "breaks first."
        )
    least = "at least " if found.load.censored else ""
    breaks = (
        f"; beyond it {found.breaks_first} breaks first"
        if found.breaks_first
        else "; nothing broke at the highest load that was tried"
    )
    return f"{found.variant} bears {_rate(found)}, {least}{found.load.value:.3g} times the load as written{breaks}."


def _rate(found: Found) -> str:
    return f"at least {show(found.rate.value, '1/s')}" if found.rate.censored else show_interval(found.rate, "1/s")


def _capacity_over(capacity: Capacity) -> str:
    """Over settings: the least and the most that each variant bears."""
    said = []
    for variant in capacity.variants:
        own = [found for found in capacity.found if found.variant == variant]
        least, most = min(own, key=lambda found: found.rate.value), max(own, key=lambda found: found.rate.value)
        said.append(f"{variant} bears from {_rate(least)} at {_settings(least)} to {_rate(most)} at {_settings(most)}")
    return f"{'; '.join(said)}."


def _settings(found: Found) -> str:
    return ", ".join(f"{name}={value}" for name, value in found.settings.items())


# ---- the cheapest


def _cheapest(cheapest: Cheapest) -> Conclusion:
    said: Sequence[str] = [choice_in_words(cheapest, choice) for choice in cheapest.choices]
    open_ones = [
        Line(
            f"{choice.variant}: cheaper ones hold by their means, but not beyond doubt: "
            f"{_combinations(choice.undecided)}; more replications would tell."
        )
        for choice in cheapest.choices
        if choice.undecided
    ]
    return Conclusion(f"{'; '.join(said)}.", open_ones)


def _combinations(settings: Sequence[dict[str, str]]) -> str:
    return listed([", ".join(f"{name}={value}" for name, value in one.items()) for one in settings[:3]])
