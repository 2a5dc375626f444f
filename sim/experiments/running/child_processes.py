"""How processes of ours are born, quietly, and that none outlives the one that has started it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
_ENDINGS = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}


@contextlib.contextmanager
def quiet_birth() -> Iterator[None]:
    """Processes are born with one thread per library, deaf to Ctrl-C (the parent answers it), and without the user's
    `__main__`.

    What ends a process waits meanwhile: half a worker is none that could be ended.
    Jobs need nothing of `__main__`; importing it again would run a script that has no `if __name__ == "__main__"`
    twice.
    """
    main, environment = sys.modules["__main__"], dict(os.environ)
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    sys.modules["__main__"] = types.ModuleType("__main__")
    can_mask = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS) if can_mask else set()
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name in _ONE_THREAD:
            os.environ.pop(name, None)
            if name in environment:
                os.environ[name] = environment[name]
        if can_mask:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin_life() -> None:
    """What such a process does first: it is deaf to Ctrl-C, can be ended by SIGTERM, and ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """A parent that is killed leaves nobody to hand results to."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
