"""When stations stood still: faults that freeze all of one, and pauses of single replicas."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.vocabulary import EventKind

Spell = tuple[float, float]  # (begin, end), s


class Freezes:
    """Of all stations of a run."""

    def __init__(self, scenario: Scenario, records: Records) -> None:
        self._found: dict[str, list[Spell]] = {}  # by station, or `station[replica]`
        for name, spell in (*_of_faults(scenario, records), *_of_pauses(scenario, records)):
            self._found.setdefault(name, []).append(spell)
        self._merged: dict[tuple[str, int], list[Spell]] = {}

    def within(self, station: str, replica: int, begin: float, until: float) -> float:
        """For how many seconds of this time a replica stood still; -1: it is not known which one."""
        if not self._found:
            return 0.0
        key = station, replica
        if key not in self._merged:
            every = (*self._found.get(station, ()), *self._found.get(f"{station}[{replica}]", ()))
            self._merged[key] = merged(every)
        spells = self._merged[key]
        frozen = 0.0
        for start, end in spells[max(0, bisect_right(spells, (begin, math.inf)) - 1) :]:
            if start >= until:
                break
            frozen += max(0.0, min(until, end) - max(begin, start))
        return frozen


def merged(spells: Iterable[Spell]) -> list[Spell]:
    """In the order of time; those that overlap are one."""
    found: list[Spell] = []
    for start, end in sorted(spells):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _of_faults(scenario: Scenario, records: Records) -> Iterator[tuple[str, Spell]]:
    """As the scenario has them, or, where chance had its say, the event log."""
    for fault in scenario.faults:
        times = [(fault.at, fault.at + fault.lasts if fault.lasts is not None else math.inf)] if fault.freezes else []
        if fault.inner is not None and fault.inner.freezes:
            events = records.events[[records.names[about] == fault.inner_name for about in records.events["subject"]]]
            begun, ended = (
                events["time"][events["kind"] == kind].tolist()
                for kind in (EventKind.FAULT_BEGAN, EventKind.FAULT_ENDED)
            )
            times = list(zip_longest(begun, ended, fillvalue=math.inf))
        yield from ((name, spell) for spell in times for name in fault.befalls)


_ENDS = (EventKind.REPLICA_CRASHED, EventKind.REPLICA_STOPPED)


def _of_pauses(scenario: Scenario, records: Records) -> Iterator[tuple[str, Spell]]:
    """Each with the length that the event log says, or until its replica was gone."""
    if all(service.pauses is None for service in scenario.services.values()):
        return
    on: dict[str, Spell] = {}
    for event in records.events:
        name, time = records.names[event["subject"]], float(event["time"])
        if event["kind"] == EventKind.REPLICA_PAUSED:
            if name in on:
                yield name, on[name]
            on[name] = time, time + float(event["value"])
        elif event["kind"] in _ENDS and name in on:
            begin, end = on.pop(name)
            yield name, (begin, min(end, time))
    yield from on.items()
