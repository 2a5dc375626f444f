"""The steps of plug-ins that a scenario has, as rows; and their flows, as addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import int64
from numpy.typing import NDArray

from sim.compiled.base import PLAIN
from sim.compiled.plugins.cut import CutFlow, cut
from sim.compiled.rows import plugins as rows
from sim.compiled.rows.addresses import machine_address, plain_address
from sim.compiled.rows.state import STATE_TYPE
from sim.compiled.wiring.found import Filled, whole_numbers
from sim.errors import PluginError
from sim.models.flows import flow_of

if TYPE_CHECKING:
    from sim.compiled.wiring.guards import GuardTables
    from sim.models.host import Host

WORD = 8  # bytes
SIGNATURE = (STATE_TYPE, int64, int64, int64)


class Placed:
    """One step of a plug-in, and where its rows begin: one for each replica."""

    def __init__(self, made: CutFlow, values: dict[str, Any], first: int, host: Host):
        self.made, self.values, self.first, self.host = made, values, first, host
        self.parts = {name: values.pop(name) for name in self.fields("Part") if name in values}
        self.memories = {name: [float(value) for value in values.pop(name, ())] for name in self.fields("Memory")}
        self.shared = {name: values.pop(name) for name in self.fields("Shared")}  # the lists of the model
        self.totals = {name: str(values.pop(name, name)) for name in self.fields("Total")}  # and their time series
        values.update({name: values[name].row for name in self.fields("Chance") if name in values})

    def fields(self, kind: str) -> list[str]:
        """The names of those that the plug-in says to be of this kind."""
        return [name for name, said in self.made.kinds.items() if said == kind]


class PluginTables:
    """Their rows."""

    def __init__(self, guards: GuardTables):
        self.guards = guards
        self.steps: list[Placed] = []
        self.functions: list[Callable[..., int]] = []
        self.count = 0
        self.table: NDArray[Any] = rows.PluginStep.zeros(1)
        self._placed: dict[int, Placed] = {}

    def placed(self, step: Any, host: Host) -> Placed | None:  # noqa: ANN401 - a behaviour
        """A step, by its behaviour: where several sites perform one endpoint they share its steps. None: no flow."""
        if id(step) not in self._placed:
            declared = flow_of(type(step))
            if declared is None:
                return None
            made = cut(declared)
            values = dict(declared.row.begin(step))
            if unknown := sorted(set(values) - set(made.kinds)):
                raise PluginError(f"{declared.row.__name__}.begin: found {unknown}, expected {sorted(made.kinds)}")
            self._placed[id(step)] = placed = Placed(made, values, self.count, host)
            self.steps.append(placed)
            self.count += len(host.replicas)
        return self._placed[id(step)]

    def function(self, made: CutFlow) -> int:
        """The place of a function among those that this scenario needs."""
        if made.function not in self.functions:
            self.functions.append(made.function)
        return self.functions.index(made.function)

    def totals(self) -> Iterator[tuple[Host, str, int]]:
        """The time series that steps keep: of which host, by what name, and at which word of the first row."""
        for placed in self.steps:
            for name, quantity in placed.totals.items():
                offset = placed.made.step.fields[name].offset
                yield placed.host, quantity, placed.first * rows.STEP_WORDS + offset // WORD

    def fill(self) -> None:
        """All of it is found: make the rows as they are at time 0."""
        self.table = rows.PluginStep.zeros(max(1, self.count))
        rings: dict[int, int] = {}
        for placed in self.steps:
            own = placed.made.step.zeros(len(placed.host.replicas))
            for name, value in placed.values.items():
                own[name] = value
            for name, numbers in placed.memories.items():
                own[name] = [self.guards.ring(numbers) for _ in own]
            for name, numbers in placed.shared.items():
                if id(numbers) not in rings:
                    rings[id(numbers)] = self.guards.ring(numbers)
                own[name] = rings[id(numbers)]
            self.table.view(own.dtype)[placed.first : placed.first + own.size] = own

    def renew(self, table: NDArray[Any], memory: NDArray[Any], host: Host, replica: int) -> None:
        """A replica is gone, and what its steps remembered; their totals stay."""
        for placed in self.steps:
            if placed.host is not host:
                continue
            dtype, place = placed.made.step.dtype, placed.first + replica
            for name in set(placed.made.kinds) - set(placed.totals):
                table.view(dtype)[place][name] = self.table.view(dtype)[place][name]
            for name, numbers in placed.memories.items():
                begin = int(table.view(dtype)[place][name])
                memory[begin : begin + len(numbers)] = numbers

    def tables(self) -> Filled:
        """As they are at time 0."""
        # numpy copies fields, and these rows have none of their own
        yield rows.plugin_steps, self.table.view(np.uint8).copy().view(self.table.dtype)
        yield rows.plugin_functions, whole_numbers([address_of(function) for function in self.functions])


def address_of(function: Any) -> int:  # noqa: ANN401 - a dispatcher of numba
    """Where a function begins; it is compiled when somebody asks."""
    return plain_address(function) if PLAIN else machine_address(function, SIGNATURE)
