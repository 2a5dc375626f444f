"""The clock has stopped: what has not ended is told of, the books are balanced, and the records handed over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.errors import BooksDoNotBalance
from sim.models.unnoticed import in_order
from sim.models.workload import Workload
from sim.models.world import World
from sim.records.row_sinks import Kept
from sim.records.tables import Book, Records
from sim.vocabulary import Outcome


def close(world: World) -> Records:
    """The records of a run that is over. Raises BooksDoNotBalance where something was lost, or came from nowhere."""
    recorder = world.recorder
    for kept_here in world.kept:
        kept_here.write_unended()
    for host in world.hosts():
        host.close()
    for request in list(recorder.open):
        recorder.close(request, pending=request.alive > 0 or not request.answered)
    _tell_what_nobody_noticed(world)
    spans, stages = recorder.flows()
    recorder.hand_over()
    kept = recorder.sink.finish()
    hosts, topics = (host.book() for host in world.hosts()), (kept_here.book() for kept_here in world.kept)
    books = (*traffic_books(world.workloads, kept), *hosts, *topics)
    _balance(world, books)
    scenario = world.scenario
    records = Records(
        seed=scenario.seed,
        replication=world.replication,
        duration=scenario.duration,
        warmup=scenario.warmup,
        names=tuple(recorder.names),
        requests=kept.requests,
        messages=kept.messages,
        summary=kept.summary,
        spans=spans,
        stages=stages,
        exemplary=scenario.record.spans == "exemplars",
        events=in_order(recorder.events.rows()),
        series=recorder.series,
        ticks=np.array(recorder.ticks),
        gauges=recorder.gauges(),
        books=books,
        effect_names=tuple(world.effects),
        oversold={name: stock.oversold for name, stock in world.stocks.items()},
    )
    records.remember(kept.digests)
    return records


def traffic_books(workloads: Sequence[Workload], kept: Kept) -> list[Book]:
    """Arrivals against rows: every one has a request, or was dropped."""
    books = []
    for workload in workloads:
        outcomes = kept.outcomes(workload.client.name_index)
        ended = {
            outcome.word: int(outcomes[outcome])
            for outcome in Outcome
            if outcome != Outcome.IN_FLIGHT and outcomes[outcome]
        }
        dropped = workload.virtual.dropped if workload.virtual is not None else 0
        if dropped:
            ended["dropped_iterations"] = dropped
        books.append(Book(workload.name, workload.arrived + dropped, ended, int(outcomes[Outcome.IN_FLIGHT])))
    return books


def _tell_what_nobody_noticed(world: World) -> None:
    recorder, now = world.recorder, world.env.now
    for host in world.hosts():
        recorder.tell(host.shedding.end(now))
        if host.listening is not None:
            recorder.tell(host.listening.overflow.end(now))
    for limit in world.limits():
        recorder.tell(limit.limiting.end(now))
    for name, guard in world.calls.holders():
        for memory in guard.memories:
            recorder.tell(memory.unnoticed(now, name, guard.about))


def _balance(world: World, books: Sequence[Book]) -> None:
    """Refuse to hand over records whose books do not balance."""
    for book in books:
        if not book.balances:
            raise BooksDoNotBalance(
                f"{book.component}: offered {book.offered}, ended {book.ended}, still there {book.open}"
            )
    for host in world.hosts():
        counted = [
            sum(places)
            for places in zip(*((replica.waiting, replica.backlog) for replica in host.replicas), strict=True)
        ]
        if [host.queued, host.outside] != counted or min(replica.free for replica in host.replicas) < 0:
            raise BooksDoNotBalance(
                f"{host.name}: {host.queued} and {host.outside} counted in queues and outside, where {counted} are"
            )
