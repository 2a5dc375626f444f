"""Who calls, performs, publishes to or needs a token of whom, and whether that ever ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from sim.spec.actions import Calls, Performs, Publishes
from sim.spec.document import Location
from sim.spec.scenario import Scenario
from sim.spec.sites import reached
from sim.spec.step import Call
from sim.spec.walk import Visit, consumer_of


def endless_loop(scenario: Scenario, visits: Sequence[Visit]) -> tuple[Location, str] | None:
    """One loop of calls, where its first step stands, or None. A loop through a topic feeds itself for ever as well.

    Does not model an end that chance brings: a loop that is left with some probability is refused too, and so is one
    through a request for a token, though calls that have theirs do not ask.
    """
    edges = {(visit.owner, target): (visit.at, verb) for visit in visits for target, verb in _targets(scenario, visit)}
    graph: dict[str, list[str]] = {}
    for owner, target in edges:
        graph.setdefault(owner, []).append(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return _told(list(reversed(error.args[1])), edges)  # graphlib tells a cycle from callee to caller
    return None


def _targets(scenario: Scenario, visit: Visit) -> Iterator[tuple[str, str]]:
    """What a step sets off, and by which verb."""
    if isinstance(visit.step, Call) and visit.step.token is not None:
        yield visit.step.token.provider, "needs a token of"
    for action in visit.step.actions or ():
        match action:
            case Calls(endpoint):
                yield endpoint, "calls"
            case Performs(endpoint):
                yield endpoint, "performs"
            case Publishes(topic):
                for source in reached(scenario, topic):
                    yield from (
                        (consumer_of(service, source), "publishes to")
                        for service, spec in scenario.services.items()
                        if source in spec.consumes
                    )


def _told(cycle: list[str], edges: dict[tuple[str, str], tuple[Location, str]]) -> tuple[Location, str]:
    """`orders.create calls payments.charge, which calls orders.create`, from the link that stands first in the file."""
    links = list(pairwise(cycle))
    order = list(edges)
    start = min(range(len(links)), key=lambda index: order.index(links[index]))
    links = links[start:] + links[:start]
    chain = ", which ".join(
        [f"{links[0][0]} {edges[links[0]][1]} {links[0][1]}", *(f"{edges[link][1]} {link[1]}" for link in links[1:])]
    )
    return edges[links[0]][0], chain
