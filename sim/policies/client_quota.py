"""How much a client may send: its rate as Kafka's broker measures it, and for how long it reads nothing of it then.

Bytes are counted in samples of one window each. The rate is that of the samples that are not too old, over the time
since the first of them began, at least all but one window (common/metrics/stats/Rate.windowSize); over the quota the
channel is muted for as long as brings the average back (ClientQuotaManager: (rate - quota) / quota x that time).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import Ring, dtype_of, policy

SPARE = 2  # places of a ring beyond the samples that are young enough


@dataclass(slots=True)
class ClientQuotaRow:
    """What one client has sent, whose ring holds (began, bytes) of each sample. Times in seconds."""

    quota: float = 1.0  # bytes/s
    window: float = 1.0
    windows: int = 11
    first: int = 0  # place of the oldest sample
    count: int = 0


CLIENT_QUOTA = dtype_of(ClientQuotaRow)


def new_client_quota(quota: float, window: float, windows: int) -> tuple[ClientQuotaRow, Ring]:
    """A client that has sent nothing, and its ring."""
    return ClientQuotaRow(quota=quota, window=window, windows=windows), [0.0] * ring_size(windows)


def ring_size(windows: int) -> int:
    """Numbers in the ring of a client."""
    return 2 * (windows + SPARE)


@policy
def throttle_time(row: ClientQuotaRow, ring: Ring, now: float, size: float) -> float:
    """So many bytes have come; seconds for which no more are read (throttle_time_ms)."""
    places = row.windows + SPARE
    while row.count > 0 and now - ring[2 * row.first] >= row.windows * row.window:
        row.first = (row.first + 1) % places
        row.count -= 1
    last = (row.first + row.count + places - 1) % places
    if row.count == 0 or now - ring[2 * last] >= row.window:
        last = (row.first + row.count) % places
        row.count += 1
        ring[2 * last] = now
        ring[2 * last + 1] = 0.0
    ring[2 * last + 1] += size
    elapsed = now - ring[2 * row.first]
    span = elapsed + max(0, row.windows - 1 - math.floor(elapsed / row.window)) * row.window
    total = 0.0
    for index in range(row.count):
        total += ring[2 * ((row.first + index) % places) + 1]
    return max(0.0, (total / span - row.quota) / row.quota * span)
