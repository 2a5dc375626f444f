"""Numbers of traces and spans: digests of what they are of, so that the same run gives the same ones."""

from __future__ import annotations

import hashlib

from sim.records.tables import Records


def trace_id(records: Records, request: int) -> str:
    """32 hexadecimal digits, never all zero."""
    return _digest(f"{records.seed}/{records.replication}/{request}", 16)


def span_id(trace: str, number: int) -> str:
    """16 hexadecimal digits, never all zero."""
    return _digest(f"{trace}/{number}", 8)


def _digest(text: str, size: int) -> str:
    found = hashlib.blake2b(text.encode(), digest_size=size).hexdigest()
    return found if int(found, 16) else f"{1:0{2 * size}x}"
