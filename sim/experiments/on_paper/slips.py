"""Words and shares of a study that are probably not meant as they stand: names that nothing refers to, shares that do
not add up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sim.errors import nearest
from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.experiments.on_paper.places import specs_within
from sim.spec.arrivals import Replay
from sim.spec.document import Location, dotted
from sim.spec.measured import Mixture
from sim.spec.named import Named, named_things
from sim.spec.scenario import Scenario
from sim.units import show_share

ROUNDING = 0.002  # by which shares that were rounded may miss 100 %
_MISSING = {
    "policy": "`policy:` in a call",
    "route": "target in `sends`",
    "endpoint": "call",
    "topic": "`publish` or `consumes`",
    "broker": "topic",
}


def unreferenced(scenarios: Mapping[str, Scenario]) -> Iterator[tuple[Finding, list[str]]]:
    """Names to which nothing refers in any of the variants that have them, and these variants.

    Services are told of by `idle_services`.
    """
    unused: dict[Location, tuple[Named, list[str]]] = {}
    used: set[Location] = set()
    names: dict[Location, set[str]] = {}  # by the map that they stand in
    for variant, scenario in scenarios.items():
        for thing in named_things(scenario):
            names.setdefault(thing.at[:-1], set()).add(thing.name)
            if thing.used:
                used.add(thing.at)
            elif thing.what in _MISSING:
                unused.setdefault(thing.at, (thing, []))[1].append(variant)
    for at, (thing, variants) in unused.items():
        if at not in used:
            meant = nearest(thing.name, names[at[:-1]] - {thing.name})
            why = f"it has no effect; is a {_MISSING[thing.what]} missing" + (
                f", or is '{meant}' meant?" if meant else "?"
            )
            yield (
                Finding(dotted(at), f"nothing refers to the {thing.what} '{thing.name}'", why, kind="unreferenced"),
                variants,
            )


def shares_of_sends(view: View) -> Iterator[Finding]:
    """Mixes whose shares are no whole."""
    for name, traffic in view.scenario.traffic.items():
        recorded = isinstance(traffic.arrivals, Replay) and traffic.arrivals.route is not None
        if (
            isinstance(traffic.sends, dict)
            and not recorded
            and abs((total := sum(traffic.sends.values())) - 1.0) > ROUNDING
        ):
            taken = ", ".join(f"{target} {show_share(share)}" for target, share in list(traffic.mix.items())[:5])
            yield Finding(
                f"traffic.{name}.sends",
                f"the shares add up to {show_share(total)}, not to 100%",
                f"they are taken as weights: {taken}",
            )


def shares_of_mixtures(view: View) -> Iterator[Finding]:
    """Mixtures with percentages that are no whole."""
    for place, mixture in specs_within("", view.scenario, Mixture):
        if mixture.percentages is not None and abs(mixture.percentages - 1.0) > ROUNDING:
            taken = ", ".join(map(show_share, mixture.weights[:5]))
            yield Finding(
                place,
                f"the weights add up to {show_share(mixture.percentages)}, not to 100%",
                f"they are taken as {taken}",
            )
