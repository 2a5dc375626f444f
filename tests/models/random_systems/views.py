"""Views that lag behind what is written, and readers who wait for it, go elsewhere, or read what is old."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.composed import every_steps
from tests.models.random_systems.luck import Luck

LAGS = ("0s", "20ms", "700ms", {"exponential": "90ms"})


def views(document: dict[str, Any], luck: Luck) -> None:
    """One view or two of the whole system: each is written in some list of steps, shown after a lag or where events are
    handled, and read in others.
    """
    keys = [
        "all",
        *(key for key in ("item", "user") if any(f"{key}s" in said for said in document["traffic"].values())),
    ]
    lists = list(every_steps(document))
    for name in luck.some("which", ("orders", "prices"), 1, 2):
        own = luck.at(name)
        _, written = own.pick("writer", lists)
        key = own.pick("key", keys)
        write = {"view_write": name, "key": key}
        shown = {"view_apply": name}
        handled = [steps for its, steps in lists if steps is not written and its.split()[1] in _topics(document)]
        if handled and own.maybe("by events", 0.5):
            own.pick("where it is shown", handled).append(shown)
            written.insert(0, write)
        else:
            written[:0] = [write, {"background": [{"wait": own.pick("lag", LAGS)}, shown]}]
        for place, (_, steps) in enumerate(lists):
            at = own.at(place)
            if at.maybe("read", 0.4):
                steps.append({"view_read": name, **_how(at)})


def _topics(document: dict[str, Any]) -> set[str]:
    return {topic for spec in document["services"].values() for topic in spec.get("consumes", {})}


def _how(luck: Luck) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if luck.maybe("waits"):
        made |= {"max_wait": luck.pick("for", ("30ms", "200ms")), "every": luck.pick("every", ("10ms", "70ms"))}
    if luck.maybe("elsewhere", 0.4):
        made["otherwise"] = [{luck.pick("how", ("wait", "work")): "6ms"}, {"fail": luck.pick("fails", (0, 0.2))}]
    else:
        made["stale"] = luck.pick("stale", ("ok", "degraded", "error"))
    return made
