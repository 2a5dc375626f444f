"""How much of the load each thread of an event loop gets on paper where connections are pinned to them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding, Station
from sim.experiments.on_paper.partition_shares import HEAD, Shares, popularity_shares
from sim.spec.gateway import Gateway
from sim.spec.service import Service
from sim.spec.sites import GATEWAY
from sim.spec.traffic import Traffic, first_users
from sim.units import show_share

FULL = 1.0
UNEVEN = 1.05  # times the even share, from which one is named


def hot_loops(view: View) -> Iterator[Finding]:
    """Threads that have more to do than they can, though all of them together have not."""
    for station in view.load.stations:
        host = view.scenario.gateway if station.name == GATEWAY else view.scenario.services.get(station.name)
        if host is None or not host.pinned or station.resource != "workers":
            continue
        shares = loop_shares(view, station, host)
        times = float(shares.max()) * len(shares)
        if times < UNEVEN or station.utilisation_peak >= FULL or times * station.utilisation_peak < FULL:
            continue
        yield Finding(
            GATEWAY if station.name == GATEWAY else f"services.{station.name}",
            f"its busiest loop has {show_share(times * station.utilisation_peak)} of what it can do at the peak, and "
            f"all together {show_share(station.utilisation_peak)}",
            "connections are pinned to loops, and some bring more than others: those that share a loop with them wait "
            "though others are idle; `pinned: false`, or more connections for whoever sends much, spreads it",
        )


def loop_shares(view: View, station: Station, host: Service | Gateway) -> Shares:
    """The share of the requests of a host that each of its loops gets, the same in all replicas: users go round the
    loops, the k-th to the k-th of them. Who comes without a user, or calls from another service, comes by any.
    """
    loops = host.workers
    shares, known = np.zeros(loops), 0.0
    firsts = first_users(view.scenario.traffic)
    for name, traffic in view.scenario.traffic.items():
        asked = view.analysis.sent_peak.get(name, 0.0) * sum(
            share for target, share in traffic.mix.items() if _asks(station.name, host, target)
        )
        if traffic.people and asked > 0.0:
            shares += asked * _of_users(traffic, firsts[name], loops)
            known += asked
    rest = max(0.0, station.rate_peak - known)
    return np.asarray((shares + rest / loops) / max(known + rest, 1e-300))


def _asks(name: str, host: Service | Gateway, target: str) -> bool:
    return target in host.routes if isinstance(host, Gateway) else target.partition(".")[0] == name


def _of_users(traffic: Traffic, first: int, loops: int) -> Shares:
    """The share of each loop of what a traffic sends whose users are numbered from `first`, most popular first."""
    groups = popularity_shares(traffic.users) or [(1.0 / traffic.people, traffic.people)]
    weights = [share for share, count in groups for _ in range(min(count, HEAD))][:HEAD]
    found = np.bincount((first + np.arange(len(weights))) % loops, weights=weights, minlength=loops)
    return np.asarray(found + max(0.0, 1.0 - found.sum()) / loops)
