"""The warnings of `sim check` about what kernels keep of connections."""

from __future__ import annotations

from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.policies.connecting import FIRST_PAUSE
from sim.spec.base import UNLIMITED
from sim.spec.gateway import Gateway
from sim.spec.service import Service
from sim.units import show_duration

GATEWAY = "gateway"


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


def _host(view: View, name: str) -> Service | Gateway | None:
    return view.scenario.gateway if name == GATEWAY else view.scenario.services.get(name)


def _place(name: str) -> str:
    return GATEWAY if name == GATEWAY else f"services.{name}.queue"
