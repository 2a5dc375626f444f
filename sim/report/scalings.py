"""How services grew and shrank by themselves, as moments of the story."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sim.records.tables import Records
from sim.report.words import clock, count_of
from sim.vocabulary import EventKind

MOST = 6  # times that are told of one service


class Way(NamedTuple):
    """Changes one way, without one back between them."""

    service: str
    began: float  # s
    ended: float  # s
    before: int  # replicas wanted
    after: int


def ways_of(records: Records) -> list[Way]:
    """All of them, service by service."""
    wanted: dict[str, list[tuple[float, int]]] = {}
    for row in records.events[records.events["kind"] == EventKind.SCALED]:
        wanted.setdefault(records.names[row["subject"]], []).append((float(row["time"]), int(row["value"])))
    found: list[Way] = []
    for service, changes in wanted.items():
        ways: list[Way] = []
        before = _at_first(records, service)
        for time, after in changes:
            if ways and (after > before) == (ways[-1].after > ways[-1].before):
                ways[-1] = ways[-1]._replace(ended=time, after=after)
            else:
                ways.append(Way(service, time, time, before, after))
            before = after
        found += ways
    return found


def _at_first(records: Records, service: str) -> int:
    """How many were wanted at time 0."""
    names = [(series.component, series.quantity) for series in records.series]
    return int(records.gauges[0][names.index((service, "replicas_wanted"))])


def scalings(records: Records) -> Iterator[tuple[float, str]]:
    """(time, sentence), the first few of each service."""
    told: dict[str, int] = {}
    for service, began, ended, before, after in ways_of(records):
        told[service] = told.get(service, 0) + 1
        if told[service] > MOST:
            continue
        word = "grows" if after > before else "shrinks"
        until = f" up to {clock(ended)}" if ended > began else ""
        more = " and goes on changing" if told[service] == MOST else ""
        yield began, f"{service} {word} from {before} to {count_of(after, 'replica')}{until}{more}."
