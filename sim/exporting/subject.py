"""What is exported: a scenario, and where the format needs one a run of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from sim.errors import UsageError
from sim.experiments.replicating.results import Comparison, VariantResult
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.units import shown

# a run has no date; one that never changes gives the same file for the same run
BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
TABLES = ("requests", "messages")
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)  # nanoseconds fit into 64 bits


@dataclass(frozen=True)
class Subject:
    """One variant of a scenario; with `comparison` the run that it is read from."""

    name: str  # of the scenario
    variant: str
    scenario: Scenario
    comparison: Comparison | None = None
    every: bool = False  # all variants of the run, for formats that hold several
    table: str = "requests"  # one of TABLES, for formats of tables
    began: datetime = BEGIN  # the date that the start of the run is given

    @property
    def title(self) -> str:
        """`payment-outage, sync`; the name alone where the scenario has one variant without a name of its own."""
        return self.name if self.variant == "base" else f"{self.name}, {self.variant}"

    @property
    def run(self) -> Comparison:
        """The run; a UsageError where there is none."""
        if self.comparison is None:
            raise UsageError("found a scenario that was not run, expected a run of it")
        return self.comparison

    @property
    def result(self) -> VariantResult:
        """The variant in the run."""
        return self.run.variants[self.variant]

    @property
    def results(self) -> list[VariantResult]:
        """The variants that are exported, for formats that hold several."""
        return list(self.run.variants.values()) if self.every else [self.result]

    @property
    def records(self) -> Records:
        """What happened in replication 0 of the variant."""
        return self.result.records

    @cached_property
    def epoch(self) -> int:
        """Nanoseconds from 1970 to the start of the run."""
        since = self.began - _FIRST
        return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000

    def nanoseconds(self, seconds: float) -> int:
        """A time of the run (seconds since its start) in nanoseconds since 1970."""
        return self.epoch + round(seconds * 1e9)


def moment_of(text: str) -> datetime:
    """The date and time of an ISO 8601 text, in UTC where it names no zone; a ValueError where it is none between 1970
    and 2200.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"found {shown(text)}, expected a date such as 2026-01-31T09:00:00Z") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if not _FIRST <= moment < _LAST:
        raise ValueError(f"found {shown(text)}, expected a date between 1970 and 2200")
    return moment


def known(number: float) -> float | None:
    """The number, or None where it is none that other formats have (nan, infinite)."""
    return float(number) if math.isfinite(number) else None
