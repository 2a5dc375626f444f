"""The arrays of a run, and how they grow: Python's side of the interpreter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.chance.arrivals import fill_arrivals
from sim.chance.shared import machine_code
from sim.compiled import calendar, spans
from sim.compiled import state as tables
from sim.compiled.control import Control
from sim.compiled.faults import Faults
from sim.compiled.interpreter import DALLIED, DONE, ORDERED, SHORT, SPENT, TURNS_AT_ONCE, run
from sim.compiled.memory import copy_entries
from sim.compiled.state import CHUNK, MESSAGE_ENDS, OUTCOMES, PLANNED, TABLES, Tables
from sim.compiled.wiring import Wiring
from sim.models.stillness import Stillness, Turning
from sim.models.unnoticed import Late, breaker_by_now, breakers_of, end_of_spell, in_order
from sim.policies.breaker import BreakerRow
from sim.records.exemplars import CANDIDATE, MOST_LUCK, Exemplars
from sim.records.keeping import Keeper
from sim.records.rows import copied, joined
from sim.records.tables import EVENT, MESSAGE, REQUEST, SPAN, STAGE
from sim.vocabulary import EventKind

if TYPE_CHECKING:
    from sim.compiled.state import Rows

FIRST_EVENTS = 2_000  # after these it is known how dense they are
EVENTS_AT_ONCE = 200_000  # events between two looks at progress and Ctrl-C
ROWS = 1 << 16  # finished rows kept before they are handed over
CANDIDATES = 1 << 10  # requests that may be exemplars
KEPT = {"none": 0, "all": int(spans.ALL), "exemplars": int(spans.EXEMPLARS)}
EVENTS = 1 << 10
LARGE = 1 << 20  # rows of a table that grows more slowly from there on
EVENTS_MARGIN = 64
START = {
    "slots": 1 << 10, "requests": 1 << 10, "marks": 1 << 10, "timers": 1 << 10, "jobs": 1 << 10, "messages": 1 << 10, "deliveries": 1 << 11, "letters": 1 << 8,
}  # fmt: skip
KEPT_HERE = ("event_rows", "span_rows", "stage_rows")  # tables whose finished rows are kept in pieces, and their counts
FREE_LISTS = {  # the table: the head of its free list, how many are free, and the field that links them
    "slots": ("slot", "slots_free", "next"),
    "requests": ("request", "requests_free", "next"),
    "marks": ("mark", "marks_free", "next"),
    "timers": ("timer", "timers_free", "next"),
    "jobs": ("job", "jobs_free", "sibling"),
    "messages": ("message", "messages_free", "next"),
    "deliveries": ("delivery", "deliveries_free", "next"),
    "letters": ("letter", "letters_free", "next"),
    "waiters": ("waiter", "waiters_free", "next"),
    "stage_notes": ("stage_note", "stage_notes_free", "next"),
    "span_notes": ("span_note", "span_notes_free", "next"),
}


class Machine:
    """One run: its state, what was flushed from it, and the loop that lets the interpreter run."""

    def __init__(self, wiring: Wiring):
        self.wiring = wiring
        self.keeper: Keeper = wiring.world.recorder.keeper
        self.event_rows: list[Rows] = []
        self.span_rows: list[Rows] = []
        self.stage_rows: list[Rows] = []
        self.exemplars = Exemplars() if wiring.scenario.record.spans == "exemplars" else None
        self.tables = _tables(wiring)
        self.s = self.tables.s
        self.stillness = Stillness(wiring.scenario)
        self.control = Control(self)
        self.faults = Faults(self.control)
        self.groups = max([len(topic.groups) for topic in wiring.topic_at], default=0)
        self.s["slots_margin"] = wiring.assembler.widest + 4
        self.s["messages_margin"] = max([outbox.batch for outbox in wiring.outboxes], default=1) + 2
        for name in FREE_LISTS:
            self._link_free(name, 0)
        self.grow()
        self._begin()

    # -- the loop -----------------------------------------------------------------------------------------------------------

    def run(self, progress: Callable[[float], None] | None = None) -> None:
        """Run to the end."""
        budget = FIRST_EVENTS
        while True:
            began = float(self.s["now"])
            reason = run(self.s, budget)
            self._look({SPENT: budget, DALLIED: TURNS_AT_ONCE}.get(reason, 0))
            if reason == DALLIED:
                continue
            if reason == SHORT:
                self.grow()
            elif reason == ORDERED:
                self.wiring.orders[self.s["order"]]()
            else:
                if progress is not None:
                    progress(float(self.s["now"]))
                if reason == DONE:
                    return
                self._fit_wheel(budget, float(self.s["now"]) - began)
                budget = min(4 * budget, EVENTS_AT_ONCE)

    def _look(self, turns: int) -> None:
        """Whether time goes on. Where the interpreter does not say how many turns it took there was one at least for each row that it wrote."""
        s = self.s
        turns = turns or int(s["rows"] + s["message_rows"] + s["event_rows"] + s["dallied"])
        s["dallied"] = 0
        sent = self.tables["workloads"]["arrived"].tolist()
        unfinished = self.tables["requests"].size - int(s["requests_free"])
        if not self.stillness.goes_on(float(s["now"]), turns, sent, unfinished):
            raise self.stillness.error(sent, self._who_turns())

    def _who_turns(self) -> Turning:
        """The component of the task whose turn it is, or of one that waits for its turn or for an event, and the end of the last request."""
        s, tables, names = self.s, self.tables, self.wiring.world.recorder.names
        slots, hosts = tables["slots"], tables["replicas"]["host"]
        waiting = np.flatnonzero((slots["dead"] == 0) & (slots["held"] > 0) & (hosts[slots["replica"]] >= 0))
        task = int(s["current"]) if s["current"] >= 0 else int(waiting[0]) if waiting.size else -1
        turning = Turning()
        if task >= 0:
            host, request = int(hosts[slots[task]["replica"]]), int(slots[task]["request"])
            traffic = names[tables["requests"][request]["source"]] if request >= 0 else ""
            turning = Turning(self.wiring.hosts[host].name if host >= 0 else "", traffic)
        if not s["rows"]:
            return turning
        last = tables["request_rows"][int(s["rows"]) - 1]
        return replace(turning, where=names[last["where"]] if last["where"] >= 0 else "", outcome=int(last["outcome"]))

    # -- room ---------------------------------------------------------------------------------------------------------------

    def _link_free(self, name: str, first: int) -> None:
        """Put the places from `first` on into the free list."""
        head, free, link = FREE_LISTS[name]
        array = self.tables[name]
        array[link][first:-1] = np.arange(first + 1, array.size)
        array[link][-1] = self.s[head] if first else -1
        if name == "slots":
            array["dead"][first:] = 2
        self.s[head] = first
        self.s[free] += array.size - first

    def grow(self) -> None:
        """Make room wherever it is short, and hand over the rows that are finished."""
        self.flush()
        s, tables = self.s, self.tables
        margins = {"slots": s["slots_margin"], "requests": 2, "marks": 2, "timers": calendar.TIMERS_MARGIN, "jobs": calendar.ROOM}
        margins |= {"messages": s["messages_margin"], "letters": 4}
        for name, margin in margins.items():
            while s[FREE_LISTS[name][1]] <= margin:
                self._double(name)
        if self.exemplars is not None:
            s["span_notes_margin"] = tables["slots"].size  # all attempts may be stopped at once
            s["stage_notes_margin"] = self._most_stages()
            for name, margin in (("stage_notes", s["stage_notes_margin"]), ("span_notes", s["span_notes_margin"])):
                while s[FREE_LISTS[name][1]] <= margin:
                    self._double(name)
        s["waiters_margin"] = tables["slots"].size  # all who wait for anything may have to be noted at once
        while s["waiters_free"] <= s["waiters_margin"]:
            self._double("waiters")
        # A delivery for each group of every message that there may be, which outlives them: what becomes readable needs no look at room.
        while tables["deliveries"].size < self.groups * tables["messages"].size:
            self._double("deliveries")
        while s["cpu_events"] >= s["cpu_most"]:
            s["cpu_most"] *= 2
        if s["entries"] >= s["entries_most"]:
            old = tables["entries"]
            tables["entries"] = np.zeros(2 * old.size, old.dtype)
            copy_entries(old, tables["entries"])
        if s["limiters"] + s["limits_margin"] > tables["limiters"].size:
            tables["limiters"], tables["ring_of"] = _longer(tables["limiters"]), _longer(tables["ring_of"])
        while s["limiter_rings"] + s["rings_margin"] > tables["limiter_rings"].size:
            tables["limiter_rings"] = _longer(tables["limiter_rings"])
        self._room()

    def _double(self, name: str) -> None:
        old = self.tables[name]
        self.tables[name] = _longer(old)
        if name == "slots":
            self.tables["saved"] = _longer(self.tables["saved"])
            if self.s["spans"]:
                self.tables["flows"] = _longer(self.tables["flows"])
        elif name == "requests" and self.exemplars is not None:
            self.tables["diaries"] = _longer(self.tables["diaries"])
        self._link_free(name, old.size)

    def _room(self) -> None:
        """Size what is bounded by the sizes of other things, and set what triggers the next return."""
        s, tables = self.s, self.tables
        s["short"] = 0
        s["entries_most"] = tables["entries"].size // 2
        kept = tables["slots"].size + tables["messages"].size + tables["deliveries"].size + tables["lanes"].size + tables["workloads"].size
        # Every task, timer lane, message and delivery has at most one event pending; cores that drop jobs one after the other push one for each.
        heap = int(kept + tables["slots"].size + s["cpu_most"] + len(self.wiring.orders) + calendar.ROOM)
        if heap > tables["heap"].size:
            tables["heap"] = _resized(tables["heap"][: s["heap"]], heap * 5 // 4)
        belt = 1 << math.ceil(math.log2(tables["slots"].size + 1))
        if belt > tables["belt"].size:
            tables["belt"] = self._unrolled(tables["belt"], "belt", belt)
            s["belt_first"], s["belt_mask"] = 0, belt - 1
        ready = 1 << math.ceil(math.log2(tables["slots"].size + tables["requests"].size + 2))
        if ready > tables["ready"].size:
            tables["ready"] = self._unrolled(tables["ready"], "ready", ready)
            s["ready_first"], s["ready_mask"] = 0, ready - 1
        for name, open_ones in (("request_rows", "requests"), ("message_rows", "deliveries")):
            if tables[name].size < ROWS + tables[open_ones].size:
                tables[name] = np.zeros(ROWS + tables[open_ones].size, TABLES[name])
        if s["spans"]:
            self._room_for_flows()
        s["rows_most"] = s["message_rows_most"] = s["span_rows_most"] = s["stage_rows_most"] = ROWS
        s["events_most"] = EVENTS

    def _room_for_flows(self) -> None:
        """What one operation may write or hand over: the spans of all attempts, which may be stopped at once; or the notes of all requests."""
        tables = self.tables
        noted = self.exemplars is not None
        sizes = {
            "span_rows": ROWS + tables["span_notes" if noted else "slots"].size,
            "stage_rows": ROWS + (tables["stage_notes"].size if noted else self._most_stages()),
            "candidates": CANDIDATES + tables["requests"].size if noted else 1,
        }
        for name, size in sizes.items():
            if tables[name].size < size:
                tables[name] = np.zeros(size, TABLES[name])
        self.s["candidates_most"] = CANDIDATES

    def _most_stages(self) -> int:
        """How many one operation writes at most: of a batch that is committed one for each delivery, of what becomes readable three."""
        return spans.STAGES_MARGIN + 3 * self.tables["deliveries"].size + self.tables["messages"].size

    def _unrolled(self, ring: NDArray[Any], name: str, size: int) -> NDArray[Any]:
        """A larger ring with the same in it, from its beginning."""
        count, first = int(self.s[name]), int(self.s[f"{name}_first"])
        return _resized(ring[(first + np.arange(count)) & (ring.size - 1)], size)

    def flush(self) -> None:
        """Hand over the rows that are finished."""
        s, tables = self.s, self.tables
        if self.exemplars is not None and s["candidates"]:
            self._choose(self.exemplars)
        self.keeper.take_requests(tables["request_rows"][: s["rows"]])
        self.keeper.take_messages(tables["message_rows"][: s["message_rows"]])
        s["rows"] = s["message_rows"] = 0
        for name in KEPT_HERE:
            if s[name]:
                getattr(self, name).append(copied(tables[name][: s[name]]))
                s[name] = 0

    def _fit_wheel(self, events: int, seconds: float) -> None:
        """Make the buckets as wide as the time between two events, and eight for each that is to come; not anew for a factor of two."""
        s, tables = self.s, self.tables
        finest = 52 - math.ceil(math.log2(max(self.wiring.scenario.duration, 1.0)))  # finer than the clock itself no bucket need be
        pace = 2.0 ** min(round(math.log2(events / max(seconds, 1e-6))), finest)
        size = max(64, 1 << int(8 * (s["heap"] + s["soon"])).bit_length())
        if 0.5 <= pace / (s["pace"] or math.inf) <= 2 and 0.5 <= size / tables["wheel"].size <= 2:
            return
        calendar.leave_wheel(s)
        s["pace"], s["reach"], s["wheel_mask"], s["wheel_words"] = pace, size - 2, size - 1, size // 64 - 1
        tables["wheel"], tables["used"] = np.full(size, -1), np.zeros(size // 64, np.int64)
        tables["soon"] = np.zeros(size // 2, PLANNED)
        tables["soon"]["next"] = np.arange(1, size // 2 + 1)  # the free list
        tables["soon"]["next"][-1] = -1
        s["soon_free"] = 0

    def _choose(self, exemplars: Exemplars) -> None:
        """Look through the requests that have closed for exemplars, and let the interpreter know who is none."""
        names = ("candidates", "span_rows", "stage_rows")  # and so are their counts
        exemplars.add(*(self.tables[name][: self.s[name]] for name in names))
        for name in names:
            self.s[name] = 0
        self.s["slow"], self.s["lucky"] = exemplars.slow, exemplars.lucky

    # -- the beginning ------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """What the models have planned and made ready by now."""
        wiring, world = self.wiring, self.wiring.world
        tasks = {id(member.task): ("member", place) for place, member in enumerate(wiring.members)}
        tasks |= {id(outbox.task): ("outbox", place) for place, outbox in enumerate(wiring.outboxes) if outbox.task is not None}
        users = iter([(place, user) for place, w in enumerate(world.workloads) for user in range(getattr(w.spec.arrivals, "users", 0))])
        for task in world.env.ready:
            kind, place = tasks.get(id(task), ("user", 0))
            if kind == "member":
                self.control.begin_member(place)
            elif kind == "outbox":
                self.control.begin_relay(place)
            else:
                self._begin_user(*next(users))
        tables = self.tables
        sources = {workload.signal: place for place, workload in enumerate(world.workloads) if hasattr(workload, "signal")}
        for time, rank, number, event in sorted(world.env.calendar):
            if event is world.ticker:
                what = calendar.TICK
            elif event in sources:
                place = sources[event]
                row = tables["workloads"][place]
                state = tables["sources"], tables["pieces"], tables["recordings"]
                row["buffered"] = machine_code(fill_arrivals)(*state, int(row["source"]), tables["buffers"][place], CHUNK)
                row["taken"], row["due"] = 1, tables["buffers"][place, 0]
                what = calendar.ARRIVAL | place << calendar.KIND_BITS
            else:
                what = calendar.ORDER | self.faults.plan(event) << calendar.KIND_BITS
            self.s["sequence"] = number
            calendar.push(self.s, time, rank, what)
        self.s["sequence"] = max((number for _, _, number, _ in world.env.calendar), default=0) + 1

    def _begin_user(self, workload: int, user: int) -> None:
        row = self.tables["workloads"][workload]
        task = self.control.new_task(int(row["caller"]), int(row["pc"]))
        self.tables["slots"][task]["seen"] = user
        calendar.make_ready(self.s, task)

    # -- the end ------------------------------------------------------------------------------------------------------------

    def flows(self) -> tuple[Rows, Rows]:
        """Spans and stages of all requests, of the exemplars, or none."""
        if self.exemplars is not None:
            return self.exemplars.spans, self.exemplars.stages
        return joined(self.span_rows, SPAN), joined(self.stage_rows, STAGE)

    def events(self) -> Rows:
        """The event log, its subjects named."""
        rows = joined(self.event_rows, EVENT)
        name = self.wiring.world.recorder.name
        subjects = self.wiring.subjects
        for row in rows:
            row["subject"] = name(subjects[row["subject"]])
            row["object"] = name(subjects[row["object"]]) if row["object"] >= 0 else -1
        return in_order(rows)

    def tell_what_nobody_noticed(self) -> None:
        """As `World` does when the clock has stopped."""
        wiring, now = self.wiring, float(self.s["now"])
        for row, host in zip(self.tables["hosts"], wiring.hosts, strict=False):
            self.tell(end_of_spell(EventKind.SHEDDING_ENDED, bool(row["shedding"]), float(row["last_shed"]), now, host.name))
        gateway = wiring.world.gateway
        for row, limit in zip(self.tables["limits"], gateway.limits if gateway is not None else (), strict=False):
            self.tell(end_of_spell(EventKind.LIMITING_ENDED, bool(row["limiting"]), float(row["last"]), now, "gateway", limit.label))
        for name, guard in breakers_of(wiring.world.guard_sets):
            if (place := wiring.place_of(guard)) is not None:
                self.tell(breaker_by_now(self.breaker(place), now, name, guard.about))

    def breaker(self, guard: int) -> BreakerRow:
        """A copy of the breaker of a guard."""
        return BreakerRow(*self.tables["breakers"][self.tables["guards"][guard]["breaker"]].tolist())

    def tell(self, events: Iterable[Late]) -> None:
        """Note what is told after it happened."""
        for event in events:
            self.log(event.kind, event.subject, event.about, time=event.time)

    def log(self, kind: EventKind, subject: str, about: str = "", value: float = 0.0, time: float | None = None) -> None:
        """Note something that Python did, now or at a time before."""
        row = np.zeros(1, EVENT)
        wiring = self.wiring
        row["time"], row["kind"], row["value"] = self.s["now"] if time is None else time, kind, value
        row["subject"], row["object"] = wiring.subject(subject), wiring.subject(about) if about else -1
        self.flush()
        self.event_rows.append(row)


def _longer(array: NDArray[Any]) -> NDArray[Any]:
    """Twice as long, or by a quarter where twice would be much."""
    return _resized(array, array.shape[0] + (array.shape[0] if array.shape[0] < LARGE else array.shape[0] // 4))


def _resized(array: NDArray[Any], size: int) -> NDArray[Any]:
    """The same with zeros behind it; what is not used yet takes no memory."""
    grown = np.zeros((size, *array.shape[1:]), array.dtype)
    grown.reshape(-1).view(np.uint8)[: array.nbytes] = array.reshape(-1).view(np.uint8)  # records are slow to copy field by field
    return grown


def _tables(wiring: Wiring) -> Tables:
    """All arrays at time 0."""
    world = wiring.world
    policies = {name: rows.copy() for name, rows in wiring.policies.items()}
    targets = wiring.target_table()
    made = Tables()
    made.s["current"], made.s["cpu_most"] = -1, 1 << 10
    made.s["belt_delay"] = world.env.fixed_delay
    made.s["soon_free"] = -1  # no wheel yet
    made.s["spans"], made.s["warmup"] = KEPT[wiring.scenario.record.spans], wiring.scenario.warmup
    made.s["lucky"] = MOST_LUCK
    noted = made.s["spans"] == spans.EXEMPLARS
    made.s["limiters"] = max(1, len(wiring.limiters))
    draws = wiring.draws.table.arrays(wiring.scenario.seed, wiring.replication)
    arrivals = wiring.arrivals.arrays(wiring.scenario.seed, wiring.replication, wiring.scenario.duration)
    faults = max(1, len(wiring.harms))
    ones = np.zeros(1)
    made.put(
        heap=np.zeros(1, tables.PLANNED),
        belt=np.zeros(1, tables.PLANNED),
        soon=np.zeros(1, tables.PLANNED),
        wheel=np.full(1, -1),
        used=np.zeros(1, np.int64),
        ready=np.zeros(1, np.int64),
        slots=np.zeros(START["slots"], tables.SLOT),
        requests=np.zeros(START["requests"], tables.REQUEST_SLOT),
        marks=np.zeros(START["marks"], tables.MARK),
        timers=np.zeros(START["timers"], tables.TIMER_ENTRY),
        lanes=wiring.lanes.array(),
        ops=wiring.ops,
        hosts=wiring.host_rows.array(),
        replicas=wiring.replica_rows.array(),
        ended=np.zeros((len(wiring.hosts), OUTCOMES), np.int64),
        draws=draws.rows,
        numbers=draws.data,
        request_rows=np.zeros(1, REQUEST),
        span_rows=np.zeros(1, SPAN),
        stage_rows=np.zeros(1, STAGE),
        flows=np.zeros(START["slots"] if made.s["spans"] else 1, tables.FLOW),
        diaries=np.zeros(START["requests"] if noted else 1, tables.DIARY),
        stage_notes=np.zeros(START["requests"] if noted else 1, tables.STAGE_NOTE),
        span_notes=np.zeros(START["requests"] if noted else 1, tables.SPAN_NOTE),
        candidates=np.zeros(1, CANDIDATE),
    )
    left = np.array(wiring.left or [0], np.int64)
    widest = max([1, *(len(host.replicas) for host in wiring.hosts)])
    made.put(
        calls=wiring.calls.array(),
        targets=targets,
        hops=wiring.hops.array(),
        wires=_wires(wiring),
        wire_losses=np.zeros((max(1, len(wiring.wires)), faults)),
        wire_delays=np.zeros((max(1, len(wiring.wires)), faults), np.int64),
        guards=wiring.guards.array(),
        guard_of=np.array(wiring.guard_of or [0], np.int64),
        breakers=policies["breakers"],
        budgets=policies["budgets"],
        bulkheads=policies["bulkheads"],
        retries=policies["retries"],
        rings=np.array(wiring.rings or [0.0]),
        balancers=policies["balancers"],
        balancer_of=wiring.balancer_of,
        loads=np.zeros((max(1, len(wiring.balancers)), widest), np.int64),
        alive=np.ones(len(wiring.replicas), np.int64),
        errors=wiring.errors.array(),
        workloads=wiring.workloads.array(),
        doors=wiring.doors.array(),
        thresholds=np.array(wiring.thresholds or [1.0]),
        popularity=wiring.popularity.array(),
        shares=np.concatenate([ones, *wiring.shares])[1:] if wiring.shares else ones,
        sources=arrivals.sources if arrivals.sources.size else np.zeros(1, arrivals.sources.dtype),
        pieces=arrivals.pieces,
        recordings=arrivals.data,
        buffers=np.zeros((len(wiring.workloads), CHUNK)),
        stocks=wiring.stocks.array(),
        left=left,
        sold=np.zeros_like(left),
        ran_out=np.zeros_like(left),
        saved=np.zeros((START["slots"], wiring.assembler.deepest), np.int64),
        branches=np.array([label.place for label in wiring.assembler.branches] or [0], np.int64),
        jobs=np.zeros(START["jobs"], tables.JOB),
        event_rows=np.zeros(EVENTS + EVENTS_MARGIN, EVENT),
    )
    made.put(
        topics=wiring.topic_rows.array(),
        brokers=wiring.broker_rows.array(),
        partitions=wiring.partitions.array(),
        stickies=policies["sticky"],
        messages=np.zeros(START["messages"], tables.MESSAGE_SLOT),
        groups=wiring.group_rows.array(),
        group_of=np.array(wiring.group_of or [0], np.int64),
        group_ended=np.zeros((max(1, len(wiring.groups)), MESSAGE_ENDS), np.int64),
        group_lanes=wiring.group_lanes.array(),
        deliveries=np.zeros(START["deliveries"], tables.DELIVERY_SLOT),
        members=wiring.member_rows.array(),
        member_of=np.array(wiring.member_of or [0], np.int64),
        delays=np.array(wiring.delays or [0.0]),
        outboxes=wiring.outbox_rows.array(),
        letters=np.zeros(START["letters"], tables.LETTER),
        pending=np.zeros((max(1, len(wiring.outboxes)), max([1, *(outbox.batch for outbox in wiring.outboxes)])), np.int64),
        message_rows=np.zeros(1, MESSAGE),
    )
    stamps = sum(len(ring) for ring in wiring.limiter_rings)  # one request may bring a new counter for every limit
    made.s["limiter_rings"] = stamps
    made.s["rings_margin"], made.s["limits_margin"] = stamps, len(wiring.limits) + 2
    made.s["last_tick"] = len(world.moments)
    made.put(
        limits=wiring.limits.array(),
        limiters=_resized(policies["limiters"], 2 * policies["limiters"].size + 64),
        ring_of=_resized(np.cumsum([0, *(len(ring) for ring in wiring.limiter_rings)]), 2 * policies["limiters"].size + 64),
        limiter_rings=np.zeros(max(64, 4 * stamps)),
        entries=np.zeros(1 << max(64, 8 * len(wiring.limits)).bit_length(), tables.ENTRY_ROW),
        tokens=wiring.tokens.array(),
        waiters=np.zeros(2 * START["slots"], tables.WAITER),
        series=wiring.series.array(),
        moments=np.array([0.0, *world.moments]),
        samples=np.zeros((len(world.moments) + 1, len(wiring.series))),
        areas=np.array(world.recorder.areas or [0.0]),
    )
    made["samples"][0] = world.recorder.samples[0]
    return made


def _wires(wiring: Wiring) -> Rows:
    table = np.zeros(max(1, len(wiring.wires)), tables.WIRE_ROW)
    for row, wire in zip(table, wiring.wires, strict=False):
        row["loss"] = wire.loss
    return table
