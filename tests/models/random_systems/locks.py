"""Locks around steps that are there, within one another in either order, and around and within caches; some holders die."""

from __future__ import annotations

from typing import Any, get_args

from sim.spec.policy import Answer
from tests.models.random_systems.composed import every_steps
from tests.models.random_systems.luck import Luck


def locks(document: dict[str, Any], luck: Luck) -> None:
    """One step in four is done under a lock, one of two that there are in the whole system."""
    keys = [
        "all",
        *(key for key in ("item", "user") if any(f"{key}s" in said for said in document["traffic"].values())),
    ]
    of_name = {name: luck.at(f"lock {name}").pick("key", keys) for name in ("a", "b")}
    for name, steps in every_steps(document):
        for place, step in enumerate(steps):
            own = luck.at(f"{name} {place}")
            cache = step.get("cache")
            if isinstance(cache, dict) and own.maybe("within", 0.4):
                steps[place] = {"cache": {**cache, "then": [_locked(cache["then"], own.at("within"), of_name)]}}
            if own.maybe("locked", 0.25):
                steps[place] = _locked([steps[place]], own, of_name)
    _answers(document, luck)
    for name in sorted(document["services"]):
        own = luck.at(f"crash {name}")
        if own.maybe("dies", 0.3):
            crash = {"of": name, "replicas": 1, "restart_after": "700ms"}
            document["faults"].append({"name": f"holder {name}", "at": own.pick("at", ("3s", "6.6s")), "crash": crash})


def _answers(document: dict[str, Any], luck: Luck) -> None:
    """Some endpoints and routes say what it is to a caller that a lock was not had."""
    said: list[tuple[str, dict[str, Any]]] = list(document.get("gateway", {"routes": {}})["routes"].items())
    for service, spec in document["services"].items():
        for name, endpoint in spec["endpoints"].items():
            spec["endpoints"][name] = endpoint if isinstance(endpoint, dict) else {"do": endpoint}
            said.append((f"{service} {name}", spec["endpoints"][name]))
    for name, answering in said:
        own = luck.at(f"answers {name}")
        for failure in ("lock_timeout", "deadlock"):
            if own.maybe(failure, 0.3):
                answer = own.pick(f"to {failure}", get_args(Answer))
                answering["answers_with"] = {**answering.get("answers_with", {}), failure: answer}


def _locked(steps: list[Any], luck: Luck, of_name: dict[str, str]) -> dict[str, Any]:
    if luck.maybe("another within", 0.6):
        steps = [{"wait": "2ms"}, _one(steps, luck.at("inner"), of_name)]
    return _one(steps, luck, of_name)


def _one(steps: list[Any], luck: Luck, of_name: dict[str, str]) -> dict[str, Any]:
    name = luck.pick("name", tuple(of_name))
    said = {
        "timeout": luck.pick("timeout", ("40ms", "300ms", "2s")),
        "deadlock_timeout": luck.pick("deadlock", ("0s", "10ms", "300ms", None)),
        "held_after_crash": luck.pick("lease", ("50ms", "2s")),
    }
    return {
        "lock": name,
        "key": of_name[name],
        "do": steps,
        **{word: value for word, value in said.items() if luck.maybe(word, 0.6)},
    }
