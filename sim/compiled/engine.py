"""One run on the compiled engine: the same Records as `models.simulate` gives, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sim.compiled.consumers import write_message
from sim.compiled.machine import Machine
from sim.compiled.program import Unsupported
from sim.compiled.spans import keep_span
from sim.compiled.state import Rows
from sim.compiled.tasks import close
from sim.compiled.topics import QUEUED
from sim.compiled.wiring import Wiring
from sim.errors import BooksDoNotBalance
from sim.records.background import BackgroundKeeper
from sim.records.keeping import Kept
from sim.records.tables import Book, Records
from sim.spec.scenario import Scenario
from sim.vocabulary import MessageEnd, Outcome


def simulate(
    scenario: Scenario,
    replication: int = 0,
    progress: Callable[[float], None] | None = None,
    *,
    background: bool = False,
) -> Records:
    """Run one replication of one scenario. `progress` hears the simulated time now and then.

    With `background` a second thread reads the rows that are finished while the run goes on, which pays where a processor is idle.
    Raises `Unsupported` for a scenario with a part that only the SimPy engine runs.
    """
    machine = Machine(Wiring(scenario, replication))
    if not background:
        machine.run(progress)
        return _records(machine)
    with BackgroundKeeper(machine.keeper) as machine.keeper:
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
    _close_messages(machine)
    _close_spans(machine)
    _close_requests(machine)
    machine.tell_what_nobody_noticed()
    machine.flush()
    spans, stages = machine.flows()
    kept = machine.keeper.finish()
    events = machine.events()
    tables = machine.tables
    books = (*_traffic_books(machine, kept), *_host_books(machine), *_topic_books(machine))
    for book in books:
        if not book.balances:
            raise BooksDoNotBalance(f"{book.component}: offered {book.offered}, ended {book.ended}, still there {book.open}")
    oversold = {}
    for stock, place in wiring.stock_at.items():
        row = tables["stocks"][place]
        sold = tables["sold"][row["first"] : row["first"] + row["kinds"]]
        oversold[stock.service] = int(np.maximum(sold - row["items"], 0).sum())
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
        ticks=tables["moments"].copy(),
        gauges=tables["samples"].copy(),
        books=books,
        effect_names=tuple(world.effects),
        oversold=oversold,
    )
    records.remember(kept.digests)
    return records


def _close_requests(machine: Machine) -> None:
    """Write the rows of requests that are still open, in the order in which they arrived."""
    slots = machine.tables["requests"]
    open_ones = np.flatnonzero(slots["open"])
    for request in open_ones[np.argsort(slots["number"][open_ones], kind="stable")]:
        if machine.tables.s["short"]:
            machine.grow()
        row = machine.tables["requests"][request]
        close(machine.tables.s, int(request), int(row["alive"] > 0 or math.isnan(row["end"])))


def _close_spans(machine: Machine) -> None:
    """Attempts that are still inside have spans without an end."""
    if not machine.tables.s["spans"]:
        return
    machine.grow()  # then there is room for the spans of all tasks
    for host in range(len(machine.wiring.hosts)):
        for replica in machine.control.replicas(host):
            for task in machine.control.inside(replica):
                keep_span(machine.tables.s, task, int(Outcome.IN_FLIGHT), math.nan)


def _close_messages(machine: Machine) -> None:
    """Write the rows of messages that have not ended, as `World` does."""
    tables = machine.tables
    for topic in range(len(machine.wiring.topic_at)):
        row = tables["topics"][topic]
        groups = [int(group) for group in tables["group_of"][row["first_group"] : row["first_group"] + row["groups"]]]
        for group in groups:
            for delivery in _unended(machine, group):
                _write(machine, int(tables["deliveries"][delivery]["message"]), group, int(tables["deliveries"][delivery]["count"]))
        for partition in tables["partitions"][row["first"] : row["first"] + row["count"]]:
            for message in _chain(tables["messages"], int(partition["first"])):
                for group in groups:
                    _write(machine, message, group, 0)


def _write(machine: Machine, message: int, group: int, count: int) -> None:
    if machine.tables.s["message_rows"] >= machine.tables.s["message_rows_most"]:
        machine.flush()
    write_message(machine.tables.s, message, group, math.nan, count, QUEUED)


def _chain(rows: Rows, first: int) -> list[int]:
    found = []
    while first >= 0:
        found.append(first)
        first = int(rows[first]["next"])
    return found


def _unended(machine: Machine, group: int) -> list[int]:
    """Waiting, due, in a batch, or delayed, in the order in which `Group.unended` finds them."""
    tables, wiring = machine.tables, machine.wiring
    row = tables["groups"][group]
    found: list[int] = []
    for lane in tables["group_lanes"][row["first"] : row["first"] + len(wiring.groups[group].partitions)]:
        found += _chain(tables["deliveries"], int(lane["first"]))
        found += _chain(tables["deliveries"], int(lane["retries_first"]))
    for member in wiring.groups[group].members:
        found += _chain(tables["deliveries"], int(tables["members"][wiring.member_at[member]]["batch_first"]))
    return found + _chain(tables["deliveries"], int(row["delayed_first"]))


# -- books --------------------------------------------------------------------------------------------------------------------


def _traffic_books(machine: Machine, kept: Kept) -> list[Book]:
    for place, workload in enumerate(machine.wiring.world.workloads):
        workload.arrived = int(machine.tables["workloads"][place]["arrived"])
    return machine.wiring.world.traffic_books(kept)


def _host_books(machine: Machine) -> list[Book]:
    tables = machine.tables
    slots = tables["slots"][tables["slots"]["dead"] == 0]
    books = []
    for place, host in enumerate(machine.wiring.hosts):
        row = tables["hosts"][place]
        replicas = tables["replicas"][row["first"] : row["first"] + row["count"]]
        if row["tracks"]:
            inside = int((tables["ops"]["host"][slots["entry"][slots["inside"] > 0]] == place).sum())
        else:
            inside = int((row["workers"] - replicas["free"]).sum() + row["queued"] + row["outside"])
        if row["queued"] != replicas["waiting"].sum() or row["outside"] != replicas["backlog"].sum() or replicas["free"].min() < 0:
            counted = [int(replicas[name].sum()) for name in ("waiting", "backlog")]
            raise BooksDoNotBalance(f"{host.name}: {row['queued']} and {row['outside']} counted in queues and outside, where {counted} are")
        ended = {outcome.word: int(tables["ended"][place, outcome]) for outcome in Outcome if tables["ended"][place, outcome]}
        books.append(Book(host.name, int(row["offered"]), ended, inside))
    return books


def _topic_books(machine: Machine) -> list[Book]:
    """Published x groups = ends + still queued, counted by looking."""
    tables, wiring = machine.tables, machine.wiring
    books = []
    for topic, place in wiring.topic_at.items():
        row = tables["topics"][place]
        groups = [int(group) for group in tables["group_of"][row["first_group"] : row["first_group"] + row["groups"]]]
        ended = {end.word: int(sum(tables["group_ended"][group, end] for group in groups)) for end in MessageEnd}
        unreadable = sum(len(_chain(tables["messages"], int(p["first"]))) for p in tables["partitions"][row["first"] : row["first"] + row["count"]])
        left = sum(len(_unended(machine, group)) for group in groups) + unreadable * len(groups)
        books.append(Book(topic.name, int(row["published"]) * len(groups), {word: count for word, count in ended.items() if count}, left))
    return books
