"""Where and how the jobs of an experiment run: what every verb that simulates is asked for, and how each of them begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from sim.errors import UsageError
from sim.experiments.running.engines import EngineChoice, chosen_engine, is_small
from sim.experiments.running.executors import Executor
from sim.experiments.running.resources import room_for, tell_how_long
from sim.spec.base import Kind, words

if TYPE_CHECKING:
    from sim.experiments.running.jobs import Perform
    from sim.experiments.running.journal import Journal
    from sim.experiments.running.ledger import Progress
    from sim.spec.scenario import Recording, Scenario


@dataclass(frozen=True)
class RunOptions:
    """The options of a verb that say where and how its jobs run."""

    jobs: int | None  # processes; None: as many as there are processors
    cluster: str | None  # the address of a Dask scheduler, in the place of processes here
    engine: str
    progress: Progress | None
    journal: Journal | None
    max_memory: str | float | None

    def choose(
        self,
        scenarios: Sequence[Scenario],
        runs: int,
        *,
        times: float = 1.0,
        keeps: bool = True,
        others: Sequence[Scenario] = (),
        needs: Recording | None = None,
    ) -> EngineChoice:
        """The engine for `runs` replications of each scenario, once it is known that there is memory for them.

        Says how long a long run will take. The other words are those of `room_for`.
        """
        room = room_for(
            scenarios,
            runs,
            self.max_memory,
            self.jobs,
            self.cluster,
            times=times,
            keeps=keeps,
            others=others,
            needs=needs,
        )
        choice = chosen_engine(self.engine, scenarios, runs, self.progress, here=self.cluster is None)
        tell_how_long(room, choice.engine, self.progress)
        return choice

    def executor(
        self, perform: Perform, choice: EngineChoice, scenarios: Sequence[Scenario] = (), runs: int = 1
    ) -> Executor:
        """The workers: with `scenarios` no more of them than `runs` replications of each are worth."""
        stay = _known_by_hand()
        if stay and self.cluster is not None:
            raise UsageError(
                "cluster: found words that were registered by hand, which no other machine knows; put them into a plug-in file"
            )
        small = self.jobs is None and self.cluster is None and bool(scenarios) and is_small(scenarios, runs, choice.engine)
        return Executor(
            1 if stay or small else self.jobs,
            perform,
            journal=self.journal,
            cluster=self.cluster,
            most=runs * len(scenarios) if scenarios else None,
            choice=choice,
        )


def _known_by_hand() -> bool:
    """Whether words were registered by hand, in a notebook say: they are known to this process alone."""
    kinds = (words(kind).values() for kind in get_args(Kind))
    return any(not spec.__module__.startswith(("sim.", "sim_plugin_")) for kind in kinds for spec in kind)
