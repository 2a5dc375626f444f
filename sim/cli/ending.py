"""SIGTERM and SIGHUP end the work as Ctrl-C does: finished runs are kept, workers go, nothing half-written is left.

The exit code tells which it was.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
import weakref
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from sim.errors import Interrupted

_SOON = 0.01  # seconds, until whatever Python was in the middle of is over

_AS_CTRL_C = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has no SIGHUP


class _AskedToEnd(KeyboardInterrupt):
    """As Python's own, but that a weak reference can tell when it is gone."""


class Ending:
    """Which signal has asked this process to end. What is ignored from the start (`nohup`) stays ignored."""

    def __init__(self) -> None:
        self._heard: int = signal.SIGINT
        self.broken_off: BaseException | None = None  # with all that its frames hold
        for number in _AS_CTRL_C:
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, self._hear)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._hear)
        self._ends = False
        self._of_threads = threading.excepthook
        threading.excepthook = self._broken
        self._told_elsewhere = sys.unraisablehook
        sys.unraisablehook = self._unraised
        self._over = False
        self._under_way: weakref.ref[_AskedToEnd] | None = None

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self._heard, self._ends = number, True
        gc.freeze()  # nobody walks through millions of users once more, now that they are to go with the process
        asked = _AskedToEnd()
        self._under_way = weakref.ref(asked, self._lost)
        try:
            raise asked
        finally:
            del asked  # this frame is in its traceback: it would hold itself

    def _lost(self, _under_way: object) -> None:
        """Nobody holds the interruption any more, and it has not come to where the process ends.

        It fell into a callback where nothing can be raised, or into C code that looks for something and forgets what is
        raised meanwhile. Then it comes again.
        """
        if self._over:
            return
        again = threading.Timer(_SOON, _again, (self._heard,))
        again.daemon = True
        again.start()

    def _broken(self, found: threading.ExceptHookArgs) -> None:
        """A thread that manages workers may stumble over those that the same signal has ended: that is not worth a
        word.
        """
        if not self._ends:
            self._of_threads(found)

    def _unraised(self, found: sys.UnraisableHookArgs) -> None:
        """Where nothing can be raised, in a callback of a weak reference or a `__del__`, Python prints it and goes on.

        An interruption is not printed, for it comes again.
        """
        if not issubclass(found.exc_type, KeyboardInterrupt):
            self._told_elsewhere(found)

    def exit_code(self, code: int) -> int:
        """The exit code as a shell expects it: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.

        From now on none of them is heard.
        """
        self._over = True
        for number in (signal.SIGINT, *_AS_CTRL_C):
            signal.signal(number, signal.SIG_IGN)  # all is done and told; one more would only break the leave-taking
        # Python has noted an interruption that fell into an `exec` of some library, and would end by SIGINT; the next
        # `exec` clears that
        exec("")
        return 128 + self._heard if code == Interrupted.exit_code else code

    def leave(self, code: int) -> NoReturn:
        """End the process. What was broken off is not taken apart before: that of a million users takes seconds."""
        if self.broken_off is None:
            sys.exit(code)
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _again(number: int) -> None:
    """The signal once more, to the main thread, so that a wait of its is woken."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


def came_of_interruption(error: BaseException | None) -> bool:
    """Whether it was raised for, or after, a KeyboardInterrupt: Python wraps one that falls into the making of a class,
    and libraries do so too.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
