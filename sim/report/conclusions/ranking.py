"""Which variants are ahead of which, criterion by criterion, only as far as the intervals allow.

Every variant is compared with every other one, on paired differences of common random numbers, all pairs and criteria
judged together by Holm's correction: the table of a report compares with the baseline only, and says nothing about two
variants that both differ from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sim.experiments.replicating.comparison import resamples_of
from sim.experiments.replicating.metric_kinds import additions_of, nature_of
from sim.experiments.replicating.results import Comparison, VariantResult, undecided
from sim.report.words import better_direction
from sim.stats.interval import Difference
from sim.stats.paired import differences
from sim.vocabulary import split_key

CRITERIA = (
    "availability",
    "lost_orders",
    "double_charges",
    "charged_not_reserved",
    "charged_after_failure",
    "oversold_items",
    "response_p95",
    "completion_p95",
    "goodput",
    "recovery_time",
    "cost_per_thousand",
)


@dataclass(frozen=True)
class Standing:
    """How the variants stand in one criterion that tells at least two of them apart."""

    key: str
    behind: Mapping[str, frozenset[str]]  # every variant that has a figure -> those that are certainly better

    @property
    def leaders(self) -> tuple[str, ...]:
        """Those behind nobody."""
        return tuple(name for name, better in self.behind.items() if not better)

    @property
    def beaten(self) -> tuple[str, ...]:
        """Those behind somebody."""
        return tuple(name for name, better in self.behind.items() if better)


@dataclass(frozen=True)
class Ranking:
    """All criteria that tell variants apart."""

    variants: tuple[str, ...]
    standings: tuple[Standing, ...]
    unjudged: tuple[str, ...] = ()  # criteria in which some pair has too few replications to be judged

    def defeats(self, name: str) -> tuple[str, ...]:
        """The criteria in which somebody is certainly better than this variant."""
        return tuple(standing.key for standing in self.standings if standing.behind.get(name))

    def ahead(self, name: str, other: str) -> tuple[str, ...]:
        """The criteria in which a variant is certainly better than another one."""
        return tuple(standing.key for standing in self.standings if name in standing.behind.get(other, ()))

    @property
    def unbeaten(self) -> tuple[str, ...]:
        """Variants that nobody beats in anything."""
        return tuple(name for name in self.variants if not self.defeats(name))

    def dominated(self, name: str) -> str:
        """Another variant that is better in something and worse in nothing; '' where there is none."""
        return next(
            (
                other
                for other in self.variants
                if other != name and self.ahead(other, name) and not self.ahead(name, other)
            ),
            "",
        )


def rank(comparison: Comparison) -> Ranking:
    """The standings of all criteria; empty where nothing can be judged."""
    names = tuple(comparison.variants)
    keys = _criteria(comparison.variants)
    if not comparison.judged:
        return Ranking(names, ())
    found = _pairs(comparison, keys)
    standings = []
    for key in keys:
        known = [name for name in names if _known(comparison.variants[name], key)]
        behind = {
            name: frozenset(other for other in known if other != name and _ahead(found, other, name, key))
            for name in known
        }
        if any(behind.values()):
            standings.append(Standing(key, behind))
    unjudged = {key for (_, _, key), difference in found.items() if difference.finding == "few"}
    return Ranking(names, tuple(standings), tuple(key for key in keys if key in unjudged))


def _criteria(variants: Mapping[str, VariantResult]) -> list[str]:
    """The keys of the criteria, over all routes; recovery from every fault on both clocks."""
    every = list(dict.fromkeys(key for variant in variants.values() for key in variant.metrics))
    return [key for name in CRITERIA for key in every if split_key(key)[0] == name and name in (key, "recovery_time")]


def _known(variant: VariantResult, key: str) -> bool:
    figure = variant.metrics.get(key)
    return figure is not None and not math.isnan(figure.value) and undecided(variant.metrics, key) is None


def _pairs(comparison: Comparison, keys: Sequence[str]) -> dict[tuple[str, str, str], Difference]:
    """(one, other, key) -> the paired difference one - other."""
    results = comparison.variants
    wanted = {
        (one, other, key): (results[one], results[other])
        for one, other in combinations(results, 2)
        for key in keys
        if _known(results[one], key) and _known(results[other], key)
    }
    exemplars = [result.records for result in results.values()]
    additions, duration = max(map(additions_of, exemplars)), max(records.duration for records in exemplars)
    named = {"\0".join(which): (which[2], pair) for which, pair in wanted.items()}
    found = differences(
        {name: _figures(pair, key, 0) for name, (key, pair) in named.items()},
        {name: _figures(pair, key, 1) for name, (key, pair) in named.items()},
        comparison.method.confidence,
        variant_censored={name for name, (key, pair) in named.items() if pair[0].metrics[key].censored},
        baseline_censored={name for name, (key, pair) in named.items() if pair[1].metrics[key].censored},
        resamples=resamples_of(comparison.method.interval, comparison.seed),
        natures={name: nature_of(key, duration, additions) for name, (key, _) in named.items()},
        exact=comparison.method.exact,
    )
    return {which: found["\0".join(which)] for which in wanted}


def _figures(pair: tuple[VariantResult, VariantResult], key: str, side: int) -> Sequence[float]:
    """The figures of one side, in the replications that both have: all begin with the same one."""
    shared = min(len(result.figures) for result in pair)
    return [float(value) for value in pair[side].figures[key][:shared]]


def _ahead(found: Mapping[tuple[str, str, str], Difference], one: str, other: str, key: str) -> bool:
    """Whether `one` is certainly better than `other`."""
    for pair, sign in (((one, other, key), 1), ((other, one, key), -1)):
        if (difference := found.get(pair)) is not None and difference.significant:
            return (sign * difference.value < 0) == (better_direction(key) == "lower")
    return False
