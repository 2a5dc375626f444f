"""Whether records belong to a scenario: names, series, effects, ticks and lines as the models make them, rows as its
books.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sim.experiments.on_paper.run_size import fixed
from sim.experiments.running.decoding import DamagedError
from sim.records.counted import deliveries
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.units import show_size
from sim.vocabulary import MessageEnd, Outcome


def refuse_others(records: Records, scenario: Scenario, largest: float) -> None:
    """Raise DamagedError for records, which a run could have, that are not of this scenario; its warm-up is theirs.

    A world of the scenario is made to compare them with, if it takes no more than about `largest` bytes of memory.
    """
    from sim.models.summary import plan_of
    from sim.models.world import World

    if (found := fixed(scenario)) > largest:
        needed = f"its scenario takes about {show_size(found)} of memory, expected at most {show_size(largest)}"
        raise DamagedError(f"{needed}; --largest allows more")
    world = World(scenario.model_copy(update={"warmup": records.warmup}))
    recorder = world.recorder
    _same(records.duration, scenario.duration, "duration")
    _same(records.seed, scenario.seed, "seed")
    _same(records.names[: len(recorder.names)], tuple(recorder.names), "names")
    _same(records.effect_names, tuple(world.effects), "effect_names")
    _same(records.series, recorder.series, "series")
    _same(tuple(records.ticks), (0.0, *world.moments), "ticks")
    _same(tuple(records.oversold), tuple(world.stocks), "oversold")
    _same(records.exemplary, scenario.record.spans == "exemplars", "exemplary")
    hosts, topics = (host.name for host in world.hosts()), [kept.name for kept in world.kept]
    _same([book.component for book in records.books], [*scenario.traffic, *hosts, *topics], "books")
    plan, summary = plan_of(world.scenario, records.ticks), records.summary
    _same(summary is None, plan is None, "summary")
    if plan is not None and summary is not None:
        lines = {"moments": plan.moments, "edges": plan.edges, "leaving": plan.departures, "limits": plan.limits}
        for name, expected in lines.items():
            _same(getattr(summary, name).tolist(), expected.tolist(), f"summary.{name}")
    _refuse_other_counts(records, list(scenario.traffic), topics)


def _refuse_other_counts(records: Records, traffic: Iterable[str], topics: Iterable[str]) -> None:
    """Rows of requests and messages of which the books say something else."""
    books = {book.component: book for book in records.books}
    places = {name: place for place, name in enumerate(records.names)}
    rows = records.requests if records.summary is None else records.summary.answers
    counts = np.ones(rows.size, np.int64) if records.summary is None else rows["count"]
    for name in traffic:
        its = rows["source"] == places[name]
        found = np.bincount(rows["outcome"][its], weights=counts[its], minlength=len(Outcome))
        ended = {
            outcome.word: int(found[outcome]) for outcome in Outcome if outcome != Outcome.IN_FLIGHT and found[outcome]
        }
        _same((ended, int(found[Outcome.IN_FLIGHT])), (books[name].ended, books[name].open), f"requests of {name}")
    sent = deliveries(records)
    for name in topics:
        mask = sent.topic == places[name]
        ended = {end.word: sent.total(mask & (sent.how == end)) for end in MessageEnd}
        left = ended.pop(MessageEnd.QUEUED.word)
        _same(
            ({word: count for word, count in ended.items() if count}, left),
            (books[name].ended, books[name].open),
            f"messages of {name}",
        )


def _same(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise DamagedError(f"{what}: found something else than its scenario has")
