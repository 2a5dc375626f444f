"""Hedging: where an answer takes long, the same is asked once more, and the first good answer counts.

A copy is a task that comes to the same call, and goes through the layers inside of this one by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.compiled.cutting.words import Waits, flow
from sim.compiled.flows.layer import Layer, Values, Watched, thawed
from sim.compiled.races import close_race
from sim.compiled.racing import begin_race, race_goes_on
from sim.compiled.rows import calls as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.state import State
from sim.models.guards import distinct
from sim.models.layers.hedge import HedgeMemory
from sim.policies.budget import SLICES
from sim.policies.hedging import HedgeRow, new_rule

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Task
    from sim.compiled.flows.layer import Inner
    from sim.compiled.machine import Machine
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.guards import GuardTables
    from sim.models.call import Call as ModelCall
    from sim.models.guards import Guard as ModelGuard
    from sim.models.guards import Guards as ModelGuards


@flow
def hedging(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
    """The first good answer of several copies, or the first that no further copy could mend; else the last."""
    if call.hedges and not own.copy:
        begin_race(s, own, call)
        while race_goes_on(s, own, call):
            yield
            yield from thawed(s, own, call)
        return own.outcome
    outcome = yield from inner(s, own, call)
    return outcome


@flow
def nobody_races(s: State, own: Task, call: Call) -> None:
    """Its copies end with it."""
    if call.hedges and own.branching:
        close_race(s, own)


class Hedge(Layer):
    """The same is asked more than once."""

    name = "hedge"
    flow = hedging
    killed = nobody_races
    tables = ((rows.hedges, HedgeRow),)
    series = {"hedged": "hedged", "hedges_won": "hedges_won"}  # noqa: RUF012 - as it stands in its base

    @staticmethod
    def of_call(call: ModelCall, tables: CallTables, _place: int) -> Values:
        """How many copies there may be, after which answers, and what becomes of those that lose."""
        its = call.policy.hedge
        if its is None:
            return {}
        return {
            "hedges": True,
            "most_copies": its.most,
            "cancels_losers": its.cancel,
            "hedge_rule": tables.guards.policy(rows.retries, new_rule(its)),
        }

    @staticmethod
    def of_guard(guard: ModelGuard, tables: GuardTables) -> Values:
        """How long answers took, and what may be asked once more."""
        memory = guard.find(HedgeMemory)
        if memory is None:
            return {}
        its = {"hedge": tables.policy(rows.hedges, memory.row), "hedge_ring": tables.ring(memory.ring)}
        if memory.budget is None:
            return its
        budget, tokens = tables.policy(rows.budgets, memory.budget.row), tables.ring(memory.budget.tokens)
        return its | {"hedge_budget": budget, "hedge_tokens": tokens}

    @staticmethod
    def watched(call: ModelCall, guards: ModelGuards) -> Iterator[Watched]:
        """How many copies there were, and how many of these won."""
        if call.policy.hedge is not None:
            for quantity in Hedge.series:
                component = f"{call.caller} -> {next(iter(guards.values())).about}"
                yield Watched(component, quantity, len(distinct(guards)))

    @staticmethod
    def forgotten(machine: Machine, guard: rows.Guard, _name: str, _about: str) -> None:
        """It has seen no answer."""
        if guard.hedge != NOBODY:
            machine.renew(rows.hedges, guard.hedge)
        if guard.hedge_budget != NOBODY:
            machine.renew(rows.budgets, guard.hedge_budget)
            rows.rings.array(machine.s)[guard.hedge_tokens : guard.hedge_tokens + SLICES] = 0.0
