"""Sessions of users, held in replicas or in a store, before steps that are there; some replicas die with what they hold."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.composed import every_steps
from tests.models.random_systems.luck import Luck


def sessions(document: dict[str, Any], luck: Luck) -> None:
    """Some lists of steps begin with a look for the session of who asks."""
    if not any("users" in said for said in document["traffic"].values()):
        return
    for name, steps in every_steps(document):
        own = luck.at(name)
        if own.maybe("session", 0.5):
            steps.insert(own.number("where", 0, len(steps)), {"session": _session(own)})
    for name in sorted(document["services"]):
        own = luck.at(f"crash {name}")
        if own.maybe("dies", 0.3):
            crash = {"of": name, "replicas": 1, "restart_after": "900ms"}
            document["faults"].append({"name": f"lost {name}", "at": own.pick("at", ("4s", "7.7s")), "crash": crash})


def _session(luck: Luck) -> dict[str, Any]:
    made: dict[str, Any] = {"in": luck.pick("held", ("replica", "replica", "store"))}
    if luck.maybe("expires"):
        made["expires"] = luck.pick("after", ("50ms", "700ms", "5s"))
    if luck.maybe("takes time"):
        made["lookup"] = luck.pick("lookup", ("1ms", {"exponential": "2ms"}))
    if luck.maybe("begins"):
        made["begin"] = [{luck.pick("how", ("wait", "work")): "4ms"}, {"fail": luck.pick("fails", (0, 0.3))}]
    if made["in"] == "replica":
        if luck.maybe("rebuilds"):
            made["rebuild"] = [{"wait": "6ms"}, {"refuse": luck.pick("refuses", (0, 0.2))}]
        if luck.maybe("tells"):
            made["lost"] = luck.pick("lost", ("degraded", "refused", "ok"))
    return made
