"""Circuit breakers as cockatiel (Node.js) decides: src/CircuitBreakerPolicy.ts, src/breaker/*.ts.

    consecutive  so many failures in a row, late ones counted too (ConsecutiveBreaker)
    sampling     a share of failures, strictly above, over windows of a fifth of `duration`, a second at most, where
                 there were enough requests a second. A window ends only at a result, and one at a time: in a lull old
                 ones stay (SamplingBreaker)
    count        a share of the last `size` results, strictly above, from so many results on (CountBreaker)

Open until so many whole milliseconds have passed; then the first call is the test. While it is under way all others
wait for its end, and then ask again: they go out together where it was good, and are refused where it was not. Results
of calls from before the breaker opened count as any other, and a failure among them may open a half-open one. A test
whose outcome is ignored closes it (`catch`: "Task failed successfully"); one that is cancelled has failed.

Left out: isolation, half-open back-offs that grow, signals of waiting callers.
"""

from __future__ import annotations

import math

from sim.policies.base import Ring, noise, policy
from sim.policies.breaker import CLOSED, HALF_OPEN, OPEN, REJECTED
from sim.policies.breaker_row import (
    COCKATIEL_COUNT,
    COCKATIEL_IN_A_ROW,
    COCKATIEL_SAMPLING,
    LibraryRow,
    add_bucket,
    change,
    count_call,
    count_failure,
    drop_oldest,
    forget_buckets,
    newest,
)
from sim.policies.verdicts import NO_VERDICT
from sim.spec.breaking import CockatielBreaker

WAITS = -2  # in the place of a ticket: for the end of the test
FROM_CLOSED, TEST = 0, 1  # tickets


def new_row(spec: CockatielBreaker) -> LibraryRow:
    """A closed one. Times in milliseconds, as there; the ring holds windows."""
    row = LibraryRow(open_for=milliseconds(spec.half_open_after))
    if (sampling := spec.sampling) is not None:
        row.kind, row.ratio = COCKATIEL_SAMPLING, sampling.threshold
        whole = milliseconds(sampling.duration)
        row.places = max(5, math.ceil(whole / 1000.0))
        row.width = math.floor(whole / row.places + 0.5)  # Math.round
        rate = 5.0 / (sampling.threshold * 1000.0) if not sampling.minimum_rps else sampling.minimum_rps / 1000.0
        row.window = row.width * row.places * rate  # the requests that it takes
    elif (count := spec.count) is not None:
        row.kind, row.ratio = COCKATIEL_COUNT, count.threshold
        row.places, row.most = count.size, count.least
    else:
        assert spec.consecutive is not None
        row.kind, row.most = COCKATIEL_IN_A_ROW, spec.consecutive
    return row


@policy
def milliseconds(now: float) -> float:
    """Date.now()."""
    return 1.0 * math.floor((now + noise(now)) * 1000.0 * (1.0 + 1e-15))


@policy
def admit(row: LibraryRow, now: float) -> int:
    """FROM_CLOSED, TEST, WAITS, or REJECTED."""
    if row.state == CLOSED:
        return FROM_CLOSED
    if row.state == HALF_OPEN:
        return WAITS
    if milliseconds(now) - milliseconds(row.opened) < row.open_for:
        return REJECTED
    turn(row, HALF_OPEN, now)
    return TEST


@policy
def settle(row: LibraryRow, ring: Ring, now: float, ticket: int, failed: int) -> None:
    """The end of a call; `failed` may be NO_VERDICT."""
    if ticket == TEST:
        if failed == NO_VERDICT:
            close(row, now)
        elif failed == 0:
            forget_buckets(row)
            hear(row, ring, now, 0)
            close(row, now)
        else:
            hear(row, ring, now, 1)
            open_it(row, now)
    elif failed != NO_VERDICT:
        hear(row, ring, now, failed)
        if failed == 1 and too_many(row):
            open_it(row, now)


@policy
def give_back(row: LibraryRow, now: float, ticket: int) -> None:
    """A call was cancelled: a test that was has failed, as an aborted fetch rejects; the windows do not hear of it."""
    if ticket == TEST:
        open_it(row, now)


@policy
def open_it(row: LibraryRow, now: float) -> None:
    """From whatever it was."""
    if row.state != OPEN:
        turn(row, OPEN, now)


@policy
def close(row: LibraryRow, now: float) -> None:
    """Only where it is half-open."""
    if row.state == HALF_OPEN:
        turn(row, CLOSED, now)


@policy
def turn(row: LibraryRow, state: int, now: float) -> None:
    """Enter a state; failures in a row are still in a row."""
    in_a_row = row.failed
    change(row, state, now)
    row.failed = in_a_row


@policy
def hear(row: LibraryRow, ring: Ring, now: float, failed: int) -> None:
    """One more result, in the latest window; of the last results each is a window of its own."""
    if row.kind == COCKATIEL_IN_A_ROW:
        row.failed = row.failed + 1 if failed == 1 else 0
        return
    begins = milliseconds(now)
    if row.kind == COCKATIEL_COUNT or row.buckets == 0 or begins - newest(row, ring) >= row.width:
        if row.buckets == row.places:
            drop_oldest(row, ring)
        add_bucket(row, ring, begins)
    count_call(row, ring)
    count_failure(row, ring, failed)


@policy
def too_many(row: LibraryRow) -> bool:
    """Whether the failure that was just heard opens it."""
    if row.kind == COCKATIEL_IN_A_ROW:
        return row.failed >= row.most
    if row.kind == COCKATIEL_SAMPLING and row.calls < row.window:
        return False
    if row.kind == COCKATIEL_COUNT and row.calls < row.most:
        return False
    return row.failures > row.ratio * row.calls
