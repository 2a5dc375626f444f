"""The figures of a model at given values of its parameters.

The same replications, and so the same luck, at every point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.experiments.running.engines import EngineChoice
from sim.fitting.moments import Moment, of_records, values
from sim.fitting.parameters import Parameter, with_values, written
from sim.fitting.target import Target
from sim.spec.loading import load_document
from sim.spec.scenario import Scenario

if TYPE_CHECKING:
    from sim.records.tables import Records

Floats = NDArray[np.float64]


@dataclass
class Model:
    """A scenario under the measured load whose parameters are set and set again."""

    target: Target
    document: dict[str, Any]  # of the variant, with the traffic of the scenario: small, and parsed at every point
    parameters: Sequence[Parameter]
    moments: Sequence[Moment]
    choice: EngineChoice
    replications: int
    first: int = 0  # number of the first replication
    runs: int = 0  # simulated so far
    _known: dict[tuple[float, ...], Floats] = field(default_factory=dict)

    def figures(self, point: Sequence[float], fresh: bool = False) -> Floats:
        """(replications, moments) at these values; `fresh`: of replications that no search has seen."""
        point = tuple(float(f"{value:.9g}") for value in point)
        key = (*point, float(fresh))
        if key not in self._known:
            scenario, first = self.scenario(point), self.first + fresh * self.replications
            found = [
                values(of_records(self._run(scenario, first + number)), self.moments)
                for number in range(self.replications)
            ]
            self.runs += self.replications
            self._known[key] = np.array(found)
        return self._known[key]

    def scenario(self, point: Sequence[float]) -> Scenario:
        """The scenario with these values, under the load of the measurement."""
        changed = with_values(self.document, written(self.document, self.parameters, point))
        (scenario,) = load_document(changed, plugins=self.target.study.plugins).variants.values()
        (loaded,) = self.target.study.variants.values()
        update = {"traffic": loaded.traffic, "duration": loaded.duration, "warmup": loaded.warmup, "seed": loaded.seed}
        return scenario.model_copy(update=update)

    def _run(self, scenario: Scenario, replication: int) -> Records:
        if not self.choice.is_making() and self.choice.engine == "compiled":
            from sim.compiled import simulate as compiled

            return compiled(scenario, replication=replication)
        from sim.models import simulate

        return simulate(scenario, replication=replication)
