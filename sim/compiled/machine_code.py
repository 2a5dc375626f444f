"""The machine code of the interpreter: made once for each version of the sources and each machine, then found on disk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numba import float64, from_dtype, int64, typeof

from sim.chance.arrivals import CHUNK, SOURCE, fill_arrivals
from sim.chance.compiler import is_whole, one_at_a_time, say_whole
from sim.chance.rates import PIECE
from sim.chance.shared import machine_code
from sim.compiled import attempts, calendar, calls, clients, consumers, guards, interpreter, memory, operations, places, relays, tasks, topics
from sim.compiled.state import ENTRY_ROW, OP, STATE

_PATIENCE = 300.0  # s; ten times as long as it takes where nothing else is under way
_STATE, _OP = from_dtype(STATE), from_dtype(OP)
_ENTRIES: tuple[Any, ...] = (  # what Python calls, and with what beside the state
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


_PARTS: tuple[Any, ...] = (  # what `run` is made of, in the order in which it comes to them: its largest pieces
    (interpreter.happen, (int64, int64)),
    (interpreter.wake, (int64,)),
    (calls.call_step, (int64, int64)),
    (attempts.steps_over, (int64, int64)),
    (operations.spend, (int64, _OP)),
    (operations.get_place, (int64, _OP)),
    (clients.ask, (int64, int64)),
    (interpreter.of_logs, (int64, _OP)),
    (interpreter.unusual, (int64, _OP)),
)


def is_ready() -> bool:
    """Whether there is machine code of these very sources on disk, so that starting takes a second and not half a minute."""
    return is_whole()


def prepare() -> None:
    """Compile all of it, or load it; what is there already costs nothing. What is done when this is broken off is kept, function by function."""
    _compile(_ENTRIES)
    memory.copy_entries(np.zeros(1, ENTRY_ROW), np.zeros(2, ENTRY_ROW))
    signals = np.zeros(1, SOURCE), np.zeros(1, PIECE), np.zeros(1), 0, np.zeros(1), CHUNK
    machine_code(fill_arrivals).compile(tuple(map(typeof, signals)))  # type: ignore[attr-defined]  # a dispatcher of numba
    say_whole()


def make() -> None:
    """The same on disk alone, where it is not there yet. While another process is at it, wait for that one, as long as it may take."""
    with one_at_a_time("making", _PATIENCE):
        if not is_ready():
            _lay_ground()
            prepare()


def help_making() -> None:
    """Begin with what `make` comes to last, in another process: where they meet, each finds what the other has compiled."""
    with one_at_a_time("helping") as alone:
        if alone and not is_ready():
            _lay_ground()
            _compile(reversed(_PARTS))


def _lay_ground() -> None:
    """What both need: one of them compiles it, and the other waits rather than do the same."""
    with one_at_a_time("ground", _PATIENCE):
        _compile(_ENTRIES[:-1])


def _compile(functions: Iterable[Any]) -> None:
    for function, types in functions:
        function.compile((_STATE, *types))
