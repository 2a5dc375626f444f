"""A row sink in a thread of its own, which reads finished rows while the engine goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from sim.records.row_sinks import Kept, RowSink
from sim.records.rows import Rows, copied

AHEAD = 2  # pieces that wait or are being read; an engine that is faster waits for the first of them


class BackgroundSink:
    """Hands pieces of rows on to another sink, one after the other, so that what comes of them is the same as without
    a thread.

    That sink is called in the thread alone, until `finish`. What it raises is raised here, at one of the next pieces
    or at the end. An engine gains by it that lets other threads run while it works itself. A context: leaving it ends
    the thread, and drops what it has not begun.
    """

    def __init__(self, sink: RowSink) -> None:
        self._sink = sink
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="row sink")
        self._ahead: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def take_requests(self, rows: Rows) -> None:
        """Rows of REQUEST. May wait for earlier ones."""
        self._hand_on(self._sink.take_requests, rows)

    def take_messages(self, rows: Rows) -> None:
        """Rows of MESSAGE. May wait for earlier ones."""
        self._hand_on(self._sink.take_messages, rows)

    def finish(self) -> Kept:
        """What has been kept, when all has been read."""
        while self._ahead:
            self._ahead.popleft().result()
        return self._sink.finish()

    def _hand_on(self, take: Callable[[Rows], None], rows: Rows) -> None:
        if not rows.size:
            return
        while len(self._ahead) >= AHEAD:
            self._ahead.popleft().result()
        self._ahead.append(self._thread.submit(take, copied(rows)))  # the engine writes to its own again
