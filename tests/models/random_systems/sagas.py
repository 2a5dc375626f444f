"""Sagas, put around steps that are there, and effects that are taken back."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.composed import every_steps
from tests.models.random_systems.luck import Luck
from tests.models.random_systems.plan import EFFECTS


def sagas(document: dict[str, Any], luck: Luck) -> None:
    """One step in four becomes a transaction among others, of which one may not come about."""
    for name, steps in every_steps(document):
        for place, step in enumerate(steps):
            own = luck.at(f"{name} {place}")
            if own.maybe("saga", 0.25):
                steps[place] = _saga(step, own)


def _saga(step: dict[str, Any], luck: Luck) -> dict[str, Any]:
    transactions: list[dict[str, Any]] = [{"do": [step]}, {"do": [{"wait": "3ms"}, {"effect": "paid"}]}]
    if luck.maybe("goes wrong", 0.7):
        transactions.append({"do": [{luck.pick("how", ("fail", "refuse")): luck.pick("share", (0.3, 1))}]})
    if luck.maybe("first last", 0.3):
        transactions.reverse()
    for place, transaction in enumerate(transactions):
        undo = _undo(luck.at(f"undo {place}"))
        if undo:
            transaction["undo"] = undo
    said = {"answers_first": luck.maybe("answers first", 0.4), "undo_pause": luck.pick("pause", ("10ms", "200ms"))}
    if luck.maybe("gives up"):
        said["undo_attempts"] = luck.pick("attempts", (1, 2, 5, "unlimited"))
    return {"saga": transactions, **said}


def _undo(luck: Luck) -> list[dict[str, Any]]:
    time = {luck.pick("what", ("wait", "work")): luck.pick("time", ("1ms", {"exponential": "5ms"}))}
    steps = luck.some("steps", (time, {"retract": luck.pick("effect", EFFECTS)}), 0, 2)
    return [*steps, {"fail": 0.4}] if luck.maybe("may fail", 0.4) else steps
