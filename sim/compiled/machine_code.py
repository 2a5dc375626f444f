"""The machine code of the interpreter: made once for each version of the sources and each machine, then found on disk."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float64, from_dtype, int64

from sim.chance.compiler import cache_directory
from sim.compiled import attempts, calendar, consumers, guards, interpreter, memory, places, relays, tasks, topics
from sim.compiled.state import ENTRY_ROW, STATE

_STATE = from_dtype(STATE)
_ENTRIES = (  # what Python calls, and with what beside the state
    (calendar.push, (float64, int64, int64)),
    (calendar.schedule, (int64, float64, int64, int64)),
    (calendar.make_ready, (int64,)),
    (calendar.put_ready, (int64,)),
    (calendar.leave_wheel, ()),
    (tasks.new_task, (int64, int64, int64, int64, int64)),
    (tasks.free_slot, (int64,)),
    (tasks.close, (int64, int64)),
    (attempts.waited_too_long, (int64, int64)),
    (guards.stop, (int64, int64, int64, int64)),
    (places.stop_cores, (int64,)),
    (places.start_cores, (int64,)),
    (consumers.put_back, (int64,)),
    (consumers.end_delivery, (int64, int64, int64)),
    (consumers.write_message, (int64, int64, float64, int64, int64)),
    (topics.notify, (int64, int64)),
    (relays.release_rest, (int64,)),
    (memory.free_note, (int64,)),
    (interpreter.run, (int64,)),  # last: where it is, all is
)


def is_ready() -> bool:
    """Whether there is machine code of these very sources on disk, so that starting takes a second and not half a minute."""
    directory = cache_directory()
    return directory is not None and any(directory.rglob("interpreter.run-*.nbi"))


def prepare() -> None:
    """Compile all of it, or load it; what is there already costs nothing."""
    entries: Any = _ENTRIES
    memory.copy_entries(np.zeros(1, ENTRY_ROW), np.zeros(2, ENTRY_ROW))
    for function, types in entries:
        function.compile((_STATE, *types))
