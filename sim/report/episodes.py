"""The event log put together: which breaker was open from when to when, spells with a beginning and an end, events in
clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.records.counted import answers
from sim.records.tables import Records
from sim.report.words import service_of
from sim.vocabulary import PASSED, EventKind, Outcome

Spell = tuple[float, float, bool]  # start, end, half-open
Pair = tuple[str, str]  # caller, callee

NOT_JUDGED = (Outcome.UNAUTHORIZED, Outcome.RATE_LIMITED, Outcome.IN_FLIGHT)  # meant so, or not known yet
ENOUGH = 10.0  # requests that a bucket holds on average, so that chance alone makes no spell
SHORTEST = 3  # buckets of a spell, and of the calm that ends it

_KINDS = (EventKind.BREAKER_OPENED, EventKind.BREAKER_HALF_OPENED, EventKind.BREAKER_CLOSED)


@dataclass(frozen=True)
class Episode:
    """A time in which at least one breaker between a caller and a callee was not closed."""

    start: float
    end: float
    breakers: int  # that took part
    spread: float  # from the first to the last of their first openings
    opened: int  # openings, first and repeated
    tries: int  # times half open
    first_try: float
    closed: bool  # before the end of the run

    @property
    def reopened(self) -> int:
        """Openings beyond the first of each breaker."""
        return self.opened - self.breakers


def breaker_spells(records: Records) -> dict[Pair, dict[str, list[Spell]]]:
    """(caller, callee) -> the breaker of each replica -> when it was open or half open."""
    names = (*records.names, "")
    state: dict[Pair, tuple[float, bool]] = {}
    found: dict[Pair, dict[str, list[Spell]]] = {}
    for row in records.events:
        if row["kind"] not in _KINDS:
            continue
        caller, callee, time = names[row["subject"]], names[row["object"]], float(row["time"])
        spells = found.setdefault((service_of(caller), callee), {}).setdefault(caller, [])
        if (caller, callee) in state:
            start, half = state.pop((caller, callee))
            spells.append((start, time, half))
        if row["kind"] != EventKind.BREAKER_CLOSED:
            state[caller, callee] = (time, bool(row["kind"] == EventKind.BREAKER_HALF_OPENED))
    for (caller, callee), (start, half) in state.items():
        found[service_of(caller), callee][caller].append((start, records.duration, half))
    return found


def breaker_episodes(records: Records) -> dict[Pair, list[Episode]]:
    """(caller, callee) -> its episodes: spells of all its breakers that touch or overlap are one."""
    return {
        pair: [_episode(group, records.duration) for group in _joined(breakers)]
        for pair, breakers in breaker_spells(records).items()
    }


def _joined(breakers: dict[str, list[Spell]]) -> list[list[tuple[str, Spell]]]:
    """Spells with the name of their breaker, in groups without a moment in which all are closed."""
    ordered = sorted(
        ((name, spell) for name, spells in breakers.items() for spell in spells), key=lambda item: item[1][:2]
    )
    groups: list[list[tuple[str, Spell]]] = []
    until = float("-inf")
    for item in ordered:
        if item[1][0] > until:
            groups.append([])
        groups[-1].append(item)
        until = max(until, item[1][1])
    return groups


def _episode(group: Sequence[tuple[str, Spell]], duration: float) -> Episode:
    first: dict[str, float] = {}
    for name, (start, _, _) in group:
        first.setdefault(name, start)
    tries = [start for _, (start, _, half) in group if half]
    end = max(end for _, (_, end, _) in group)
    opened = sum(not half for _, (_, _, half) in group)
    spread = max(first.values()) - min(first.values())
    return Episode(group[0][1][0], end, len(first), spread, opened, len(tries), min(tries, default=end), end < duration)


def spells_between(records: Records, began: EventKind, ended: EventKind) -> dict[str, list[tuple[float, float | None]]]:
    """Place -> spells from a beginning to the next end, all of a place together; None where the log names no end."""
    names = (*records.names, "")
    running: dict[str, set[Pair]] = {}
    found: dict[str, list[tuple[float, float | None]]] = {}
    for row in records.events:
        if row["kind"] not in (began, ended):
            continue
        who, time = (names[row["subject"]], names[row["object"]]), float(row["time"])
        place = service_of(who[0])
        active = running.setdefault(place, set())
        if row["kind"] == began:
            if not active:
                found.setdefault(place, []).append((time, None))
            active.add(who)
        else:
            active.discard(who)
            if not active and found.get(place):
                found[place][-1] = (found[place][-1][0], time)
    return found


@dataclass(frozen=True)
class Failing:
    """A time in which more than half of the requests that arrive fail."""

    start: float
    end: float | None  # None: to the end of the run
    share: float  # that fails
    outcome: Outcome  # of most of them
    bucket: float  # seconds: how finely it was looked at


def failing_spells(records: Records) -> list[Failing]:
    """When most requests fail, by their arrival, in buckets of a second or of some ten requests; an interruption of
    moments ends no spell.
    """
    everyone = answers(records)
    judged = everyone.where(~everyone.ended(*NOT_JUDGED))
    if not judged.size:
        return []
    width = max(
        1.0, ENOUGH * records.duration / judged.size, records.summary.resolution if records.summary is not None else 0.0
    )
    bucket = (judged.arrival // width).astype(np.int64)
    failed = ~judged.ended(*PASSED)
    offered = judged.bins(bucket, 1)
    bad = np.flatnonzero(judged.bins(bucket[failed], len(offered), failed) * 2 > offered)
    spells = []
    for group in clusters(bad.tolist(), SHORTEST):
        first, last = int(group[0]), int(group[-1])
        if len(group) >= SHORTEST:
            inside = (bucket >= first) & (bucket <= last)
            outcomes = judged.bins(judged.outcome[inside & failed], len(Outcome), inside & failed)
            end = (last + 1) * width if last + SHORTEST < len(offered) else None
            share = judged.total(inside & failed) / judged.total(inside)
            spells.append(Failing(first * width, end, share, Outcome(int(outcomes.argmax())), width))
    return spells


def clusters(times: Sequence[float], gap: float) -> list[list[float]]:
    """Times in groups whose neighbours are at most `gap` apart."""
    groups: list[list[float]] = []
    for time in sorted(times):
        if groups and time - groups[-1][-1] <= gap:
            groups[-1].append(time)
        else:
            groups.append([time])
    return groups
