"""More or less load: one factor on all open arrivals of a scenario, as settings that anybody can repeat.

Closed users are left alone: how much they send is up to the system. A recording of timestamps is played faster, and so
ends sooner.
"""

from __future__ import annotations

from sim.errors import UsageError
from sim.spec.arrivals import Arrivals
from sim.spec.base import word_of
from sim.spec.scenario import Scenario


def load_settings(scenario: Scenario, factor: float, variant: str) -> tuple[str, ...]:
    """PATH=VALUE for each open traffic of this variant; none for a factor of 1."""
    found = {name: traffic.arrivals for name, traffic in scenario.traffic.items() if not traffic.arrivals.population}
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
    word, setting = word_of(arrivals), arrivals.scaled(factor)
    if setting is not None:
        return f"{word}.{setting}"
    raise UsageError(
        f"load: nobody knows how to scale the arrivals '{word}' of {name}: expected a field 'rate' or 'times'"
    )


def open_rate(scenario: Scenario) -> float:
    """Requests per second of all open traffic together, on average over the run."""
    from sim.chance.rates import mean_rate

    open_traffic = [traffic for traffic in scenario.traffic.values() if not traffic.arrivals.population]
    return sum(mean_rate(its.arrivals, 0.0, scenario.duration) * its.requests_each for its in open_traffic)
