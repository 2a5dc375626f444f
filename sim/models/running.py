"""Runs a world on a stock SimPy environment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from sim.models.clock import Done
from sim.models.closing import close
from sim.models.collecting import nothing_collected, take_apart
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


def run(world: World) -> Records:
    """Run to the end of the scenario's duration, close the books, and hand over the records."""
    with nothing_collected(), suppress(Done):  # the last observation
        for workload in world.workloads:
            workload.let_users_in()  # there may be millions, whom nobody needs who only looks at a world
        world.env.run_tasks()
    return close(world)
