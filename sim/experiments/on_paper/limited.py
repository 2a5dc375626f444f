"""What rate limits let pass on paper: whose requests count together, how many they are, and the share of them that
passes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sim.experiments.on_paper.partition_shares import user_shares
from sim.experiments.on_paper.refusals import refused_share
from sim.spec.gateway import RateLimit
from sim.spec.routing import Part
from sim.spec.scenario import Scenario
from sim.spec.sites import Limit
from sim.spec.traffic import Traffic

SINGLE = ("user", "ip")  # keys that tell the users of one traffic apart

Group = tuple[str, ...]  # the traffic, route or header value that counts together, as far as the limit tells them apart


@dataclass(frozen=True)
class Counted:
    """The part of one traffic on one route that belongs to one group of a limit."""

    traffic: str
    route: str
    group: Group
    share: float  # of the requests of that traffic on that route


def arrives_at_random(scenario: Scenario) -> bool:
    """Whether arrivals are taken as Poisson ones; those of closed users and of a clock do not bunch."""
    return all(traffic.arrivals.bunched for traffic in scenario.traffic.values())


def passed_by(
    limit: Limit, traffic: Mapping[str, Mapping[str, Part]], rates: Mapping[str, Mapping[str, float]], random: bool
) -> dict[tuple[str, str], float]:
    """(traffic, route) -> the share that this limit lets pass, where so many requests per second come to it.

    Users who share an address count as one; a limit by address, user and consumer takes one traffic at a time.
    """
    parts = [
        part
        for name, its in traffic.items()
        for route in limit.routes
        if route in its
        for part in counted(limit.spec, name, its[route].traffic, route)
    ]
    totals: dict[Group, float] = {}
    for part in parts:
        totals[part.group] = totals.get(part.group, 0.0) + rates[part.traffic].get(part.route, 0.0) * part.share
    kept: dict[tuple[str, str], float] = {}
    for part in parts:
        key = part.traffic, part.route
        passes = _share(limit, traffic[part.traffic][part.route].traffic, totals[part.group], random)
        kept[key] = kept.get(key, 1.0) - part.share * (1.0 - passes)
    return kept


def counted(limit: RateLimit, name: str, traffic: Traffic, route: str) -> Iterator[Counted]:
    """The parts of one traffic on one route that a limit tells apart; those that it does not count are left out."""
    base: list[str] = [route] if "route" in limit.keys else []
    if "traffic" in limit.keys or _by_user(limit, traffic):
        base.append(name)
    elif "consumer" in limit.keys:
        base.append(traffic.consumer or name)
    for values, share in _header_parts(limit, traffic):
        if share > 0.0:
            yield Counted(name, route, (*base, *values), share)


def let_pass(limit: RateLimit, replicas: int, rate: float, random: bool) -> float:
    """The share that a limit lets pass under one key at so many per second: of Poisson arrivals, or of arrivals that do
    not bunch.
    """
    nodes = replicas if limit.scope == "node" else 1
    if rate <= 0.0:
        return 1.0
    return 1.0 - refused_share(limit, rate / nodes) if random else min(1.0, nodes * limit.rate / rate)


def _by_user(limit: RateLimit, traffic: Traffic) -> bool:
    return bool(set(limit.keys) & set(SINGLE)) or ("consumer" in limit.keys and traffic.consumer is None)


def _share(limit: Limit, traffic: Traffic, total: float, random: bool) -> float:
    """Of a group as a whole, or of each of the users in it by itself."""
    if not _by_user(limit.spec, traffic):
        return let_pass(limit.spec, limit.replicas, total, random)
    shares = user_shares(traffic)
    if limit.spec.anonymous == "free" and not shares:
        return 1.0
    if "ip" in limit.spec.keys and traffic.users is not None and traffic.users.addresses is not None:
        shares = [(1.0 / traffic.users.addresses, traffic.users.addresses)]
    each = _alike(shares) or [(1.0, 1.0)]
    return sum(share * count * let_pass(limit.spec, limit.replicas, total * share, random) for share, count in each)


def _header_parts(limit: RateLimit, traffic: Traffic) -> Sequence[tuple[tuple[str, ...], float]]:
    """Values of the header that it counts by, each with its share of the requests to which `when` applies."""
    share = 1.0
    for header, wanted in limit.when.items():
        share *= sum(part for value, part in traffic.values_of(header).items() if value in wanted)
    if limit.header is None:
        return [((), share)]
    if limit.header in limit.when:
        wanted = limit.when[limit.header]
        return [((value,), part) for value, part in traffic.values_of(limit.header).items() if value in wanted]
    return [((value,), part * share) for value, part in traffic.values_of(limit.header).items()]


def _alike(groups: Sequence[tuple[float, int]]) -> list[tuple[float, float]]:
    """The same in as many groups as there are shares that differ by more than 2 %."""
    found: list[tuple[float, float]] = []
    first = math.inf
    for share, count in groups:
        if found and share > 0.98 * first:
            mean, so_far = found[-1]
            found[-1] = (mean * so_far + share * count) / (so_far + count), so_far + count
        else:
            found.append((share, float(count)))
            first = share
    return found
