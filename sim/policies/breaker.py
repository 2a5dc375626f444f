"""The circuit breaker, in two kinds: failures counted within a time, and resilience4j's rates over a window.

**Count in a window** (the article's; semantics.md 1.10). CLOSED: a failure is stamped when its result is recorded; when
`failures` stamps satisfy `stamp > now - within`, it opens. OPEN: rejects until `now >= opened + open_for`, that instant
not included, as Polly and pybreaker do; the call that comes then is the first probe. HALF_OPEN: admits exactly
`half_open_calls` probes; a failed one opens it again at once, all good ones close it, with nothing remembered. The
result of a call that was admitted in an earlier period is ignored.

**resilience4j** (semantics.md 1.1; CircuitBreakerStateMachine, CircuitBreakerMetrics, FixedSizeSlidingWindowMetrics and
SlidingTimeWindowMetrics of resilience4j). After each result: below the minimum number of calls nothing is decided;
otherwise it opens when the share of failed, or of slow, calls is `>=` its threshold. OPEN ends lazily, at the first
call after `opened + wait` (strictly after), or at that instant where the transition is automatic; the wait is cut to
whole milliseconds (CircuitBreakerConfig.waitDurationInOpenState: toMillis, for IntervalFunction.of), and may grow with
each opening in a row. A half-open breaker judges over min(minimum calls, permitted calls) results and closes when both
rates are below. A late result goes to the state of the moment: it counts among the probes of a half-open breaker, and
in an open one it changes nothing. When `max_wait_duration_in_half_open_state` is over, a half-open breaker opens
again, at that instant. What the clock does is worked out at the next call, result or look, so that no timer is needed,
and whether anyone looked makes no difference. Windows by time are one bucket for each whole second of the clock.

A wait that is drawn is so when the breaker opens, by a key of its own, how often its state has changed and when: a turn
by the clock has nobody who could hand it a number, and who is restarted begins to count anew.

Left out: the states DISABLED, METRICS_ONLY and FORCED_OPEN. Of several
turns by the clock between two calls the event log tells the last two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.chance.keyed import uniform
from sim.policies.base import MILLISECONDS, NANOSECONDS, Ring, dtype_of, noise, passed, periods, policy, reached
from sim.policies.pauses import capped_milliseconds, grown_milliseconds, randomized_milliseconds, whole_milliseconds
from sim.policies.verdicts import NO_VERDICT, verdict, verdicts
from sim.spec.policy import CircuitBreaker, Resilience4jBreaker

CLOSED = 0
OPEN = 1
HALF_OPEN = 2

REJECTED = -1

COUNT_IN_WINDOW = 0
COUNT_BASED = 1
TIME_BASED = 2


@dataclass(slots=True)
class BreakerRow:
    """One breaker: its state, its window, and what the scenario says of it. Times in seconds, rates in percent."""

    kind: int = COUNT_IN_WINDOW
    failing: int = 0  # bit i: outcome i is a failure
    passing: int = 0  # bit i: it is a success
    state: int = CLOSED
    was: int = CLOSED  # the state before this one
    period: int = 0  # how often the state has changed: the ticket of the calls admitted now
    permits: int = 0  # probes that may still be admitted (half-open)
    calls: int = 0  # results in the window; count in a window: stamps in the ring, or good probes
    failed: int = 0  # of these
    slow: int = 0  # of these
    head: int = 0  # next place in the ring; time_based: the bucket of `second`
    second: int = 0  # time_based: the whole second of the bucket at head
    since: float = 0.0  # when the present state began
    was_since: float = 0.0  # when the one before did
    opened: float = 0.0  # when it last opened
    size: int = 1  # of the window: failures, calls or seconds
    minimum: int = 1  # results below which a closed breaker does not judge
    half_open_minimum: int = 1  # the same, half-open
    probes: int = 1  # calls admitted when half-open
    within: float = 0.0
    open_for: float = 0.0
    half_open_for: float = 0.0  # longest time half-open; 0: for ever
    by_itself: int = 0  # whether it is half-open as soon as its wait is over
    openings: int = 0  # in a row, without having been closed
    first_wait: float = 0.0  # where there is a factor: `open_for` after the first of these, if not capped
    factor: float = 0.0  # how many times as long each is as the one before; 0: nobody has said
    longest_wait: float = math.inf
    failure_rate: float = 0.0
    slow_rate: float = 0.0
    slow_duration: float = 0.0
    spread: float = -1.0  # by which share of it a wait may be shorter or longer; negative: none is drawn
    luck: int = 0  # a key of its own, by which they are drawn


BREAKER = dtype_of(BreakerRow)


def new_breaker(spec: CircuitBreaker, limited: bool = False) -> tuple[BreakerRow, Ring]:
    """A closed breaker; `limited` where its caller has a rate limit of its own.

    Ring: `failures` stamps; or one code (1 failed + 2 slow) a call; or calls, failed, slow of each second.
    """
    if spec.resilience4j is not None:
        row, ring = _new_resilience4j(spec.resilience4j)
    else:
        row = BreakerRow(size=spec.failures, within=spec.within, open_for=spec.open_for, probes=spec.half_open_calls)
        ring = [0.0] * spec.failures
    row.failing, row.passing = verdicts(spec, row.kind != COUNT_IN_WINDOW, limited)
    return row, ring


def _new_resilience4j(spec: Resilience4jBreaker) -> tuple[BreakerRow, Ring]:
    by_count = spec.sliding_window_type == "count_based"
    size, probes, minimum = (
        spec.sliding_window_size,
        spec.permitted_number_of_calls_in_half_open_state,
        spec.minimum_number_of_calls,
    )
    row = BreakerRow(
        kind=COUNT_BASED if by_count else TIME_BASED,
        size=size,
        minimum=min(minimum, size) if by_count else minimum,
        half_open_minimum=min(minimum, probes),
        probes=probes,
        open_for=whole_milliseconds(spec.wait_duration_in_open_state) / MILLISECONDS,
        half_open_for=spec.max_wait_duration_in_half_open_state,
        first_wait=spec.wait_duration_in_open_state,
        factor=spec.exponential_backoff_multiplier or 0.0,
        longest_wait=spec.exponential_max_wait_duration_in_open_state or math.inf,
        by_itself=int(spec.automatic_transition_from_open_to_half_open_enabled),
        failure_rate=spec.failure_rate_threshold,
        slow_rate=spec.slow_call_rate_threshold,
        slow_duration=spec.slow_call_duration_threshold,
        spread=-1.0 if spec.randomized_wait_factor is None else spec.randomized_wait_factor,
    )
    return row, [0.0] * (size if by_count else 3 * size)


@policy
def admit(row: BreakerRow, ring: Ring, now: float) -> int:  # noqa: ARG001 - one shape for all functions of the breaker
    """May a call go out? -1: no. Otherwise its ticket (>= 0), to be handed back once, to `record` or to `give_back`."""
    if row.state == CLOSED:
        return row.period
    turn_by_clock(row, now)
    if row.state == OPEN:
        if not wait_is_over(row, now):
            return REJECTED
        change(row, HALF_OPEN, now)
    if row.permits <= 0:
        return REJECTED
    row.permits -= 1
    return row.period


@policy
def settle(row: BreakerRow, ring: Ring, now: float, ticket: int, outcome: int, duration: float) -> None:
    """An admitted call ended with this outcome: take the result in, or its permit back where it says nothing about the
    callee.
    """
    failed = verdict(row.failing, row.passing, outcome)
    if failed == NO_VERDICT:
        give_back(row, ring, now, ticket)
    else:
        record(row, ring, now, ticket, failed, duration)


@policy
def record(row: BreakerRow, ring: Ring, now: float, ticket: int, failed: int, duration: float) -> None:
    """Take in the result of an admitted call, when it ends: `failed` 0 or 1, `duration` in seconds (timeouts
    included).
    """
    if row.kind == COUNT_IN_WINDOW:
        if ticket == row.period:
            record_in_period(row, ring, now, failed)
        return
    turn_by_clock(row, now)
    if row.state == OPEN:
        return
    slow = 0
    if duration > row.slow_duration + noise(now):
        slow = 1
    if row.state == CLOSED:
        if row.kind == COUNT_BASED:
            forget_oldest_call(row, ring)
            ring[row.head] = 1.0 * failed + 2.0 * slow
            row.head = (row.head + 1) % row.size
        else:
            forget_old_seconds(row, ring, now)
            ring[3 * row.head] += 1.0
            ring[3 * row.head + 1] += 1.0 * failed
            ring[3 * row.head + 2] += 1.0 * slow
    row.calls += 1
    row.failed += failed
    row.slow += slow
    judge(row, ring, now)


@policy
def give_back(row: BreakerRow, ring: Ring, now: float, ticket: int) -> None:  # noqa: ARG001 - one shape for all
    """An admitted call ended with nothing to record (its bulkhead was full, say): a probe's permit is free again.

    resilience4j does not ask in which state the call was admitted: `releasePermission` of a half-open breaker always
    adds a permit.
    """
    if row.kind == COUNT_IN_WINDOW:
        if row.state == HALF_OPEN and ticket == row.period:
            row.permits += 1
        return
    turn_by_clock(row, now)
    if row.state == HALF_OPEN:
        row.permits += 1


@policy
def state(row: BreakerRow, now: float) -> int:
    """CLOSED, OPEN or HALF_OPEN. An open breaker stays OPEN until a call comes, also when its time is over."""
    turn_by_clock(row, now)
    return row.state


@policy
def change(row: BreakerRow, to: int, now: float) -> None:
    """Enter a state, with an empty window."""
    row.was = row.state
    row.was_since = row.since
    row.state = to
    row.period += 1
    row.since = now
    row.permits = 0
    if to == HALF_OPEN:
        row.permits = row.probes
    elif to == OPEN:
        row.opened = now
        row.openings += 1
        if row.factor > 0.0:
            row.open_for = wait_after(row)
        elif row.spread >= 0.0:
            row.open_for = drawn_wait(row)
    else:
        row.openings = 0
    row.calls = 0
    row.failed = 0
    row.slow = 0
    row.head = 0


@policy
def wait_after(row: BreakerRow) -> float:
    """The wait of an open breaker of resilience4j that has opened so often in a row
    (IntervalFunction.ofExponentialBackoff; OpenState hands it `attempts`).
    """
    whole = grown_milliseconds(row.first_wait, row.factor, row.openings)
    return capped_milliseconds(whole, row.longest_wait) / MILLISECONDS


@policy
def drawn_wait(row: BreakerRow) -> float:
    """The wait of an open breaker of resilience4j that is drawn each time (IntervalFunction.ofRandomized)."""
    luck = uniform(row.luck, row.period, math.floor(row.since * NANOSECONDS))
    return randomized_milliseconds(whole_milliseconds(row.first_wait), row.spread, luck) / MILLISECONDS


@policy
def wait_is_over(row: BreakerRow, now: float) -> bool:
    """Whether an open breaker may let a call try."""
    if row.kind == COUNT_IN_WINDOW:
        return reached(now, row.since + row.open_for)
    return passed(now, row.since + row.open_for)


@policy
def turn_by_clock(row: BreakerRow, now: float) -> None:
    """What the clock alone has brought about, as of the instants at which it did: a half-open breaker whose longest
    wait is over has opened, and an open one that turns by itself is half-open when its wait is over.
    """
    while True:
        if row.state == HALF_OPEN and row.half_open_for > 0.0:
            end = row.since + row.half_open_for
            to = OPEN
        elif row.state == OPEN and row.by_itself == 1:
            end = row.since + row.open_for
            to = HALF_OPEN
        else:
            return
        if not reached(now, end):
            return
        change(row, to, end)


@policy
def record_in_period(row: BreakerRow, ring: Ring, now: float, failed: int) -> None:
    """Count in a window: a result of the present period, closed or half-open (none is admitted when open)."""
    if row.state == CLOSED:
        if failed == 0:
            return
        ring[row.head] = now
        row.head += 1
        if row.head == row.size:
            row.head = 0
        if row.calls < row.size:
            row.calls += 1
        # The ring holds the last `failures` stamps in order, so that all lie within the window when the oldest does.
        if row.calls == row.size and not reached(now, ring[row.head] + row.within):
            change(row, OPEN, now)
    elif failed != 0:
        change(row, OPEN, now)
    else:
        row.calls += 1
        if row.calls >= row.probes:
            change(row, CLOSED, now)


@policy
def forget_oldest_call(row: BreakerRow, ring: Ring) -> None:
    """COUNT_BASED: make room in a full window."""
    if row.calls < row.size:
        return
    code = ring[row.head]
    row.calls -= 1
    if code >= 2.0:
        row.slow -= 1
        code -= 2.0
    if code >= 1.0:
        row.failed -= 1


@policy
def forget_old_seconds(row: BreakerRow, ring: Ring, now: float) -> None:
    """TIME_BASED: move the head to the present second and empty the buckets that it passes."""
    second = periods(now, 1.0)
    steps = min(second - row.second, row.size)
    for _ in range(steps):
        row.head = (row.head + 1) % row.size
        at = 3 * row.head
        row.calls -= int(ring[at])
        row.failed -= int(ring[at + 1])
        row.slow -= int(ring[at + 2])
        ring[at] = 0.0
        ring[at + 1] = 0.0
        ring[at + 2] = 0.0
    row.second = second


@policy
def judge(row: BreakerRow, ring: Ring, now: float) -> None:
    """The thresholds of resilience4j, after every result."""
    minimum = row.minimum
    if row.state == HALF_OPEN:
        minimum = row.half_open_minimum
    if row.calls < minimum:
        return
    if 100.0 * row.failed / row.calls >= row.failure_rate or 100.0 * row.slow / row.calls >= row.slow_rate:
        change(row, OPEN, now)
    elif row.state == HALF_OPEN:
        change(row, CLOSED, now)
        if row.kind == TIME_BASED:
            row.second = periods(now, 1.0)
            for i in range(3 * row.size):
                ring[i] = 0.0
