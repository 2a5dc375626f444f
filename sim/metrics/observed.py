"""What a run showed, read from its records once for all its figures. What is *not* here: any figure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sim.metrics.departures import Departures
from sim.metrics.sample import Sample, sample_of
from sim.records.tables import Records
from sim.spec.scenario import Scenario


@dataclass(frozen=True)
class Observed:
    """The requests of a run, and what left it. It takes half as much memory as the rows that it was read from."""

    everyone: Sample  # warm-up included
    counted: Sample  # who arrived in the window [warmup, duration)
    departures: Departures
    window: tuple[float, float]

    @cached_property
    def counted_in_order(self) -> Sample:
        """Those of the window in the order of arrival."""
        return self.counted if self.counted.in_order else self.everyone.by_arrival.arrived(*self.window)


def observe(records: Records, scenario: Scenario) -> Observed:
    """Read the records. Whoever asks for several of figures, timeline and intervals hands this to each of them."""
    everyone, window = sample_of(records, scenario), (records.warmup, records.duration)
    return Observed(everyone, everyone.arrived(*window), Departures(records, scenario, everyone), window)
