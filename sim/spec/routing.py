"""Which route of the gateway takes a request that several of them match, and how many each gets on paper.

The order is that of Kong's traditional router (kong/router/traditional.lua, sort_categories and sort_routes): first the
routes that ask for more kinds of things (hosts and headers), of equally many those that ask for hosts, then those
whose hosts have no wildcard, then those that ask for more headers, then the one that stands first (created_at there).
Methods and paths are in the name that all of them match, and are the same. Values are compared without regard to case,
and a wildcard stands for one character at least, whatever comes before it (`.+\\.example\\.com$`).

Not modelled: ports in hosts, patterns of headers (`~*`), and that Kong's index of header names may prefer a younger
route to an older one that asks for as many headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sim.spec.gateway import Gateway, Route
from sim.spec.traffic import Traffic

HOST = "host"
MOST_NARROWER = 12  # of one name: on paper every set of them is looked at


@dataclass(frozen=True)
class Condition:
    """What one header must be."""

    header: str
    values: tuple[str, ...]

    def accepts(self, value: str) -> bool:
        """Whether this value of the header will do; the empty text stands for none."""
        return any(self.is_met(wanted, value) for wanted in self.values)

    def is_met(self, wanted: str, value: str) -> bool:
        """Whether this value is the one that is wanted."""
        if self.header == HOST and "*" in wanted:
            return re.search(_pattern(wanted), value.lower()) is not None
        return wanted == value.lower()

    def accepted(self, traffic: Traffic) -> tuple[str, ...]:
        """The values that clients of this traffic send and that will do."""
        return tuple(value for value in traffic.values_of(self.header) if value and self.accepts(value))


def conditions(route: Route) -> tuple[Condition, ...]:
    """What a request must carry for a route that takes part of what another one gets."""
    hosts = (Condition(HOST, tuple(host.lower() for host in route.hosts)),) if route.hosts else ()
    return hosts + tuple(
        Condition(header, tuple(value.lower() for value in values)) for header, values in route.headers.items()
    )


def narrower(gateway: Gateway | None) -> dict[str, tuple[str, ...]]:
    """Route -> those that take part of what is sent to it, in the order in which they are asked."""
    if gateway is None:
        return {}
    found: dict[str, list[str]] = {}
    for name, route in gateway.routes.items():
        if route.matches is not None:
            found.setdefault(route.matches, []).append(name)
    return {target: tuple(sorted(its, key=lambda name: _rank(gateway.routes[name]))) for target, its in found.items()}


def entered(gateway: Gateway | None, mix: Iterable[str]) -> tuple[str, ...]:
    """All that requests which are sent to these may come to."""
    behind = narrower(gateway)
    return tuple(name for target in mix for name in (target, *behind.get(target, ())))


@dataclass(frozen=True)
class Part:
    """What of a traffic comes to one route, or endpoint."""

    share: float  # of the requests of the traffic
    traffic: Traffic  # as if all of it came there: the headers are those of this part


def parts(gateway: Gateway | None, traffic: Traffic) -> dict[str, Part]:
    """Where the requests of a traffic come to, by the shares of their headers, which are drawn apart."""
    found: dict[str, Part] = {}
    behind = narrower(gateway)
    for target, share in traffic.mix.items():
        names = behind.get(target, ())
        if gateway is None or not names:
            found[target] = Part(share, traffic)
            continue
        asked = [conditions(gateway.routes[name]) for name in names]
        shares = _first_that_match(asked, traffic)
        for place, name in enumerate((*names, target)):
            found[name] = Part(share * shares[place], _of_part(asked, traffic, place, shares[place]))
    return found


def _rank(route: Route) -> tuple[int, bool, bool, int]:
    kinds = bool(route.hosts) + bool(route.headers)
    return -kinds, not route.hosts, any("*" in host for host in route.hosts), -len(route.headers)


def _pattern(host: str) -> str:
    return re.escape(host).replace(r"\*", ".+") + "$"


def _headers_of(asked: Sequence[Sequence[Condition]]) -> Iterator[str]:
    yield from dict.fromkeys(condition.header for each in asked for condition in each)


def _first_that_match(asked: Sequence[Sequence[Condition]], traffic: Traffic) -> list[float]:
    """The share of each, that of those which none of them takes last.

    Requests that are still good for the same ones are counted together, header by header.
    """
    alive = {(1 << len(asked)) - 1: 1.0}
    for header in _headers_of(asked):
        good: dict[int, float] = {}
        for value, share in traffic.values_of(header).items():
            mask = sum(1 << place for place, each in enumerate(asked) if _lets(each, header, value))
            good[mask] = good.get(mask, 0.0) + share
        further: dict[int, float] = {}
        for before, part in alive.items():
            for mask, share in good.items():
                further[before & mask] = further.get(before & mask, 0.0) + part * share
        alive = further
    shares = [0.0] * (len(asked) + 1)
    for mask, part in alive.items():
        first = (mask & -mask).bit_length() - 1
        shares[first] += part  # none: -1, the last
    return shares


def _lets(asked: Sequence[Condition], header: str, value: str) -> bool:
    return all(condition.accepts(value) for condition in asked if condition.header == header)


def _of_part(asked: Sequence[Sequence[Condition]], traffic: Traffic, place: int, whole: float) -> Traffic:
    """The traffic with the headers that those have which come to one of the routes, each header by itself."""
    if whole <= 0.0:
        return traffic
    headers = dict(traffic.headers)
    for header in _headers_of(asked):
        if isinstance(said := traffic.headers.get(header), str) or said is None:
            continue
        each = {}
        for value, share in traffic.values_of(header).items():
            only = traffic.model_copy(update={"headers": {**traffic.headers, header: value}})
            each[value] = share * _first_that_match(asked, only)[place] / whole
        headers[header] = each
    return traffic.model_copy(update={"headers": headers})
