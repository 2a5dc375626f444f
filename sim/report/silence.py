"""What is not modelled of what a scenario says, collected from the ends of docstrings: those of the models, and of the
words of the language.

No model is imported or run for it: the source is read.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterator
from functools import cache
from inspect import getdoc
from pathlib import Path

import sim
from sim.spec.base import Spec, has_word, word_of
from sim.spec.plugins import texts_that_ran
from sim.spec.scenario import Scenario

_OPENINGS = ("Not modelled:", "Does not model:")

# file in `sim/models/` -> what users call it, and the parts of the language, or fields of them, that bring it into a
# run; with none it is in every run
MODELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "balancing": ("load balancing", ("Service.load_balancing",)),
    "broker_side": ("rebalances by the broker", ("Membership",)),
    "bulkhead": ("bulkheads", ("Bulkhead",)),
    "call": ("calls", ("Call", "Route")),
    "channel": ("channels of a queue broker", ("QueueBroker",)),
    "cluster": ("nodes of a log broker", ("Nodes",)),
    "composed": ("steps at once", ("Background", "Parallel", "Race", "Repeat")),
    "connection": ("connections of producers", ("Producer",)),
    "consumer": ("consumers", ("Consume",)),
    "cpu": ("cores", ()),
    "event_store": ("event store", ("EventStore",)),
    "exchange": ("exchanges", ("Exchange",)),
    "fetching": ("fetches of consumers", ("Fetch",)),
    "gateway": ("gateway", ("Gateway",)),
    "health": ("health checks", ("HealthChecks",)),
    "hedge": ("hedges", ("Hedge",)),
    "host": ("replicas", ()),
    "idempotency": ("idempotency keys", ("Idempotency",)),
    "identity": ("users", ("Users",)),
    "keeping": ("retention and compaction", ("Retention", "Compaction")),
    "ledger": ("ledger", ("Ledger",)),
    "limit_store": ("store of limits", ("LimitStore",)),
    "limits": ("rate limits", ("RateLimit",)),
    "lines": ("queues of services", ("Queue.discipline",)),
    "link": ("network", ()),
    "listening": ("listen backlogs", ("Queue.listen_backlog",)),
    "loops": ("pinned event loops", ("Gateway.pinned", "Service.pinned")),
    "membership": ("rebalances", ("Membership",)),
    "nodes": ("nodes of a queue broker", ("QueueNodes",)),
    "outbox": ("outbox", ("Publish.via",)),
    "patience": ("patience", ("Traffic.patience",)),
    "pool": ("connection pools", ("Pool",)),
    "producer": ("producers", ("Producer",)),
    "publishing": ("publishing to a log", ("Producer",)),
    "queue": ("queues of a queue broker", ("MessageQueue",)),
    "queue_broker": ("queue broker", ("QueueBroker",)),
    "quota": ("CPU limits", ("Service.cpu",)),
    "rate_limit": ("rate limits of callers", ("CallerLimit",)),
    "release": ("canary and blue-green", ("Canary", "BlueGreen")),
    "replicated": ("replicas of a topic", ("Topic.replication_factor",)),
    "requests": ("publications without a producer", ("Topic.replication_factor",)),
    "rollout": ("deployments", ("Deploy",)),
    "service": ("services", ()),
    "stock": ("stock", ("Stock",)),
    "topic": ("log broker", ("LogBroker",)),
    "transactions": ("transactions", ("Transaction",)),
    "virtual_users": ("virtual users", ("VirtualUsers",)),
    "workload": ("clients", ()),
}


def collect_not_modelled(scenarios: Collection[Scenario] | None = None) -> tuple[tuple[str, str], ...]:
    """(what users call it, what its model leaves out), by name: of what these scenarios say, plug-ins included; of
    all, and of all plug-ins that ran, without any.
    """
    said = _said(scenarios) if scenarios is not None else None
    found = {
        title: text
        for name, text in _of_models().items()
        for title, parts in [MODELS[name]]
        if said is None or not parts or said.keys() & set(parts)
    }
    for cls in _ours(Spec) if said is None else set(said.values()):
        if text := left_out_of(getdoc(cls) or ""):
            more = found.get(_name(cls))
            found[_name(cls)] = f"{text.rstrip('.')}; {more}" if more else text
    used = None if said is None else {_file_of(cls) for cls in said.values()}
    plugins = {
        Path(path).stem.replace("_", " "): left_out(text)
        for path, text in texts_that_ran().items()
        if used is None or path in used
    }
    told = [(title, text) for title, text in {**found, **plugins}.items() if text]
    return tuple(sorted(told, key=lambda part: part[0].lower()))


def left_out(source: str) -> str:
    """The paragraph of a module's docstring that begins with `Not modelled:`; '' without one."""
    return left_out_of(ast.get_docstring(ast.parse(source)) or "")


def left_out_of(docstring: str) -> str:
    """The paragraph of a docstring that begins with `Not modelled:`, or the part of the last one that does."""
    for paragraph in docstring.split("\n\n"):
        for opening in _OPENINGS:
            before, found, text = " ".join(paragraph.split()).partition(opening)
            if found and (not before or before.endswith((". ", ": "))):
                return text.strip()
    return ""


@cache
def _of_models() -> dict[str, str]:
    """File in `sim/models/` -> what it leaves out, of those that say so."""
    folder = Path(sim.__file__).parent / "models"
    found = {path.stem: left_out(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))}
    return {name: text for name, text in found.items() if text}


def _said(scenarios: Collection[Scenario]) -> dict[str, type[Spec]]:
    """The names of the specs that stand in these scenarios, and of their fields: not those that have a default."""
    found: dict[str, type[Spec]] = {}
    for scenario in scenarios:
        for spec in _written(scenario):
            cls = type(spec)
            found[cls.__name__] = cls
            found |= {f"{cls.__name__}.{field}": cls for field in spec.model_fields_set}
    return found


def _ours(cls: type[Spec]) -> Iterator[type[Spec]]:
    """The specs of the language, without those of plug-ins."""
    for below in cls.__subclasses__():
        yield from ([below] if below.__module__.startswith("sim.spec.") else [])
        yield from _ours(below)


def _file_of(cls: type[Spec]) -> str | None:
    """That a spec stands in."""
    return getattr(sys.modules.get(cls.__module__), "__file__", None)


def _written(value: object) -> Iterator[Spec]:
    if isinstance(value, Spec):
        yield value
        for name in sorted(value.model_fields_set):
            yield from _written(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _written(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _written(item)


def _name(cls: type[Spec]) -> str:
    """`outage` of a word, `node pool` of NodePool."""
    made = cls.model_construct()
    words = word_of(made) if has_word(made) else re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__)
    return words.replace("_", " ").lower()
