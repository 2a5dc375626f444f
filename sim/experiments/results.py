"""What an experiment answers: one VariantResult per variant, and the Comparison that sets them side by side."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.spec.study import Study
from sim.stats.interval import Difference, Interval


@dataclass(frozen=True)
class Verdict:
    """One expectation, judged. No data fails."""

    text: str
    value: float  # mean over replications, base units; nan: no data; inf: never
    passed: bool
    reason: str = ""  # why it failed where the value alone does not say (no data, censored)


@dataclass(frozen=True)
class VariantResult:
    """One variant over all replications."""

    name: str
    scenario: Scenario
    metrics: dict[str, Interval]  # by metric key: "response_p99", "response_p99(POST /orders)", "recovery_time(payments outage)"
    per_replication: pd.DataFrame  # one row per replication, one column per metric key
    verdicts: tuple[Verdict, ...]
    records: Records  # replication 0, whole: the exemplar that charts and the event log show
    timeline: pd.DataFrame  # by time (bucket start, s): mean over replications of rates, percentiles, outcomes, gauges
    fingerprint: str  # of all replications


@dataclass(frozen=True)
class Comparison:
    """All variants on common random numbers; the first is the baseline."""

    study: Study
    engine: str
    seed: int
    replications: int
    variants: dict[str, VariantResult]
    differences: dict[str, dict[str, Difference]]  # variant (not the baseline) -> metric key -> variant - baseline
    fingerprint: str

    @property
    def baseline(self) -> str:
        """Name of the first variant."""
        return next(iter(self.variants))

    @property
    def passed(self) -> bool:
        """Whether every expectation of every variant holds."""
        return all(verdict.passed for variant in self.variants.values() for verdict in variant.verdicts)
