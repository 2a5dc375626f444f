"""Whose a request is: what limits and priorities tell requests by. All of it follows from its traffic and its user.

Not modelled: addresses that change, proxies that hide them, forged headers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import accumulate

from sim.models.context import Context
from sim.models.draws import Draw
from sim.models.request import Request
from sim.spec.traffic import Traffic

Whose = Callable[[Request], Hashable | None]
"""A key of a request; None: it has none of the kind."""


class Identities:
    """What the requests of each traffic carry."""

    def __init__(self, context: Context, traffic: Mapping[str, Traffic]):
        self.context = context
        self.traffic = traffic
        self.names = context.recorder.names
        self._headers: dict[tuple[str, str], tuple[Draw, Sequence[str], Sequence[float]]] = {}

    def traffic_of(self, request: Request) -> str:
        """The name of its traffic."""
        return self.names[request.source]

    def user(self, request: Request) -> int | None:
        """The number of its user."""
        return request.user if request.user >= 0 else None

    def consumer(self, request: Request) -> Hashable | None:
        """The consumer that its traffic names; else its user."""
        return self.traffic[self.traffic_of(request)].consumer or self.user(request)

    def ip(self, request: Request) -> Hashable:
        """Its address: that of its user, of those with whom it shares one, or of all of a traffic without users."""
        name = self.traffic_of(request)
        users = self.traffic[name].users
        if request.user < 0:
            return name
        if users is None or users.addresses is None:
            return request.user
        return self.traffic[name].population(name), request.user % users.addresses

    def header(self, request: Request, header: str) -> str | None:
        """The value of this header, always the same for a user."""
        name = self.traffic_of(request)
        spec = self.traffic[name].headers.get(header)
        if spec is None or isinstance(spec, str):
            return spec
        draw, values, bounds = self.drawn(name, header, spec)
        return values[
            min(bisect_right(bounds, draw(request.user if request.user >= 0 else request.id, 0)), len(values) - 1)
        ]

    def has(self, request: Request, wanted: Mapping[str, Sequence[str]]) -> bool:
        """Whether each of these headers has one of these values."""
        return all(self.header(request, header) in values for header, values in wanted.items())

    def key_of(self, word: str, header: str | None = None) -> Whose:
        """What `user`, `consumer`, `ip`, `traffic` or `header` reads of a request."""
        if word == "header":
            assert header is not None
            return lambda request: self.header(request, header)
        readers: dict[str, Whose] = {
            "user": self.user,
            "consumer": self.consumer,
            "ip": self.ip,
            "traffic": self.traffic_of,
        }
        return readers[word]

    def drawn(self, name: str, header: str, shares: Mapping[str, float]) -> tuple[Draw, Sequence[str], Sequence[float]]:
        """Which users have which value, and up to which draw: by a stream of its own for each population and header."""
        if (name, header) not in self._headers:
            stream = f"traffic.{self.traffic[name].population(name)}.header.{header}"
            total = sum(shares.values()) or 1.0
            bounds = list(accumulate(share / total for share in shares.values()))
            self._headers[name, header] = (self.context.uniform(stream), list(shares), bounds)
        return self._headers[name, header]
