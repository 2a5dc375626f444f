"""Whether a scenario can settle at all: what is steady has a warm-up to cut off; what ends, like a Black Friday, has
only a beginning.
"""

from __future__ import annotations

from sim.spec.arrivals import Arrivals, Profile, Replay
from sim.spec.scenario import Scenario


def unsteady_parts(scenario: Scenario) -> list[str]:
    """What keeps changing by the clock: faults, rate profiles, recordings.

    Empty where the load is steady. Stock that runs out is not seen.
    """
    parts = [f"the fault '{fault.name}'" for fault in scenario.faults]
    return parts + [
        f"the {what} of traffic '{name}'"
        for name, traffic in scenario.traffic.items()
        if (what := _changes(traffic.arrivals))
    ]


def _changes(arrivals: Arrivals) -> str:
    if isinstance(arrivals, Replay):
        return "recording"
    constant = isinstance(arrivals, Profile) and len(arrivals.segments) == 1 and arrivals.segments[0].rate is not None
    return "rate profile" if isinstance(arrivals, Profile) and not constant else ""
