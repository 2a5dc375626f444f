"""Where and how the jobs of an experiment run: one value that every verb which simulates carries through, and how each
of them begins.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, get_args

from sim.errors import UsageError
from sim.experiments.running.engines import EngineChoice, chosen_engine, is_small
from sim.experiments.running.executors import Executor, cores
from sim.experiments.running.jobs import Perform, perform
from sim.experiments.running.progress import Teller
from sim.experiments.running.resources import Estimate, estimated, memory_limit, refuse_too_large, tell_how_long
from sim.spec.base import Kind, words

if TYPE_CHECKING:
    from sim.experiments.running.journal import Journal
    from sim.experiments.running.ledger import Progress
    from sim.spec.scenario import Recording, Scenario


class RunKeywords(TypedDict, total=False):
    """The fields of `RunOptions` as the verbs take them: `sim.run(study, jobs=1, engine="simpy")`."""

    jobs: int | None
    cluster: str | None
    engine: str
    progress: Progress | bool | None
    journal: Journal | None
    max_memory: str | float | None
    perform: Perform


@dataclass(frozen=True)
class RunOptions:
    """Where and how the jobs of an experiment run; none of it changes a result, but `perform`, which is what
    they are.
    """

    jobs: int | None = None  # worker processes; None: as many as there are processors
    cluster: str | None = None  # the address of a Dask scheduler, in the place of processes here
    engine: str = "auto"  # auto, simpy or compiled
    progress: Progress | bool | None = None  # hears how far the jobs are; True: stderr, or the cell of Jupyter
    journal: Journal | None = None  # what it knows is not run again, and what is finished is written there
    # "4GB", or bytes; more is refused on paper, and ended; None: half of the machine's
    max_memory: str | float | None = None
    perform: Perform = perform  # from a job to its result

    def __post_init__(self) -> None:
        if isinstance(self.progress, bool):
            object.__setattr__(self, "progress", Teller(sys.stderr, 0.0) if self.progress else None)

    @property
    def hearer(self) -> Progress | None:
        """Who hears how far the jobs are."""
        return self.progress if not isinstance(self.progress, bool) else None

    def estimate(
        self,
        scenarios: Sequence[Scenario],
        runs: int,
        *,
        times: float = 1.0,
        keeps: bool = True,
        others: Sequence[Scenario] = (),
        needs: Recording | None = None,
    ) -> Estimate:
        """What `runs` replications of each scenario take, for which there is memory; else a UsageError.

        `times` as much load as is written, at most; `keeps`: the records of the first replication of each; `others` are
        scenarios that run as well, and may be larger; `needs` is what the experiment keeps of a run, whatever the
        scenario says. Of a cluster's machines nobody knows how large they are: there one replication must fit, and what
        is kept here.
        """
        processes = 1 if self.cluster is not None else self.jobs or cores()
        found = estimated(scenarios, runs, processes, times=times, keeps=keeps, others=others, needs=needs)
        refuse_too_large(found, self.max_memory)
        return found

    def choose(self, scenarios: Sequence[Scenario], runs: int, estimate: Estimate) -> EngineChoice:
        """The engine for `runs` replications of each scenario; says how long a long run will take."""
        choice = chosen_engine(self.engine, scenarios, runs, self.hearer, here=self.cluster is None)
        tell_how_long(estimate, choice.engine, self.hearer)
        return choice

    def executor(
        self, choice: EngineChoice, scenarios: Sequence[Scenario] = (), runs: int = 1, *, perform: Perform | None = None
    ) -> Executor:
        """The workers: with `scenarios` no more of them than `runs` replications of each are worth.

        `perform` in the place of that of the options.
        """
        stay = _known_by_hand()
        if stay and self.cluster is not None:
            raise UsageError(
                "cluster: found words that were registered by hand, which no other machine knows; put them into a "
                "plug-in file"
            )
        small = (
            self.jobs is None and self.cluster is None and bool(scenarios) and is_small(scenarios, runs, choice.engine)
        )
        return Executor(
            1 if stay or small else self.jobs,
            perform or self.perform,
            journal=self.journal,
            cluster=self.cluster,
            most=runs * len(scenarios) if scenarios else None,
            choice=choice,
            memory=memory_limit(self.max_memory),
        )


def _known_by_hand() -> bool:
    """Whether words were registered by hand, in a notebook say: they are known to this process alone."""
    kinds = (words(kind).values() for kind in get_args(Kind))
    return any(not spec.__module__.startswith(("sim.", "sim_plugin_")) for kind in kinds for spec in kind)
