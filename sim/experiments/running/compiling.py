"""Machine code in the making: by processes of its own, beside the first runs of an experiment or before them.

They belong to the command that has started them, and end with it however it ends; what they have compiled by then is
kept, function by function, and the next command goes on from there. To leave them behind instead would surprise whoever
looks at his processes, and gain little: who has runs for which it pays comes back.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable
from typing import Literal

from sim.experiments.running.child_processes import begin_life, quiet_birth

State = Literal["making", "ready", "failed"]


class Compilation:
    """Two processes that compile from both ends; a context, which ends them. OSError: the system gives no processes."""

    def __init__(self, make: Callable[[], None], help_making: Callable[[], None], is_ready: Callable[[], bool]) -> None:
        context = multiprocessing.get_context("spawn")
        self._is_ready = is_ready
        self._processes = [context.Process(target=_work, args=(part,), daemon=True) for part in (make, help_making)]
        try:
            with quiet_birth():
                for process in self._processes:
                    process.start()
        except BaseException:
            self.close()
            raise

    def state(self) -> State:
        """How far it is. It is ready when all is on disk."""
        maker = self._processes[0]
        if maker.is_alive():
            return "making"
        return "ready" if maker.exitcode == 0 and self._is_ready() else "failed"

    def wait(self) -> State:
        """How it has ended."""
        self._processes[0].join()
        return self.state()

    def close(self) -> None:
        """End what is still going on."""
        for process in self._processes:
            if process.pid is not None:
                process.kill()
                process.join()


def _work(part: Callable[[], None]) -> None:
    """In a process of its own, silent: whoever waits for it sees how it ends."""
    begin_life()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        try:
            part()
        except Exception:  # the parent compiles, or tells, where it matters
            sys.exit(1)
