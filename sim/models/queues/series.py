"""Time series of a queue and of its consumers."""

from __future__ import annotations

from collections.abc import Callable

from sim.models.queues.deaths import CAUSES
from sim.models.queues.queue import Queue

MEMBER = "busy member"  # how the series of a consumer begins; its number follows
MOST_WATCHED = 256  # consumers of a queue with a series of their own


def watch_queue(queue: Queue) -> None:
    """Series of what comes, waits and goes."""
    watch, name = queue.recorder.watch, queue.component
    watch(name, "lag", "level", lambda _: queue.published - sum(queue.ended))
    watch(name, "ready", "level", lambda _: len(queue.waiting))
    watch(name, "unacked", "level", lambda _: len(queue.unacked))
    watch(name, "delivered", "total", lambda _: queue.delivered)
    watch(name, "redelivered", "total", lambda _: queue.redelivered)
    if queue.process.work is not None:
        watch(name, "process", "mean", queue.process.worked_until)
    for cause in CAUSES if queue.spec.dead_letter is not None else ():
        watch(name, f"given up {cause}", "total", _given_up(queue, cause))


def _given_up(queue: Queue, cause: str) -> Callable[[float], float]:
    return lambda _: queue.given_up[cause]


def watch_consumers(queue: Queue) -> None:
    """Series of all consumers together, and one for each where they are not too many: all of them are known now."""
    if not queue.everyone:
        return
    watch, name = queue.recorder.watch, queue.component
    watch(name, "busy", "mean", lambda now: queue.busy_area + queue.busy * now)
    watch(name, "workers", "mean", lambda now: sum(taker.held_until(now) for taker in queue.everyone))
    if 1 < len(queue.everyone) <= MOST_WATCHED:
        for index, taker in enumerate(queue.everyone):
            watch(name, f"{MEMBER} {index}", "mean", taker.busy_until)
