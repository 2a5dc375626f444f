"""Steps that are made of other steps, put around steps that are there: choose, repeat, race, background."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.models.random_systems.luck import Luck

Steps = list[Any]
TIMES = (1, 2, {"uniform": [0, 3]}, {"geometric": 1.7}, {"poisson": 1.2})


def composed_steps(document: dict[str, Any], luck: Luck) -> None:
    """One step in three of endpoints, consumers and their branches becomes a part of another."""
    for name, steps in every_steps(document):
        for place, step in enumerate(steps):
            own = luck.at(f"{name} {place}")
            if own.maybe("composed", 0.3):
                steps[place] = _composed(step, own)


def every_steps(document: dict[str, Any]) -> Iterator[tuple[str, Steps]]:
    """The steps of all endpoints and consumers, and those within parallel branches, each list with a name."""
    for service, spec in document["services"].items():
        for kind in ("endpoints", "consumes"):
            for name, said in spec.get(kind, {}).items():
                yield from _within(f"{service} {name}", said["do"] if isinstance(said, dict) else said)


def _within(name: str, steps: Steps) -> Iterator[tuple[str, Steps]]:
    yield name, steps
    for place, step in enumerate(steps):
        for number, branch in enumerate(step.get("parallel", ())):
            if isinstance(branch, list):
                yield f"{name} {place} {number}", branch


def _composed(step: dict[str, Any], luck: Luck) -> dict[str, Any]:
    kind = luck.word("kind", {"choose": 2, "repeat": 2, "race": 2, "background": 1})
    other = {luck.pick("other", ("wait", "work")): luck.pick("length", ("1ms", "4ms", {"exponential": "9ms"}))}
    per = {"per": luck.pick("per", ("request", "attempt"))} if luck.maybe("says per", 0.7) else {}
    if kind == "choose":
        first = {"share": luck.pick("share", (0.2, "50%", 1)), "do": [step]}
        rest = [{"do": [other]}] if luck.maybe("rest") else [{"share": 0, "do": []}]
        return {"choose": [first, *rest], **per}
    if kind == "repeat":
        do = [step, other] if luck.maybe("two", 0.3) else [step]
        return {"repeat": luck.pick("times", TIMES), "do": do, "at_once": luck.maybe("at once"), **per}
    if kind == "race":
        second = [other, {"fail": 0.3}] if luck.maybe("may fail") else [other]
        made = {"race": [[step], second], "losers": luck.pick("losers", ("abandon", "cancel"))}
        if luck.maybe("quorum", 0.4):
            made["race"].append([{"wait": luck.pick("third", ("1ms", "20ms", "60ms"))}])
            made["wait_for"] = luck.pick("how many", (2, 2, 3))
        return made
    return {"background": [step, {"fail": 0.2}] if luck.maybe("fails") else [step]}
