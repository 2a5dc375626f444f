"""What the compiled engine knows at one moment: one record of numbers, and tables of records that it knows the addresses of.

A function of the interpreter is handed the record (`s`) and finds the tables through it: `slots(s)[task].outcome`. To pass one pointer
instead of seventy arrays is what keeps compilation short (2.5 times) and calls cheap. The tables themselves are plain numpy arrays of
`Tables`, so that Python can look at them, grow them and change them between two calls of the interpreter. An index is a place in one of
them; -1 is nobody. All whole numbers are int64, so that every function is compiled for one signature only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.chance import arrivals
from sim.chance.arrivals import SOURCE
from sim.chance.compiler import compiled
from sim.chance.rates import PIECE
from sim.chance.table import ROW
from sim.compiled.rows import rows_at
from sim.policies.balancer import BALANCER
from sim.policies.breaker import BREAKER
from sim.policies.budget import BUDGET
from sim.policies.bulkhead import BULKHEAD
from sim.policies.limiter import LIMITER
from sim.policies.partitioner import STICKY
from sim.policies.retry import RETRY
from sim.records.exemplars import CANDIDATE
from sim.records.tables import EVENT, MESSAGE, REQUEST, SPAN, STAGE
from sim.vocabulary import MessageEnd, Outcome

Rows = NDArray[np.void]
Floats = Any  # a table of numbers
Row = Any  # one record of such an array: numba reads and writes its fields as attributes
F = TypeVar("F", bound=Callable[..., Any])
State = Any  # the record of `STATE`
UNLIMITED = 1 << 60  # places, or a queue without a bound


handler: Callable[[F], F] = compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
"""Decorator of the functions that only the interpreter calls; what Python calls too is `compiled`."""

near: Callable[[F], F] = compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy", forceinline=True)
"""The same for those on every request's way that are called from one or two places: they are put there whole, which saves the call."""


def whole(number: int) -> int:
    """A constant of the interpreter. numba would compile a function anew for every literal number that it is handed, but not for these."""
    constant: Any = np.int64(number)
    whole_number: int = constant
    return whole_number


ZERO, ONE, NONE = whole(0), whole(1), whole(-1)
OUTCOMES, MESSAGE_ENDS = whole(len(Outcome)), whole(len(MessageEnd))
CHUNK = whole(arrivals.CHUNK)  # arrivals made at once


def _record(floats: str = "", ints: str = "", **more: str) -> np.dtype[np.void]:
    """A record type from the names of its fields."""
    fields = [(name, "f8") for name in floats.split()] + [(name, "i8") for name in ints.split()]
    return np.dtype([*fields, *more.items()], align=True)


SLOT = _record(
    "seconds pause began since worked deadline",
    """then pc ticket errand outcome root entry request chain path caller replica tries admitted line member seen next previous
    mark phase held granted abandoned degraded own_thread branches waits dead inside
    producer where child sibling attempt guard call back
    callee branches_left""",
)
"""A task: an attempt, a branch, a courier, a client, a consumer or a relay. Fields that `models/task.py` has too mean the same; `inside`: where somebody
keeps track, the number of its arrival at the host, 0 before and after."""

REQUEST_SLOT = _record(
    "arrival end completion retry_after",
    "id effects needs marks first_mark last_mark alive source door route where attempts outcome charges reservations user item number open next",
)
MARK = _record("", "mark next")
"""The mark of an attempt that has arrived; each open request has a list of its own."""
FLOW = _record("arrived started", "number")
"""What spans tell of the task in the slot of the same place: as in `models/task.py`, `number` is its `flow`."""
DIARY = _record("", "stages first_stage last_stage spans first_span last_span")
"""Where exemplars are kept: the rows of the open request in the slot of the same place, how many, and their first and last note."""
STAGE_NOTE, SPAN_NOTE = (np.dtype([("row", row), ("next", "i8")]) for row in (STAGE, SPAN))

OP = _record("share", "kind host row kept a b to fail salt")
"""One operation: what, on which host, with which draw and whether it is kept for the request, two numbers of its own, where to go on a jump and on a
failure."""

HOST = _record(
    "slow work_done work_wasted busy_area queue_area outside_area up_area last_shed",
    """name first count capacity workers cores offered again queued outside up lifo lets_go may_hang tracks patience shedding
    errors_first errors_count errors_on subject turn""",
)
REPLICA = _record(
    "hung_since frozen virtual last due used used_since",
    """host index free waiting closed down hung backlog queue_first queue_last parked_first parked_last overdue_first overdue_last
    cores jobs n stopped sequence generation""",
)
PLANNED = _record("time", "order what next")  # 32 bytes: two of them to a line of the cache
TIMER_ENTRY = _record("deadline", "ticket slot next")
LANE_ROW = _record("duration due", "purpose owner first last armed")
JOB = _record("end", "sequence ticket slot child sibling")

CALL_ROW = _record(
    "",
    """target hop back salt mark max_attempts retry jitter lane total_lane bulkhead_lane
    guards cancels bulkhead watchful subject about per_replica""",
)
TARGET = _record("", "kind where only host first count uniforms u1 u2 counts entry topic key site")
HOP_ROW = _record("length fixed", "row chance wire salt")
WIRE_ROW = _record("loss", "cuts losses delays")
GUARD_ROW = _record("spent taken_area", "breaker ring size budget tokens bulkhead first last passed turned_away")
ERRORS_ROW = _record("share", "row on")
WORKLOAD_ROW = _record(
    "due spent",
    """base subject name arrived first_door doors mix users items caller patient pc lane retry max_attempts jitter budget tokens honor
    source buffered taken route_rows user_rows""",
)
POPULARITY = _record("exponent", "count step first size number", key="u8")
DOOR_ROW = _record("", "target hop route needs mark")
STOCK_ROW = _record("", "items first kinds subject")
SERIES_ROW = _record("", "what index count mean")

TOPIC_ROW = _record("", "name broker first count groups first_group chance replication published")
BROKER_ROW = _record("", "down acks first last")
PARTITION_ROW = _record("", "end first last")
MESSAGE_SLOT = _record("published available", "number chain path offset request topic partition site waiter replicated left flow next")
GROUP_ROW = _record("busy_area", "topic name first lag delivered redelivered space busy first_member members delayed_first delayed_last")
LANE_OF_GROUP = _record("", "group owner first last retries_first retries_last committed")
DELIVERY_SLOT = _record("end", "message lane count failures how flow previous next")
MEMBER_ROW = _record(
    "holding_area busy_area session",
    """group host replica task hop wire broker salt max_poll max_deliveries retry_topic retries_first idempotent latest first_lane lanes turn
    batch_first batch_last following current idle belongs up holding died processing pc""",
)
OUTBOX_ROW = _record("poll", "salt rows host topic key site batch out back first last task replica count taken waited pc")
LETTER = _record("", "request chain path tries flow next")

LIMIT_ROW = _record("last", "space per node ring limiting about passed refused")
ENTRY_ROW = _record("time", "space key value used first last")
TOKEN_ROW = _record("ttl invalid", "known asking allow")
WAITER = _record("", "slot ticket next")


F8, I8 = np.dtype(np.float64), np.dtype(np.int64)
TABLES: dict[str, np.dtype[Any]] = {
    "heap": PLANNED, "belt": PLANNED, "soon": PLANNED, "wheel": I8, "used": I8, "ready": I8,
    "slots": SLOT, "requests": REQUEST_SLOT, "marks": MARK, "timers": TIMER_ENTRY, "lanes": LANE_ROW,
    "ops": OP, "hosts": HOST, "replicas": REPLICA, "ended": I8, "draws": ROW, "numbers": F8,
    "request_rows": REQUEST, "message_rows": MESSAGE, "event_rows": EVENT, "span_rows": SPAN, "stage_rows": STAGE, "flows": FLOW,
    "diaries": DIARY, "stage_notes": STAGE_NOTE, "span_notes": SPAN_NOTE, "candidates": CANDIDATE,
    "calls": CALL_ROW, "targets": TARGET, "hops": HOP_ROW, "wires": WIRE_ROW, "wire_losses": F8, "wire_delays": I8,
    "guards": GUARD_ROW, "guard_of": I8, "breakers": BREAKER, "budgets": BUDGET, "bulkheads": BULKHEAD, "retries": RETRY, "rings": F8,
    "balancers": BALANCER, "balancer_of": I8, "loads": I8, "alive": I8, "errors": ERRORS_ROW,
    "workloads": WORKLOAD_ROW, "doors": DOOR_ROW, "thresholds": F8, "popularity": POPULARITY, "shares": F8,
    "sources": SOURCE, "pieces": PIECE, "recordings": F8, "buffers": F8,
    "stocks": STOCK_ROW, "left": I8, "sold": I8, "ran_out": I8, "saved": I8, "branches": I8, "jobs": JOB,
    "topics": TOPIC_ROW, "brokers": BROKER_ROW, "partitions": PARTITION_ROW, "stickies": STICKY, "messages": MESSAGE_SLOT,
    "groups": GROUP_ROW, "group_of": I8, "group_ended": I8, "group_lanes": LANE_OF_GROUP, "deliveries": DELIVERY_SLOT,
    "members": MEMBER_ROW, "member_of": I8, "delays": F8, "outboxes": OUTBOX_ROW, "letters": LETTER, "pending": I8,
    "limits": LIMIT_ROW, "limiters": LIMITER, "ring_of": I8, "limiter_rings": F8, "entries": ENTRY_ROW, "tokens": TOKEN_ROW, "waiters": WAITER,
    "series": SERIES_ROW, "moments": F8, "samples": F8, "areas": F8,
}  # fmt: skip
"""Every table, and the type of its rows."""

WIDTHS = {
    "wire_losses": "harms", "wire_delays": "harms", "loads": "widest", "saved": "deepest", "pending": "largest_batch",
}  # fmt: skip
"""Tables of two dimensions, which the interpreter sees as one row after the other, and the number that says how long a row is. That of `ended` is
the number of outcomes, of `group_ended` that of the ends of messages, of `balancer_of` `replica_count`, of `buffers` `CHUNK`, of `samples` `series_count`."""

PLACES = {name: place for place, name in enumerate(TABLES)}

COUNTED = {"replicas": "replica_count", "series": "series_count", "entries": "entries_size", "limiters": "limiters_size", "limiter_rings": "limiter_rings_size"}
"""Tables whose size the interpreter asks for."""

_NUMBERS = """
    sequence heap belt belt_first soon soon_free bucket wheel_mask wheel_words ready ready_first short current order tick next_message
    requests_made slot slots_free slots_margin request requests_free mark marks_free timer timers_free job jobs_free message messages_free
    messages_margin delivery deliveries_free letter letters_free waiter waiters_free waiters_margin entries entries_most entries_size
    limiters limiters_size limiter_rings limiter_rings_size rings_margin limits_margin cpu_events cpu_most rows rows_most message_rows
    message_rows_most event_rows events_most replica_count series_count harms widest deepest largest_batch belt_mask
    ready_mask last_tick
    dallied errands spans next_flow span_rows span_rows_most stage_rows stage_rows_most
    stage_note stage_notes_free stage_notes_margin span_note span_notes_free span_notes_margin candidates candidates_most lucky
"""

STATE = np.dtype(
    [
        ("now", "f8"),
        ("belt_delay", "f8"),
        ("pace", "f8"),  # buckets of the wheel per second
        ("reach", "f8"),  # how many buckets off an event may be
        ("warmup", "f8"),
        ("slow", "f8"),
        *((name, "i8") for name in _NUMBERS.split()),
        ("address", "i8", (len(TABLES),)),
    ],
    align=True,
)
"""The time, what comes next, of everything that can run short the first free one and how many are left, and where the tables are."""


_ADDRESSES = int(dict(STATE.fields or {})["address"][1])  # where they begin in the record


def _table(name: str) -> Callable[[State], Any]:
    """The compiled function that finds a table. Nothing owns what it finds but the `Tables` of the run, which outlive every call."""
    return rows_at(TABLES[name], _ADDRESSES + 8 * PLACES[name])


class Tables:
    """The arrays of a run by name, and the record that knows where they are."""

    def __init__(self) -> None:
        self.array: dict[str, NDArray[Any]] = {}
        self.rows = np.zeros(1, STATE)
        self.s = self.rows[0]

    def put(self, **arrays: NDArray[Any]) -> None:
        """Set several by name."""
        for name, array in arrays.items():
            self[name] = array

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.array[name]

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        """Put an array in the place of another; the interpreter finds it there."""
        array = np.ascontiguousarray(array, TABLES[name])
        self.array[name] = array
        self.s["address"][PLACES[name]] = array.ctypes.data
        if name in COUNTED:
            self.s[COUNTED[name]] = array.shape[0]
        if name in WIDTHS:
            self.s[WIDTHS[name]] = array.shape[1]


heap = _table("heap")
belt = _table("belt")
soon = _table("soon")
wheel = _table("wheel")
used = _table("used")
ready = _table("ready")
slots = _table("slots")
requests = _table("requests")
marks = _table("marks")
timers = _table("timers")
lanes = _table("lanes")
ops = _table("ops")
hosts = _table("hosts")
replicas = _table("replicas")
ended = _table("ended")
draws = _table("draws")
numbers = _table("numbers")
request_rows = _table("request_rows")
message_rows = _table("message_rows")
event_rows = _table("event_rows")
span_rows = _table("span_rows")
stage_rows = _table("stage_rows")
flows = _table("flows")
diaries = _table("diaries")
stage_notes = _table("stage_notes")
span_notes = _table("span_notes")
candidates = _table("candidates")
calls = _table("calls")
targets = _table("targets")
hops = _table("hops")
wires = _table("wires")
wire_losses = _table("wire_losses")
wire_delays = _table("wire_delays")
guards = _table("guards")
guard_of = _table("guard_of")
breakers = _table("breakers")
budgets = _table("budgets")
bulkheads = _table("bulkheads")
retries = _table("retries")
rings = _table("rings")
balancers = _table("balancers")
balancer_of = _table("balancer_of")
loads = _table("loads")
alive = _table("alive")
errors = _table("errors")
workloads = _table("workloads")
doors = _table("doors")
thresholds = _table("thresholds")
popularity = _table("popularity")
shares = _table("shares")
sources = _table("sources")
pieces = _table("pieces")
recordings = _table("recordings")
buffers = _table("buffers")
stocks = _table("stocks")
left = _table("left")
sold = _table("sold")
ran_out = _table("ran_out")
saved = _table("saved")
branches = _table("branches")
jobs = _table("jobs")
topics = _table("topics")
brokers = _table("brokers")
partitions = _table("partitions")
stickies = _table("stickies")
messages = _table("messages")
groups = _table("groups")
group_of = _table("group_of")
group_ended = _table("group_ended")
group_lanes = _table("group_lanes")
deliveries = _table("deliveries")
members = _table("members")
member_of = _table("member_of")
delays = _table("delays")
outboxes = _table("outboxes")
letters = _table("letters")
pending = _table("pending")
limits = _table("limits")
limiters = _table("limiters")
ring_of = _table("ring_of")
limiter_rings = _table("limiter_rings")
entries = _table("entries")
tokens = _table("tokens")
waiters = _table("waiters")
series = _table("series")
moments = _table("moments")
samples = _table("samples")
areas = _table("areas")
