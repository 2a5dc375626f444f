"""The vocabulary as constants of the interpreter: how requests and messages end, and what the event log can say."""

from __future__ import annotations

from sim.compiled.base import whole
from sim.vocabulary import EventKind, MessageEnd, Outcome

OK = whole(Outcome.OK)
DEGRADED = whole(Outcome.DEGRADED)
REFUSED = whole(Outcome.REFUSED)
RATE_LIMITED = whole(Outcome.RATE_LIMITED)
UNAUTHORIZED = whole(Outcome.UNAUTHORIZED)
SHED = whole(Outcome.SHED)
BREAKER_OPEN = whole(Outcome.BREAKER_OPEN)
BULKHEAD_FULL = whole(Outcome.BULKHEAD_FULL)
TIMEOUT = whole(Outcome.TIMEOUT)
ERROR = whole(Outcome.ERROR)
UNREACHABLE = whole(Outcome.UNREACHABLE)
IN_FLIGHT = whole(Outcome.IN_FLIGHT)
LOCK_TIMEOUT, DEADLOCK = whole(Outcome.LOCK_TIMEOUT), whole(Outcome.DEADLOCK)

PROCESSED = whole(MessageEnd.PROCESSED)
DEAD_LETTERED = whole(MessageEnd.DEAD_LETTERED)
SKIPPED = whole(MessageEnd.SKIPPED)
QUEUED = whole(MessageEnd.QUEUED)
EXPIRED, DROPPED, LOST = whole(MessageEnd.EXPIRED), whole(MessageEnd.DROPPED), whole(MessageEnd.LOST)

BREAKER_EVENTS = (  # by the state that the breaker is in now
    whole(EventKind.BREAKER_CLOSED),
    whole(EventKind.BREAKER_OPENED),
    whole(EventKind.BREAKER_HALF_OPENED),
)
SHEDDING_BEGAN, SHEDDING_ENDED = whole(EventKind.SHEDDING_BEGAN), whole(EventKind.SHEDDING_ENDED)
LISTEN_OVERFLOW_BEGAN = whole(EventKind.LISTEN_OVERFLOW_BEGAN)
LISTEN_OVERFLOW_ENDED = whole(EventKind.LISTEN_OVERFLOW_ENDED)
LIMITING_BEGAN, LIMITING_ENDED = whole(EventKind.LIMITING_BEGAN), whole(EventKind.LIMITING_ENDED)
STOCK_RAN_OUT, OVERSOLD = whole(EventKind.STOCK_RAN_OUT), whole(EventKind.OVERSOLD)
REPLICA_EJECTED, REPLICA_RETURNED = whole(EventKind.REPLICA_EJECTED), whole(EventKind.REPLICA_RETURNED)
PUBLISHERS_BLOCKED, PUBLISHERS_RELEASED = whole(EventKind.PUBLISHERS_BLOCKED), whole(EventKind.PUBLISHERS_RELEASED)
CONSUMER_TIMED_OUT = whole(EventKind.CONSUMER_TIMED_OUT)
ISR_EXPANDED = whole(EventKind.ISR_EXPANDED)
BUDGET_EXHAUSTED = whole(EventKind.BUDGET_EXHAUSTED)
