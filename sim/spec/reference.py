"""The reference of the language, written from its declarations: every word with its fields, how they are written, their
defaults and sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import getdoc
from typing import Any, get_args

from sim.spec.base import UNLIMITED, Kind, Leaves, Spec, words
from sim.spec.scenario import Scenario
from sim.spec.schema import schema_of_values, unit_in
from sim.spec.sentences import sentences_of
from sim.spec.shape import specs_in
from sim.units import show_duration, show_share

_RANGES = (
    "In the place of any number may stand a range, `{between: [10ms, 20ms]}`, where nobody knows it exactly: each "
    "replication has a value\nof its own from it, and the intervals hold that uncertainty."
)
TITLES = {
    "arrivals": "Arrivals",
    "authentication": "Authentication",
    "backoff": "Back-offs",
    "broker": "Brokers",
    "distribution": "Distributions",
    "fault": "Faults",
    "step": "Steps",
}


_TYPES = {"array": "list", "object": "map", "integer": "whole number", "string": "text", "boolean": "`true` or `false`"}
_SHOWS: dict[str, Callable[[float], str]] = {
    "a duration": show_duration,
    "a share": show_share,
    "a ratio": show_share,
    "a factor": "{:g}x".format,
}


def reference() -> str:
    """Markdown: the scenario and all that it is made of, then every kind with its words, those of loaded plug-ins
    included.
    """
    schema = schema_of_values()
    definitions = schema["$defs"] | {"Scenario": schema}
    registered = {cls for kind in get_args(Kind) for cls in words(kind).values()}
    parts, told = (
        ["# The scenario language", _RANGES],
        {base for cls in registered for base in cls.__mro__ if issubclass(base, Spec)},
    )
    for cls in _made_of(Scenario, told):
        parts += _section(cls.__name__, cls, definitions.get(cls.__name__, {}))
    for kind in get_args(Kind):
        parts += [f"# {TITLES[kind]}"] if words(kind) else []
        for word, cls in words(kind).items():
            parts += _section(f"`{word}`", cls, definitions.get(cls.__name__, {}))
            for part in _made_of(cls, told):
                parts += _section(part.__name__, part, definitions.get(part.__name__, {}))
    return "\n\n".join(parts) + "\n"


def _made_of(start: type[Spec], told: set[type[Spec]]) -> list[type[Spec]]:
    """This spec and what it is made of, outer before inner, in the order of the fields; without those told of, to which
    they are added.
    """
    found, waiting = list[type[Spec]](), [start]
    while waiting:
        cls = waiting.pop(0)
        if cls not in told and cls.model_fields:
            told.add(cls)
            found.append(cls)
        waiting += [part for part in specs_in(cls) if part not in told]
    return found


def _section(title: str, cls: type[Spec], schema: dict[str, Any]) -> list[str]:
    """A heading, what the class says of itself, and its fields as a table."""
    rows = list(_rows(cls, schema))
    table = "\n".join(["| field | written as | default | |", "|---|---|---|---|", *rows])
    return [f"## {title}", getdoc(cls) or "", *([table] if rows else []), *_left_behind(cls.leaves)]


def _left_behind(leaves: Leaves) -> Iterator[str]:
    """Where to see that it was at work."""
    named = {
        "outcomes": [outcome.word for outcome in leaves.outcomes],
        "ends of messages": [end.word for end in leaves.ends],
        "events": [event.word for event in leaves.events],
        "stages": [stage.word for stage in leaves.stages],
        "time series": leaves.series,
    }
    told = [f"{what} {', '.join(f'`{word}`' for word in found)}" for what, found in named.items() if found]
    if told:
        yield f"Leaves behind: {'; '.join(told)}."


def _rows(cls: type[Spec], schema: dict[str, Any]) -> Iterator[str]:
    sentences = sentences_of(cls)
    maps = [schema, *schema.get("anyOf", ())]
    properties: dict[str, Any] = next((part["properties"] for part in maps if "properties" in part), {})
    for name, field in cls.model_fields.items():
        key = field.alias or name
        its = properties.get(key, {})
        form = _form(its)
        default = "required" if field.is_required() else _default(field.get_default(call_default_factory=True), form)
        cells = (f"`{key}`", form, default, sentences.get(name, ""))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _form(schema: dict[str, Any]) -> str:
    """How a value is written: its unit, its words, its kind, or its type."""
    sentence, _, unit = schema.get("description", "").rpartition(" Written as ")
    if sentence:
        return str(unit).rstrip(".")
    parts = [schema, *(part for part in schema.get("anyOf", ()) if part != {"type": "null"})]
    if choices := next((part["enum"] for part in parts if "enum" in part), None):
        return ", ".join(f"`{choice}`" for choice in choices if choice is not None)
    if named := next((part["$ref"] for part in parts if "$ref" in part), ""):
        return named.removeprefix("#/$defs/").removesuffix(".patch").removesuffix(".inner")
    kinds = [part["type"] for part in parts if isinstance(part.get("type"), str)]
    return _TYPES.get(kinds[0], kinds[0]) if kinds else unit_in(schema)


def _default(value: object, form: str) -> str:
    """As a scenario writes it; nothing where it is nothing, or a whole part of the system."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int) and value == UNLIMITED:
        return "`unlimited`"
    if isinstance(value, float):
        shown = next((show(value) for unit, show in _SHOWS.items() if form.startswith(unit)), f"{value:g}")
        return f"`{shown}`"
    return f"`{value}`" if isinstance(value, (int, str)) and value != "" else ""
