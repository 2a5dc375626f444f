"""More or less load: one factor on all open arrivals of a scenario, as settings that anybody can repeat.

Closed users are left alone: how much they send is up to the system. A recording of timestamps is played faster, and so
ends sooner.
"""

from __future__ import annotations

from collections.abc import Mapping

from sim.errors import UsageError
from sim.spec.base import word_of
from sim.spec.scenario import Scenario
from sim.spec.traffic import Arrivals, Closed, MarkovModulated, Replay


def load_settings(scenario: Scenario, factor: float, variant: str) -> tuple[str, ...]:
    """PATH=VALUE for each open traffic of this variant; none for a factor of 1."""
    found = {
        name: traffic.arrivals for name, traffic in scenario.traffic.items() if not isinstance(traffic.arrivals, Closed)
    }
    if not found:
        raise UsageError(
            "load: all traffic is of closed users, who send as they are answered; vary their number: --over "
            "traffic.NAME.arrivals.closed.users=..."
        )
    if factor == 1.0:
        return ()
    return tuple(
        f"variants.{variant}.traffic.{name}.arrivals.{_scaled(name, arrivals, factor)}"
        for name, arrivals in found.items()
    )


def _scaled(name: str, arrivals: Arrivals, factor: float) -> str:
    word = word_of(arrivals)
    if isinstance(arrivals, MarkovModulated):
        return f"mmpp.rates=[{', '.join(f'{rate * factor!r}/s' for rate in arrivals.rates)}]"
    if isinstance(arrivals, Replay) and not arrivals.is_series:
        return f"replay.speed={arrivals.speed * factor!r}"
    fields: Mapping[str, object] = type(arrivals).model_fields
    if "times" in fields:
        return f"{word}.times={getattr(arrivals, 'times') * factor!r}"  # noqa: B009 - a field that only some have
    if "rate" in fields:
        return f"{word}.rate={getattr(arrivals, 'rate') * factor!r}/s"  # noqa: B009 - a field that only some have
    raise UsageError(
        f"load: nobody knows how to scale the arrivals '{word}' of {name}: expected a field 'rate' or 'times'"
    )


def open_rate(scenario: Scenario) -> float:
    """Requests per second of all open traffic together, on average over the run."""
    from sim.chance.rates import mean_rate

    open_traffic = [traffic for traffic in scenario.traffic.values() if not isinstance(traffic.arrivals, Closed)]
    return sum(mean_rate(its.arrivals, 0.0, scenario.duration) * its.requests_each for its in open_traffic)
