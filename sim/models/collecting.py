"""Python's collector of garbage rests while a world is made and runs: it breaks its cycles itself, at its end the
last ones, and a collector would only walk what is alive.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sim.models.task import Task

if TYPE_CHECKING:
    from sim.models.world import World


@contextmanager
def nothing_collected() -> Iterator[None]:
    """No collection in here; afterwards as before. What is young in here is what was made in here.

    A collection of millions of users takes seconds, and Ctrl-C is not heard meanwhile.
    """
    collecting = gc.isenabled()
    gc.collect(0)
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def take_apart(world: World) -> None:
    """Free the tasks that were under way at the end of a run, one after the other, before anything is collected again:
    within `nothing_collected`, which the world was made in.

    A task and its generator hold one another, and so do callers and who works for them: a collector that came upon a
    million of them, and of what waits, would hear no Ctrl-C for seconds.
    """
    queues = [replica.queue for host in world.hosts() for replica in host.replicas]
    for waiting in (world.env.calendar, world.env.ready, world.env.fixed_delay_queue, *queues):
        while waiting:
            waiting.pop()
    young = gc.get_objects(generation=0)
    while young:
        found = young.pop()
        if isinstance(found, Task):
            found.silence()
            found.children = None
