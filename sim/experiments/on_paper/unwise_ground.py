"""The warnings of `sim check` about what kernels keep of connections, and how much they let a process compute."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from sim.experiments.on_paper.calls import View, poisson_tail
from sim.experiments.on_paper.offered_load import Finding
from sim.policies.connecting import FIRST_PAUSE
from sim.spec.base import UNLIMITED
from sim.spec.fault import StoreDown
from sim.spec.gateway import Gateway
from sim.spec.service import Service
from sim.spec.sites import Limit, placed_limits
from sim.units import show_duration, show_share

GATEWAY = "gateway"
RARE = 0.001


def overflowing_backlogs(view: View) -> Iterator[Finding]:
    """Listen backlogs that are full at the peak, and how soon: what comes is more than what is done."""
    for station in view.load.stations:
        host = _host(view, station.name)
        if host is None or station.resource not in ("workers", "cores") or station.utilisation_peak <= 1.0:
            continue
        backlog, capacity = host.queue.listen_backlog, host.queue.capacity
        if backlog is None or capacity == UNLIMITED:
            continue
        each = host.replicas * (capacity + backlog + 1)
        seconds = each / (station.rate_peak * (1.0 - 1.0 / station.utilisation_peak))
        why = (
            "then SYNs are dropped: whoever connects waits 1, 3, 7 ... s for the next one, or until `connect_timeout`, "
            "while a process that accepts has room for others"
        )
        found = f"its listen backlog of {backlog:,} is full after {show_duration(seconds)} at the peak"
        yield Finding(_place(station.name), found, why)


def connects_without_backlog(view: View) -> Iterator[Finding]:
    """A `connect_timeout` that nothing can use up, or that ends before a SYN is sent again."""
    for edge in dict.fromkeys(view.edges):
        timeout = edge.policy.connect_timeout
        callee = _host(view, edge.target.partition(".")[0])
        if timeout is None or callee is None:
            continue
        if callee.queue.listen_backlog is None:
            yield Finding(
                edge.place,
                f"has a connect_timeout, and {edge.target.partition('.')[0]} no `queue: {{listen_backlog: ...}}`",
                "connections are accepted as they come there: it never waits for one",
            )
        elif timeout <= FIRST_PAUSE:
            yield Finding(
                edge.place,
                f"gives a connection {show_duration(timeout)}",
                "a SYN that is dropped is sent again after 1 s: whoever finds the backlog full is unreachable at once",
            )


def throttled_bursts(view: View) -> Iterator[Finding]:
    """CPU limits that a handful of threads use up long before their period is over, though they suffice on average.

    Of services in which so many compute at once now and then: with Poisson arrivals, in a thousandth of the time.
    """
    for name, service in view.scenario.services.items():
        cpu = service.cpu
        if cpu is None:
            continue
        load = view.analysis.computing(name, peak=True) / service.replicas
        if not 0.0 < load <= cpu.limit:
            continue
        most = min(service.cores or math.inf, service.workers if service.workers != UNLIMITED else math.inf)
        at_once = next(count for count in itertools.count(int(load)) if poisson_tail(count + 1, load) < RARE)
        threads = min(at_once, most)
        if threads <= cpu.limit:
            continue
        burst = cpu.quota / threads
        yield Finding(
            f"services.{name}.cpu",
            f"{threads:g} threads at once use up its {show_duration(cpu.quota)} in {show_duration(burst)}",
            f"then all stand still for the other {show_duration(cpu.period - burst)} of the period, though "
            f"{show_share(load / cpu.limit)} of the limit are used on average: a tail that no utilisation shows",
        )


def limits_without_store(view: View) -> Iterator[Finding]:
    """What an outage of the store of a rate limit does to every request that it counts."""
    outages = [fault for fault in view.scenario.faults if isinstance(fault, StoreDown)]
    placed = {its.place: its for its in placed_limits(view.scenario)}
    for limit, fault in ((limit, fault) for limit in placed.values() for fault in outages):
        store = limit.spec.store
        if store is None or store.name != fault.store:
            continue
        found, why = f"in {fault.name} no request is decided", ""
        host = _host(view, limit.owner)
        if fault.how == "hang":
            at_once = _asked(view, limit) * store.timeout
            found = f"in {fault.name} every request waits {show_duration(store.timeout)} for it"
            found += f", {at_once:.3g} at once on average" if at_once else ""
            why = "each holds a worker meanwhile; then " if host and host.concurrency == "threads" else "then "
        passes = "it passes, however many there are: nobody is limited"
        why += passes if store.fault_tolerant else "it is an error (500): the outage of the store is one of all"
        yield Finding(f"{limit.place}.store", found, why)


def _asked(view: View, limit: Limit) -> float:
    """Requests per second that a limit of a service counts at the peak; 0 where that is not known on paper."""
    rates = view.analysis.rates_peak.endpoints
    return math.fsum(rates.get(place, 0.0) for place in limit.routes)


def _host(view: View, name: str) -> Service | Gateway | None:
    return view.scenario.gateway if name == GATEWAY else view.scenario.services.get(name)


def _place(name: str) -> str:
    return GATEWAY if name == GATEWAY else f"services.{name}.queue"
