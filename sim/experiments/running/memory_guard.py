"""Memory while a run goes on.

What queues and retries make of it is not all known on paper, so that it is looked at, and a run that takes too much is
ended with the words of the estimate.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

from sim.errors import UsageError
from sim.units import show_duration, show_size

_PAUSE = 0.1  # s between two looks
_HELPS = "give queues a `capacity` and retries a `budget`, or `record: {keep: summary}`"
_STATM = Path("/proc/self/statm")  # of Linux; elsewhere nobody looks


def within_memory(tick: Callable[[float], None], most: float | None) -> Callable[[float], None]:
    """A tick that raises a UsageError once this process has taken more than so many bytes since the first; None: no
    bound.

    What libraries and machine code take is there before the first tick, and not the run's. It looks at what the process
    has in memory, so that what the run frees meanwhile counts for it. Between two ticks nobody looks.
    """
    if most is None or resident() is None:
        return tick
    before, looked = 0, -math.inf

    def guarded(now: float) -> None:
        nonlocal before, looked
        if time.monotonic() - looked >= _PAUSE:
            looked = time.monotonic()
            held = resident() or 0
            before = before or held
            taken = held - before
            if taken > most:
                raise UsageError(_too_much(taken, most, now))
        tick(now)

    return guarded


def resident() -> int | None:
    """Bytes that this process has in memory; None where the system does not tell."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def none_left(error: MemoryError) -> UsageError:
    """What is told where the system gives a process no more: a limit of it, or of the machine, that is below ours."""
    asked = f" ({error})" if str(error) else ""
    held = resident()
    has = f" beside the {show_size(held)} that this process has" if held is not None else ""
    return UsageError(f"memory: the system gave no more{has}{asked}; {_HELPS}, or run fewer jobs at once (`--jobs 1`)")


def _too_much(taken: float, most: float, now: float) -> str:
    """In the words of the estimate."""
    after = f"taken by one replication after {show_duration(now)} of it"
    told = f"found {show_size(taken)} {after}, expected at most {show_size(most)}"
    return (
        f"memory: {told}: more is asked for, or tried again, than paper foresaw; {_HELPS}; `--max-memory` allows more"
    )
