"""The client-side rate limiter of the AWS SDK's adaptive retry mode (botocore retries/adaptive.py, bucket.py,
throttling.py): a token bucket whose rate goes down with each throttled answer and comes back as TCP CUBIC does.

Nobody waits before the first throttled answer. Each answer, or failure, tells the measured rate, an average of the
answers in half seconds of the clock. A throttled one lets the rate fall to 0.7 of what was measured, or of the rate if
that is less; any other sets it to 0.4 (t - k)^3 + w, where w is the rate at the last throttled answer, t the time
since, k = cbrt(0.3 w / 0.4); never more than twice what is measured, nor less than 0.5 per second. The bucket holds
what a second brings, one token at least.

Where it departs: cube and cube root are worked out by multiplication, and may differ in the last digits.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.policies.base import dtype_of, noise, periods, policy

SCALE, BETA, SMOOTHING, BUCKET, LEAST_RATE, MOST_TIMES = 0.4, 0.7, 0.8, 0.5, 0.5, 2.0


@dataclass(slots=True)
class AdaptiveRow:
    """One client. Rates per second, times in seconds; it begins at time 0."""

    enabled: int = 0
    unborn: int = 0  # 1: it begins when it is first used
    count: int = 0  # answers since `bucket`
    fill_rate: float = 1.0
    most_tokens: float = 1.0
    tokens: float = 0.0
    filled: float = 0.0  # when
    measured: float = 0.0
    bucket: float = 0.0  # the beginning of the latest half second that was counted
    w_max: float = 0.0
    k: float = 0.0
    last_fail: float = 0.0


ADAPTIVE = dtype_of(AdaptiveRow)


@policy
def ask(row: AdaptiveRow, now: float) -> float:
    """Take a token: 0, or the seconds until there may be one, and none is taken."""
    if row.unborn:
        begin(row, now)
    if not row.enabled:
        return 0.0
    refill(row, now)
    lacking = (1.0 - row.tokens) / row.fill_rate
    if lacking > noise(now):
        return lacking
    row.tokens -= 1.0
    return 0.0


@policy
def hear(row: AdaptiveRow, now: float, throttled: int) -> None:
    """An attempt has ended, with an answer that was throttled or in any other way."""
    if row.unborn:
        begin(row, now)
    measure(row, now)
    if throttled:
        row.w_max = row.measured
        if row.enabled and row.fill_rate < row.measured:
            row.w_max = row.fill_rate
        row.k = cube_root(row.w_max * (1.0 - BETA) / SCALE)
        row.last_fail = now
        row.enabled = 1
        rate = row.w_max * BETA
    else:
        since = now - row.last_fail - row.k
        rate = SCALE * (since * since * since) + row.w_max
    rate = min(rate, MOST_TIMES * row.measured)
    refill(row, now)
    row.fill_rate = rate if rate > LEAST_RATE else LEAST_RATE
    row.most_tokens = rate if rate >= 1.0 else 1.0
    row.tokens = min(row.tokens, row.most_tokens)


@policy
def begin(row: AdaptiveRow, now: float) -> None:
    """A client is made."""
    row.unborn = 0
    row.filled = row.last_fail = now
    row.bucket = float(periods(now, 1.0))


@policy
def refill(row: AdaptiveRow, now: float) -> None:
    """What time has brought."""
    row.tokens += (now - row.filled) * row.fill_rate
    row.tokens = min(row.tokens, row.most_tokens)
    row.filled = now


@policy
def measure(row: AdaptiveRow, now: float) -> None:
    """Count one more answer."""
    bucket = periods(now, BUCKET) * BUCKET
    row.count += 1
    if bucket > row.bucket:
        rate = row.count / (bucket - row.bucket)
        row.measured = rate * SMOOTHING + row.measured * (1.0 - SMOOTHING)
        row.count = 0
        row.bucket = bucket


@policy
def cube_root(value: float) -> float:
    """By Newton's method from above: a power may differ between the engines in the last bit."""
    if value <= 0.0:
        return 0.0
    root = value if value > 1.0 else 1.0
    while True:
        better = (2.0 * root + value / (root * root)) / 3.0
        if better >= root:
            return root
        root = better
