"""One run on the compiled engine: the same Records as `models.simulate` gives, to the last bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.compiled.books import books_of
from sim.compiled.closing import close_all, events_of
from sim.compiled.machine import Machine
from sim.compiled.program import Unsupported
from sim.compiled.rows.hosts import sold, stocks
from sim.compiled.rows.watched import moments, samples
from sim.compiled.wiring import Wiring
from sim.errors import BooksDoNotBalance
from sim.records.background_sink import BackgroundSink
from sim.records.tables import Records
from sim.spec.scenario import Scenario


def simulate(
    scenario: Scenario,
    replication: int = 0,
    progress: Callable[[float], None] | None = None,
    *,
    background: bool = False,
) -> Records:
    """Run one replication of one scenario. `progress` hears the simulated time now and then.

    With `background` a second thread reads the rows that are finished while the run goes on, which pays where a
    processor is idle. Raises `Unsupported` for a scenario with a part that only the SimPy engine runs.
    """
    machine = Machine(Wiring(scenario, replication))
    if not background:
        machine.run(progress)
        return _records(machine)
    with BackgroundSink(machine.sink) as machine.sink:
        machine.run(progress)
        return _records(machine)


def why_not(scenario: Scenario) -> str:
    """The first part of this scenario that only the SimPy engine runs; empty where there is none."""
    try:
        Wiring(scenario, 0)
    except Unsupported as found:
        return str(found)
    return ""


def _records(machine: Machine) -> Records:
    wiring, world, scenario = machine.wiring, machine.wiring.world, machine.wiring.scenario
    close_all(machine)
    spans, stages = machine.flows()
    kept = machine.sink.finish()
    events = events_of(machine)
    books = books_of(machine, kept)
    for book in books:
        if not book.balances:
            raise BooksDoNotBalance(
                f"{book.component}: offered {book.offered}, ended {book.ended}, still there {book.open}"
            )
    records = Records(
        seed=scenario.seed,
        replication=wiring.replication,
        duration=scenario.duration,
        warmup=scenario.warmup,
        names=tuple(world.recorder.names),
        requests=kept.requests,
        messages=kept.messages,
        summary=kept.summary,
        spans=spans,
        stages=stages,
        exemplary=scenario.record.spans == "exemplars",
        events=events,
        series=world.recorder.series,
        ticks=moments.array(machine.s).copy(),
        gauges=samples.array(machine.s).copy(),
        books=books,
        effect_names=tuple(world.effects),
        oversold=_oversold(machine),
    )
    records.remember(kept.digests)
    return records


def _oversold(machine: Machine) -> dict[str, int]:
    """Units of each service that were sold beyond its stock."""
    found = {}
    for stock, place in machine.wiring.stock_at.items():
        row = stocks(machine.s)[place]
        units = sold.array(machine.s)[row.first : row.first + row.kinds]
        found[stock.service] = int(np.maximum(units - row.items, 0).sum())
    return found
