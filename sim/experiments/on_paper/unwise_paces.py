"""The warnings of `sim check` about replicas that are slow or stand still by themselves: `contention`, `pauses`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.contention import together_of
from sim.experiments.on_paper.offered_load import Finding
from sim.experiments.on_paper.times import Times
from sim.units import show_duration, show_share

FALLS = 0.05  # the part of its best that a replica must lose with all workers at work, so that it is told
OFTEN = 0.01  # of the pauses


def threads_beyond_the_peak(view: View) -> Iterator[Finding]:
    """More workers than do most together; and threads that nobody can be in the way of."""
    for name, service in view.scenario.services.items():
        its = together_of(service)
        if its is None:
            continue
        place = f"services.{name}.contention"
        if its.most <= 1:
            yield Finding(place, "says how threads slow one another, and there is one", "it slows nothing")
        elif math.isfinite(its.best) and its.work(its.most) < (1.0 - FALLS) * its.work(its.best):
            least = its.work(its.most)
            found = f"{its.best:g} threads at once do {its.work(its.best):.3g} times as much as one"
            if math.isinf(its.most):
                found += "; the more there are beyond these the less they do, and workers are unlimited"
            else:
                found += f", all {its.most:g} only {least:.3g} times"
            why = (
                "each one more slows all others: an overload makes the replica slower still, and it may stay so when "
                f"the load is back where it was. `workers: {its.best:g}`, or a limit before it, keeps it at its best"
            )
            yield Finding(place, found, why)


def pauses_beyond_timeouts(view: View) -> Iterator[Finding]:
    """Callers who give up before a pause is over."""
    for edge in dict.fromkeys(view.edges):
        pauses = view.scenario.services[edge.target.partition(".")[0]].pauses
        if pauses is None or edge.timeout is None:
            continue
        longer = Times().then(pauses.lasts).above(edge.timeout)
        if longer > OFTEN:
            yield Finding(
                edge.place,
                f"gives {edge.target} {show_duration(edge.timeout)}, and {show_share(longer)} of its pauses are longer",
                "all that is in the replica times out, and is worked off after the pause for callers who have gone",
            )


def pauses_beyond_checks(view: View) -> Iterator[Finding]:
    """Pauses in which a replica is taken for dead."""
    for name, service in view.scenario.services.items():
        checks = service.health_checks
        if service.pauses is None or checks is None:
            continue
        patience = checks.unhealthy_threshold * checks.interval
        longer = Times().then(service.pauses.lasts).above(patience)
        if longer > OFTEN:
            yield Finding(
                f"services.{name}.health_checks",
                f"{show_share(longer)} of the pauses last longer than {show_duration(patience)}, in which checks fail",
                "a replica is unhealthy for a pause, and the others have its load meanwhile",
            )
