"""Runs a world on a stock SimPy environment."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress

from sim.models.clock import Done
from sim.models.closing import close
from sim.models.collecting import nothing_collected
from sim.models.task import Task
from sim.models.world import World
from sim.records.tables import Records
from sim.spec.scenario import Scenario


def simulate(scenario: Scenario, replication: int = 0, progress: Callable[[float], None] | None = None) -> Records:
    """One replication of a scenario on the SimPy engine. `progress` hears the simulated time at every interval."""
    with nothing_collected():
        world = World(scenario, replication, progress)
        records = run(world)
        take_apart(world)
        return records


def take_apart(world: World) -> None:
    """Free the tasks that were under way at the end, one after the other: a task and its generator hold one another,
    and a collector that came upon a million of them, and of what waits, would hear no Ctrl-C for seconds.
    """
    queues = [replica.queue for host in world.hosts() for replica in host.replicas]
    for waiting in (world.env.calendar, world.env.ready, world.env.fixed_delay_queue, *queues):
        while waiting:
            waiting.pop()
    young = gc.get_objects(generation=0)  # since nothing has been collected: all that the run made
    while young:
        found = young.pop()
        if isinstance(found, Task):
            found.silence()
            found.children = None  # who are known by whom they answer


def run(world: World) -> Records:
    """Run to the end of the scenario's duration, close the books, and hand over the records."""
    with nothing_collected(), suppress(Done):  # the last observation
        for workload in world.workloads:
            workload.let_users_in()  # there may be millions, whom nobody needs who only looks at a world
        world.env.run_tasks()
    return close(world)
