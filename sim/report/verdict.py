"""The verdict in words: what is better, what is worse and what cannot be told apart, only as far as the intervals
allow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sim.experiments.replicating.results import Comparison, VariantResult, undecided
from sim.report.table import found_in
from sim.report.words import (
    better_direction,
    count_of,
    label_of,
    listed,
    show,
    show_bounds,
    show_difference,
    would_have_shown,
)
from sim.stats.interval import Difference, Interval
from sim.vocabulary import split_key, unit_of

_HEADLINES = (
    "availability",
    "response_p50",
    "response_p95",
    "response_p99",
    "completion_p50",
    "completion_p95",
    "completed",
    "goodput",
    "lost_orders",
    "double_charges",
    "charged_not_reserved",
    "charged_after_failure",
    "oversold_items",
    "recovery_time",
    "wasted_work",
    "amplification",
    "cost_per_thousand",
)
_SENTENCES = {
    "lost_orders": "lost {} against {} orders",
    "double_charges": "charged twice {} against {} times",
    "charged_after_failure": "charged {} against {} customers after telling them of a failure",
    "charged_not_reserved": "charged {} against {} orders without a reservation",
    "oversold_items": "sold {} against {} items that were not there",
    "wasted_work": "spent {} against {} of all work on callers who had given up",
}
_LISTS = ("better", "worse", "equal", "same", "few", "open")
_Side = tuple[VariantResult, Interval]
_SIGN_TEST = 6  # replications from which "never in all of them, always in the other" is no luck: 2 * 0.5**6 < 0.05


@dataclass(frozen=True)
class Judgement:
    """One variant against the baseline, clause by clause."""

    variant: str
    baseline: str
    better: tuple[str, ...]
    worse: tuple[str, ...]
    equal: tuple[str, ...] = ()  # names only: the same in every replication
    same: tuple[str, ...] = ()  # no significant difference, and which would have been seen
    few: tuple[str, ...] = ()  # too few replications to judge
    open: tuple[str, ...] = ()  # names only: cut off by the end of the run, so that nothing can be said
    identical: bool = False  # every request was the same

    def __str__(self) -> str:
        said = ((words, "; ".join(clauses)) for words, clauses in (("better", self.better), ("worse", self.worse)))
        parts = [f"{words}: {clauses}" for words, clauses in (*said, *self.remarks()) if clauses]
        if self.identical:
            parts = [f"identical to {self.baseline}: every request the same", *parts]
        return f"{self.variant} against {self.baseline}: {'. '.join(parts) or 'nothing to compare'}."

    def remarks(self) -> Iterator[tuple[str, str]]:
        """What is neither better nor worse, by what can be said of it; of what is identical its being equal goes
        without saying.
        """
        found = {
            "the same in every replication": () if self.identical else self.equal,
            "no significant difference": self.same,
            "too few replications to judge": self.few,
            "undecided, being cut off by the end of the run": self.open,
        }
        yield from ((words, listed(list(clauses))) for words, clauses in found.items() if clauses)


def judge(comparison: Comparison) -> tuple[Judgement, ...]:
    """A judgement for every variant but the baseline."""
    base = comparison.variants[comparison.baseline]
    return tuple(
        _judged(comparison, base, variant)
        for name, variant in comparison.variants.items()
        if name != comparison.baseline
    )


def verdict(comparison: Comparison) -> tuple[str, ...]:
    """Sentences: what the intervals allow to say of each variant, then of the expectations."""
    sentences = [str(judgement) for judgement in judge(comparison)] if comparison.judged else []
    if not comparison.judged:
        what = "no paired differences" if comparison.method.interval == "batch means" else "no intervals"
        sentences.append(
            f"One replication gives {what}: these figures are one draw of luck, and no verdict. Run more replications."
        )
    return (*sentences, *expectations_in_words(comparison))


def expectations_in_words(comparison: Comparison) -> tuple[str, ...]:
    """How many expectations hold, and each that does not."""
    every = [(name, judged) for name, variant in comparison.variants.items() for judged in variant.verdicts]
    failed = [(name, judged) for name, judged in every if not judged.passed]
    if not every:
        return ()
    if not failed:
        return ("The one expectation holds." if len(every) == 1 else f"All {len(every)} expectations hold.",)
    fails = "; ".join(
        f"{name}: {judged.text} ({found_in(judged.text, judged.value, judged.reason)})" for name, judged in failed
    )
    return (
        f"{len(failed)} of {count_of(len(every), 'expectation')} {'fails' if len(failed) == 1 else 'fail'}: {fails}.",
    )


def not_seen(found: Mapping[str, Difference]) -> Iterator[str]:
    """Of the headline figures those that do not differ significantly, with the difference that would have shown; by
    what can be said of them.
    """
    headings = {
        "not significant": "no significant difference",
        "few": "too few replications to judge",
        "equal": "the same",
        "open": "not judged",
    }
    for finding, heading in headings.items():
        names = [
            _with_detectable(key, found[key]) for key in _HEADLINES if key in found and found[key].finding == finding
        ]
        if names:
            yield f"{heading}: {listed(names)}"


def _with_detectable(key: str, difference: Difference) -> str:
    words = would_have_shown(difference, unit_of(key))
    return f"{label_of(key)} ({words})" if words else label_of(key)


def _judged(comparison: Comparison, base: VariantResult, variant: VariantResult) -> Judgement:
    lists: dict[str, list[str]] = {name: [] for name in _LISTS}
    for key in _keys(variant):
        before, after = base.metrics.get(key), variant.metrics[key]
        if any(undecided(side.metrics, key) for side in (base, variant)):
            lists["open"].append(label_of(key))
            continue
        if before is None or math.isnan(before.value) or math.isnan(after.value):
            continue
        difference = comparison.differences.get(variant.name, {}).get(key)
        where, clause = _clause(
            key, (base, before), (variant, after), difference, 1 if comparison.method.exact else _SIGN_TEST
        )
        if where:
            lists[where].append(clause)
    clauses = {name: tuple(found) for name, found in lists.items()}
    return Judgement(variant.name, base.name, identical=variant.fingerprint == base.fingerprint, **clauses)


def _keys(variant: VariantResult) -> list[str]:
    """Headline metrics over all routes, and recovery of every fault on both clocks."""
    return [
        key
        for name in _HEADLINES
        for key in variant.metrics
        if split_key(key)[0] == name and (key == name if name != "recovery_time" else True)
    ]


def _clause(key: str, base: _Side, other: _Side, difference: Difference | None, proof: int) -> tuple[str, str]:
    """Which list a metric belongs to, and what to say; '' where there is nothing to say.

    So many replications are `proof` that never is no luck.
    """
    before, after, name = base[1], other[1], label_of(key)
    if math.isinf(before.value) or math.isinf(after.value):
        return _never(key, base, other, proof)
    if difference is None or (before.value == 0 and after.value == 0):
        return "", ""
    if difference.finding != "significant":
        return _not_seen(key, before, after, difference)
    if (
        (before.censored and difference.value > 0)
        or (after.censored and difference.value < 0)
        or (before.censored and after.censored)
    ):
        return "open", name
    better = (difference.value < 0) == (better_direction(key) == "lower")
    texts = show_bounds(after, unit_of(key)), show_bounds(before, unit_of(key))
    sentence = _SENTENCES.get(split_key(key)[0])
    clause = sentence.format(*texts) if sentence else f"{name} {texts[0]} against {texts[1]}"
    # the intervals overlap, yet the paired difference is clear: say so
    if before.low <= after.high and after.low <= before.high:
        clause += f", a paired difference of {show_difference(difference, unit_of(key))}"
    return "better" if better else "worse", clause + _factor(key, before, after)


def _not_seen(key: str, before: Interval, after: Interval, difference: Difference) -> tuple[str, str]:
    """What is not significant: equal, or too small to be seen in so many replications, or not to be judged at all."""
    where, name, unit = (
        {"not significant": "same"}.get(difference.finding, difference.finding),
        label_of(key),
        unit_of(key),
    )
    if where in ("equal", "open"):
        return where, name
    parts = [f"{show(after.value, unit)} against {show(before.value, unit)}"] if where == "few" else []
    parts += [words] if (words := would_have_shown(difference, unit)) else []
    return where, f"{name} ({', '.join(parts)})" if parts else name


def _never(key: str, base: _Side, other: _Side, proof: int) -> tuple[str, str]:
    """One of the two never got there, in some replications or in all of them."""
    name = label_of(key)
    shares = [_never_in(variant, key) for variant, _ in (base, other)]
    (never_before, before_of), (never_after, after_of) = shares
    clear = {(before_of, 0): "better", (0, after_of): "worse"}.get((never_before, never_after), "")
    if clear and min(before_of, after_of) < proof:
        return "few", name
    if clear:
        texts = [
            "never" if count else show_bounds(figure, unit_of(key))
            for count, figure in ((never_after, other[1]), (never_before, base[1]))
        ]
        return clear, f"{name} {texts[0]} against {texts[1]}"
    return ("equal" if (never_before, never_after) == (before_of, after_of) else "open"), name


def _never_in(variant: VariantResult, key: str) -> tuple[int, int]:
    """Replications that never got there, and how many there were."""
    if key not in variant.per_replication.columns:
        return (int(math.isinf(variant.metrics[key].value)), 1)
    sample = variant.per_replication[key].dropna()
    return int(sum(math.isinf(value) for value in sample)), len(sample)


def _factor(key: str, before: Interval, after: Interval) -> str:
    """`, 10 times less` where the ratio says more than the two figures."""
    if unit_of(key) not in ("s", "1/s", "cost") or before.value <= 0 or after.value <= 0:
        return ""
    ratio = after.value / before.value
    words = "at least " if before.censored or after.censored else ""
    if ratio >= 1.5:
        return f", {words}{_two_digits(ratio)} times as much"
    return f", {words}{_two_digits(1 / ratio)} times less" if ratio <= 1 / 1.5 else ""


def _two_digits(number: float) -> str:
    """`4.7`, `27`, `1,200`: a number above 1 to two digits, without an exponent."""
    return f"{number:.2g}" if number < 99.5 else f"{float(f'{number:.2g}'):,.0f}"
