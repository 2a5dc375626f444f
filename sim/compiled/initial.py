"""All tables of a run at time 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled.apart import addresses
from sim.compiled.rows import calls, events, gateway, idempotency, lines, logs, plugins, running, serverless
from sim.compiled.rows.addresses import functions
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import BUFFERS, POOLS, AnyTable
from sim.compiled.spans import ALL, EXEMPLARS
from sim.compiled.wiring.found import Filled, whole_numbers
from sim.records.exemplars import MOST_LUCK

if TYPE_CHECKING:
    from sim.compiled.wiring import Wiring

KEPT = {"none": 0, "all": int(ALL), "exemplars": int(EXEMPLARS)}
FIRST_CPU_EVENTS = 1 << 10


def state_of(wiring: Wiring) -> State:
    """The state of a run as it begins, with the tables that its wiring has found; `Room` makes room in the others."""
    s = State.new()
    _numbers(s, wiring)
    for table, array in (*wiring.tables(), *_what_grows(wiring)):
        s.put(table, array)
    return s


def _numbers(s: State, wiring: Wiring) -> None:
    s.current = s.errand = -1
    s.cpu_events_most = FIRST_CPU_EVENTS
    s.fixed_delay = wiring.world.env.fixed_delay
    s.near_free = -1  # no wheel yet
    s.spans, s.warmup = KEPT[wiring.scenario.record.spans], wiring.scenario.warmup
    s.lucky = MOST_LUCK
    s.tells = hands_on_deadlines(wiring)
    s.limiters_count = max(1, len(wiring.limit_tables.limiters))
    s.library_count = max(1, len(wiring.limit_tables.library))
    s.clocked_count = max(1, len(wiring.limit_tables.clocked))
    s.waiting_count = max(1, len(wiring.limit_tables.waiting))
    s.stamps_count = sum(wiring.limit_tables.stamps)
    s.name_of_queues = wiring.world.recorder.names.index("queue") if wiring.queue_at else 0
    s.last_tick = len(wiring.world.moments)


def _what_grows(wiring: Wiring) -> Filled:
    """As small as it begins; `Room` makes room before the first event."""
    yield functions, whole_numbers(addresses())
    spans = wiring.scenario.record.spans
    notes = (running.stage_notes, running.span_notes)
    for table in POOLS:
        yield table, table.zeros(start_of(table) if table not in notes or spans == "exemplars" else 1)
    for table in (
        *BUFFERS,
        events.heap,
        events.fixed_delay_queue,
        events.near_events,
        events.used,
        events.ready,
        gateway.old_entries,
    ):
        yield table, table.zeros(1)
    yield events.wheel, np.full(1, NOBODY)
    yield running.flows, running.Flow.zeros(start_of(running.tasks) if spans != "none" else 1)
    yield running.request_notes, running.RequestNotes.zeros(start_of(running.requests) if spans == "exemplars" else 1)
    yield running.saved, np.zeros((start_of(running.tasks), wiring.assembler.deepest), np.int64)
    yield from _where_needed(wiring)
    deep = wiring.assembler.most_frames
    frames = plugins.PluginFrame.zeros(start_of(running.tasks) * deep if deep else 1)
    yield plugins.plugin_frames, frames.reshape(-1, max(1, deep))


def _where_needed(wiring: Wiring) -> Filled:
    """What only runs with a certain mechanism need more than a row of."""
    pools = any(call.policy.pool is not None for call in wiring.world.calls.guarded)
    yield running.connections, running.Connection.zeros(start_of(running.tasks) if pools else 1)
    hedges = any(call.policy.hedge is not None for call in wiring.world.calls.guarded)
    yield running.races, running.Race.zeros(start_of(running.tasks) if hedges else 1)
    yield running.told, running.Told.zeros(start_of(running.tasks) if hands_on_deadlines(wiring) else 1)
    keyed = len(wiring.key_tables.keys) > 0
    yield idempotency.kept, idempotency.KeptAnswer.zeros(start_of(running.marks) if keyed else 1)
    adapts = len(wiring.call_tables.guards.policies[calls.concurrency_limits]) > 0
    yield running.entered, running.Entered.zeros(start_of(running.tasks) if adapts else 1)
    judged = len(wiring.host_tables.tallies) > 0
    yield running.arrived, running.Arrived.zeros(start_of(running.tasks) if judged else 1)
    functional = any(host.function is not None for host in wiring.hosts)
    yield serverless.holdings, serverless.Holding.zeros(start_of(running.tasks) if functional else 1)
    bounded = len(wiring.call_tables.guards.policies[calls.library_budgets]) > 0
    yield running.spendings, running.Spending.zeros(start_of(running.tasks) if bounded else 1)
    has_lines = len(wiring.line_tables.disciplines) > 0
    yield lines.standings, lines.Standing.zeros(start_of(running.tasks) if has_lines else 1)
    yield logs.fates, logs.Fate.zeros(start_of(logs.messages) if wiring.log_tables.is_deep else 1)


def hands_on_deadlines(wiring: Wiring) -> bool:
    """Whether anybody is told until when its answer is waited for."""
    scenario = wiring.scenario
    told = any(traffic.deadline is not None for traffic in scenario.traffic.values())
    return told or any(row.get("propagates", False) for row in wiring.call_tables.calls.rows)


def start_of(table: AnyTable) -> int:
    """How many rows a pool begins with."""
    return table.pool.start if table.pool is not None else 1
