"""A layer of a guarded call: its flow, what comes upon it from outside, and what its rows hold in the beginning."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sim.compiled.base import whole
from sim.compiled.cutting.words import Waits, flow, lasting, the
from sim.compiled.guards import guard_for
from sim.compiled.places import park
from sim.compiled.rows import calls as rows
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import AnyTable

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Guard, Task
    from sim.compiled.machine import Machine
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.guards import GuardTables
    from sim.models.call import Call as ModelCall
    from sim.models.guards import Guard as ModelGuard
    from sim.models.guards import Guards as ModelGuards

    Inner = Callable[[State, Task, Call], Waits[int]]

# where a call is that has nothing under way: in its back-off, in line for its turn, or for its refusal
PAUSED, IN_TURN, IN_VAIN = map(whole, (1, 2, 3))
# where it waits for a connection
IN_POOL_LINE, OPENING = map(whole, (4, 5))
LONG_AGO = -math.inf  # in the place of a deadline that a pause was cut short for: it will have come
Flow = Callable[..., Any]
Values = dict[str, Any]
"""Of fields of a row, by name."""
Read = Callable[[State, int, int], float]
"""The level or total of a series now, of so many guards from a place in `guard_of` on."""


@dataclass(frozen=True)
class Watched:
    """One time series of the guards of a caller."""

    component: str
    quantity: str
    guards: int | None = None  # how many; None: one for each replica of the caller


class Layer:
    """What one layer of `sim/models/layers` is on this engine.

    `flow` enters, goes on to `inner`, and leaves. `killed` gives back what the layer holds, wherever in the call its
    caller was; `expired` is what happens when a timer of its own comes. Either may be absent.
    """

    name: ClassVar[str]
    flow: ClassVar[Flow]
    killed: ClassVar[Flow | None] = None
    expired: ClassVar[Flow | None] = None
    whole_call: ClassVar[bool] = False  # its timers end with the call, and not with the wait of the task
    tables: ClassVar[tuple[tuple[AnyTable, type], ...]] = ()  # of its policies, and their rows
    series: ClassVar[dict[str, Read | str]] = {}  # what it has to show, by quantity; a word: the sum of that of guards

    @staticmethod
    def of_call(_call: ModelCall, _tables: CallTables, _place: int) -> Values:
        """What the row of a call, which will stand at this place, holds of the layer."""
        return {}

    @staticmethod
    def of_guard(_guard: ModelGuard, _tables: GuardTables) -> Values:
        """What the row of a guard holds of it."""
        return {}

    @staticmethod
    def watched(_call: ModelCall, _guards: ModelGuards) -> Iterator[Watched]:
        """The series of these guards; the call is the first to use them."""
        return iter(())

    @staticmethod
    def unnoticed(_machine: Machine, _guard: rows.Guard, _name: str, _about: str) -> None:
        """Tell what has happened to it by now without anybody having come to notice."""

    @staticmethod
    def forgotten(_machine: Machine, _guard: rows.Guard, _name: str, _about: str) -> None:
        """Its replica has died, and what it remembered with it."""


@lasting
def its_guard(s: State, call: Call, own: Task) -> Guard:
    """What the replica of the task remembers about the callee, where any layer of the call remembers something."""
    return the(Guard, guard_for(s, call, own))


@flow
def thawed(s: State, own: Task, call: Call) -> Waits[None]:
    """A frozen caller hears at the thaw what has woken it."""
    while call.may_freeze and own.replica.hung:
        park(s, own)
        yield


@flow
def failed(s: State, own: Task, call: Call) -> None:
    """The caller's own failure: it arises at the call, and nowhere further down."""
    own.where = call.target.where
    own.root = 0
