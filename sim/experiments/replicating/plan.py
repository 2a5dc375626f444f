"""How many replications an experiment takes, by which rule, and which intervals its figures get: what a call asks for,
checked before anything runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral

from sim.errors import UsageError, did_you_mean
from sim.experiments.replicating.method import ORDINARY
from sim.spec.expectation import amount, metric_key
from sim.spec.scenario import Scenario
from sim.stats.selection import FIRST
from sim.units import shown
from sim.vocabulary import has_direction

REPLICATIONS = 10  # where nothing is said
CAP = 100  # where a rule decides, and nothing is said
PRECISE = "response_p99"  # what precision is of, where nothing is said


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`replications` is the number, or the cap where `precision` or `best` decides.

    Amounts may be text (10ms) or in base units.
    """

    replications: int | None = None
    only: int | None = None  # this one alone
    precision: float | None = None  # relative
    metrics: tuple[str, ...] = ()  # of the precision, as expectations write them
    best: str | None = None  # the metric by which the best variant is selected
    indifference: str | float | None = None
    confidence: float = ORDINARY
    interval: str = "t"
    rows: str = "first"  # of which replications they are kept: "first" or "all"

    def __post_init__(self) -> None:
        """Told at once, before anything runs."""
        if self.replications is not None and not isinstance(self.replications, Integral):
            raise UsageError(f"replications: found {self.replications!r}, expected a whole number")
        if self.replications is not None and self.replications < 1:
            raise UsageError(f"replications: found {self.replications}, expected at least 1")
        if self.only is not None and self.only < 0:
            raise UsageError(f"only-replication: found {self.only}, expected 0 or more")
        if not 0.5 <= self.confidence < 1.0:
            raise UsageError(f"confidence: found {self.confidence:g}, expected at least 50% and less than 100%")
        if self.interval not in ("t", "bootstrap"):
            raise UsageError(
                f"interval: unknown interval '{self.interval}'{did_you_mean(self.interval, ('t', 'bootstrap'))}"
            )
        if self.rows not in ("first", "all"):
            raise UsageError(f"rows: found '{self.rows}'{did_you_mean(self.rows, ('first', 'all'))}")
        self._check_rules()

    def _check_rules(self) -> None:
        rules = [name for name in ("only", "precision", "best") if getattr(self, name) is not None]
        if len(rules) > 1:
            raise UsageError(
                f"found {' and '.join({'only': 'only-replication'}.get(rule, rule) for rule in rules)} together, "
                "expected one of them"
            )
        if self.precision is not None and not 0.0 < self.precision < 1.0:
            raise UsageError(f"precision: found {self.precision:g}, expected a share between 0 and 1, such as 5%")
        if self.metrics and self.precision is None:
            raise UsageError("metric: found without precision, which it belongs to, such as --precision 5%")
        if (self.best is None) != (self.indifference is None):
            raise UsageError("best and indifference belong together: --best 'p99(response)' --indifference 10ms")
        if self.by_rule and self.most < FIRST:
            raise UsageError(f"replications: found a cap of {self.most}, expected at least {FIRST}: the first batch")

    @property
    def by_rule(self) -> bool:
        """Whether what is found decides how many replications there are."""
        return self.precision is not None or self.best is not None

    @property
    def most(self) -> int:
        """Replications of each variant at most."""
        if self.only is not None:
            return 1
        return self.replications if self.replications is not None else CAP if self.by_rule else REPLICATIONS

    @property
    def pilot(self) -> int:
        """Replications of the whole experiment as far as they are known before, of which the one that runs alone is
        one.
        """
        return self.replications if self.replications is not None else REPLICATIONS

    def keys(self, scenarios: Iterable[Scenario]) -> tuple[str, ...]:
        """The metrics of the precision."""
        known = list(scenarios)
        return tuple(dict.fromkeys(known_key(text, known) for text in self.metrics or (PRECISE,)))

    def best_key(self, scenarios: Iterable[Scenario]) -> str:
        """The metric of the selection, of which more or less must be better."""
        key = known_key(self.best or "", list(scenarios))
        if not has_direction(key):
            raise UsageError(f"best: neither more nor less of {key} is better in itself")
        return key

    def least_difference(self, key: str) -> float:
        """The indifference in the unit of the metric."""
        try:
            found = amount(self.indifference, key) if isinstance(self.indifference, str) else self.indifference
        except UsageError as error:
            raise UsageError(f"indifference: {error}") from None
        if found is None or not found > 0:
            raise UsageError(
                f"indifference: found {shown(self.indifference)}, expected more than 0: the smallest difference that "
                "matters"
            )
        return found


def known_key(text: str, scenarios: list[Scenario]) -> str:
    """The key of a metric that at least one of the scenarios has."""
    trouble: UsageError | None = None
    for scenario in scenarios:
        try:
            return metric_key(text, scenario)
        except UsageError as error:
            trouble = trouble or error
    raise trouble or UsageError(f"{text}: no scenario to look it up in")
