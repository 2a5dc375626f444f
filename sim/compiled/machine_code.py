"""The machine code of the interpreter.

Made once for each version of the sources and each machine, then found on disk.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable, Iterator
from typing import Any

from numba import boolean, float64, from_dtype, int64

from sim.chance.compiler import is_whole, one_at_a_time, say_whole
from sim.compiled import (
    attempts,
    calendar,
    channels,
    clients,
    consumers,
    cores,
    events,
    eviction,
    interpreter,
    letters,
    memory,
    produced,
    producing,
    relays,
    tasks,
    topics,
)
from sim.compiled.apart import all_apart
from sim.compiled.base import PLAIN
from sim.compiled.rows.programs import Op
from sim.compiled.rows.state import STATE_TYPE
from sim.compiled.written import attempts as written_attempts
from sim.compiled.written import calls as written_calls
from sim.compiled.written import steps as written_steps

_PATIENCE = 300.0  # s; ten times as long as it takes where nothing else is under way
_NEW_OBJECTS = 500_000  # between two looks of the collector of garbage, a few hundred bytes each
_OP = from_dtype(Op.dtype)
_ENTRIES: tuple[Any, ...] = (  # what Python calls beside the interpreter, and with what beside the state
    (calendar.push, (float64, int64, int64)),
    (calendar.schedule, (int64, float64, int64, int64)),
    (calendar.make_ready, (int64,)),
    (calendar.put_ready, (int64,)),
    (calendar.leave_wheel, ()),
    (events.log_at, (float64, int64, int64, int64, float64)),
    (tasks.new_task, (int64, int64, int64, int64, int64)),
    (tasks.free_row, (int64,)),
    (tasks.close_open, (int64,)),
    (attempts.waited_too_long, (int64, int64)),
    (cores.stop_cores, (int64,)),
    (cores.start_cores, (int64,)),
    (consumers.put_back, (int64, boolean)),
    (consumers.let_go, (int64,)),
    (consumers.end_unpolled, (int64, int64)),
    (consumers.end_delivery, (int64, int64, int64)),
    (consumers.write_message, (int64, int64, float64, int64, int64)),
    (topics.notify, (int64, int64)),
    (relays.release_written, (int64,)),
    (producing.release_records, (int64,)),
    (produced.close_producer, (int64,)),
    (letters.write_letter, (int64, float64, int64)),
    (letters.release_blocked, (int64,)),
    (letters.end_wait, (int64,)),
    (channels.pass_over_from_outside, (int64,)),
    (memory.move_entries, (int64,)),
    (eviction.clear, (int64,)),
    (clients.first_arrival, (int64,)),
    (clients.begin_users, (int64, int64, int64)),
)


_PARTS: tuple[Any, ...] = (  # what `run` is made of, in the order in which it comes to them: its largest pieces
    (interpreter.wake, (int64,)),
    (written_calls.call_step, (int64, int64)),
    (written_attempts.attempt_step, (int64,)),
    (written_steps.spend, (int64, int64)),
    (written_steps.get_place, (int64, int64)),
    (interpreter.of_logs, (int64, _OP)),
)


def is_ready() -> bool:
    """Whether there is machine code of these very sources on disk.

    So that starting takes a second and not a minute.
    """
    return PLAIN or is_whole()


def prepare() -> None:
    """Compile all of it, or load it; what is there already costs nothing.

    What is done when this is broken off is kept, function by function.
    """
    if PLAIN:
        return
    _compile([*_ENTRIES, (interpreter.run, (int64,)), *all_apart()])
    say_whole()


def make() -> None:
    """The same on disk alone, where it is not there yet.

    While another process is at it, wait for that one, as long as it may take.
    """
    with one_at_a_time("making", _PATIENCE):
        if not is_ready():
            _lay_ground()
            prepare()


def help_making() -> None:
    """Begin with what `make` comes to last, in another process.

    Where they meet, each finds what the other has compiled.
    """
    with one_at_a_time("helping") as alone:
        if alone and not is_ready():
            _lay_ground()
            _compile(reversed([*_PARTS, *all_apart()]))


def _lay_ground() -> None:
    """What both need: one of them compiles it, and the other waits rather than do the same."""
    with one_at_a_time("ground", _PATIENCE):
        _compile(_ENTRIES)


def _compile(functions: Iterable[Any]) -> None:
    with _seldom_collected():
        for function, types in functions:
            function.compile((STATE_TYPE, *types))


@contextlib.contextmanager
def _seldom_collected() -> Iterator[None]:
    """Python's collector of garbage looks seldom: numba makes millions of objects, nearly all of which stay, and to
    look at them again and again is a twelfth of the time that compilation takes.
    """
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
