"""Whose requests are, as rows: consumers, addresses and headers, their texts as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.compiled import identities as words
from sim.compiled.draw_rows import row_of
from sim.compiled.rows import identities as rows
from sim.compiled.wiring.found import Filled, Found, fractions, whole_numbers
from sim.models.identity import Identities

if TYPE_CHECKING:
    from sim.compiled.wiring.places import Places

WORDS = {
    "endpoint": words.BY_ENDPOINT,
    "traffic": words.BY_TRAFFIC,
    "user": words.BY_USER,
    "consumer": words.BY_CONSUMER,
    "header": words.BY_HEADER,
    "ip": words.BY_ADDRESS,
    "route": words.BY_ROUTE,
}
NO_KEY = int(words.NO_KEY)


class IdentityTables:
    """Their rows."""

    def __init__(self, places: Places):
        self.places = places
        self.models = Identities(places.world, places.scenario.traffic)
        self.identities, self.readers, self.headers = Found(rows.Identity), Found(rows.Reader), Found(rows.Header)
        self.bounds: list[float] = []
        self.values: list[int] = []
        self._texts: dict[str, int] = {}
        self._populations: dict[str, int] = {}
        self._readers: dict[tuple[str, str | None], int] = {}
        self._headers: dict[str, int] = {}
        for workload in places.world.workloads:
            self._identity(workload.name)

    def _identity(self, name: str) -> None:
        spec = self.places.scenario.traffic[name]
        population = spec.population(name)
        addresses = spec.users.addresses if spec.users is not None else None
        self.identities.add(
            consumer=self.consumer(spec.consumer) if spec.consumer else NO_KEY,
            addresses=addresses or 0,
            population=self._populations.setdefault(population, len(self._populations)),
        )

    def text(self, text: str) -> int:
        """The number of a text."""
        return self._texts.setdefault(text, len(self._texts))

    @property
    def texts(self) -> list[str]:
        """Those that are known so far, by number."""
        return list(self._texts)

    def consumer(self, name: str) -> int:
        """The number of a consumer with a name, apart from all users."""
        return -2 - self.text(name)

    def reader(self, word: str, header: str | None = None) -> int:
        """What reads this word of a request, and of which header."""
        if (word, header) not in self._readers:
            first = self.header(header) if header is not None else 0
            self._readers[word, header] = self.readers.add(word=int(WORDS[word]), first=first)
        return self._readers[word, header]

    def header(self, header: str) -> int:
        """Where the rows of a header begin, one for each workload."""
        if header not in self._headers:
            self._headers[header] = len(self.headers)
            for workload in self.places.world.workloads:
                self._header(workload.name, header)
        return self._headers[header]

    def _header(self, name: str, header: str) -> None:
        spec = self.places.scenario.traffic[name].headers.get(header)
        if spec is None or isinstance(spec, str):
            self.headers.add(value=NO_KEY if spec is None else self.text(spec))
            return
        draw, values, bounds = self.models.drawn(name, header, spec)
        first, count = len(self.bounds), len(values)
        self.headers.add(value=int(words.DRAWN), draw=row_of(draw), first=first, count=count)
        self.bounds += bounds
        self.values += [self.text(value) for value in values]

    def keys_of(self, word: str, name: str) -> Iterator[int]:
        """The numbers of all keys that are written so, of any word but endpoints and routes."""
        if word == "traffic":
            yield from (work.client.name_index for work in self.places.world.workloads if work.name == name)
            return
        if word == "header":
            yield self.text(name)
        if word == "consumer":
            yield self.consumer(name)
        if word in ("consumer", "user") and name.isdecimal() and str(int(name)) == name:
            yield int(name)
        if name == str(None):
            yield NO_KEY

    def tables(self) -> Filled:
        """As they are for the whole run."""
        yield rows.identities, self.identities.array()
        yield rows.readers, self.readers.array()
        yield rows.headers, self.headers.array()
        yield rows.header_bounds, fractions(self.bounds)
        yield rows.header_values, whole_numbers(self.values)
