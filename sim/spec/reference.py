"""The reference of the language, written from its declarations: every word with its fields, how they are written, their
defaults and sentences, and an example.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import getdoc
from typing import Any, get_args

from sim.spec.arrivals import Replay, Rows
from sim.spec.base import UNLIMITED, Kind, Leaves, Spec, words
from sim.spec.examples import example_of, examples, shop
from sim.spec.measured import Empirical, Replayed
from sim.spec.scenario import Scenario
from sim.spec.schema import schema_of_values, unit_in
from sim.spec.sentences import sentences_of
from sim.spec.shape import specs_in
from sim.units import show_duration, show_rate, show_share, show_size

_RANGES = (
    "In the place of any number may stand a range, `{between: [10ms, 20ms]}`, where nobody knows it exactly: each "
    "replication has a value\nof its own from it, and the intervals hold that uncertainty."
)
_EXAMPLES = (
    "Every example is a variant of the scenario that stands below `Scenario`, a small shop: what it says comes on top "
    "of that, as under\n`variants: {NAME: ...}`. `sim words NAME` shows one word with its example in the terminal."
)
REQUIRED = "required"
# what the loader has read of a file, and nobody writes by hand
BY_THE_LOADER = frozenset({(Empirical, "data"), (Replayed, "data"), (Replay, "data")})
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


@dataclass(frozen=True)
class Field:
    """A word that stands in a map: how it is written, what it is where nobody says it, and what it means.

    `default` is what a scenario would write, `required` where it must be said, or empty.
    """

    word: str
    written: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Entry:
    """What the reference says of one spec. `title` is the word of the language, or the name of the class where only a
    field leads to it; `chapter` is set on the first entry of a kind.
    """

    title: str
    cls: type[Spec]
    chapter: str
    about: str
    fields: tuple[Field, ...]
    left: str  # where to see that it was at work
    example: str | None  # what it says on top of the shop


def entries() -> list[Entry]:
    """The scenario and all that it is made of, then every kind with its words, those of loaded plug-ins included."""
    schema = schema_of_values(examples=False)
    definitions = schema["$defs"] | {"Scenario": schema}
    return [_entry(title, cls, chapter, definitions) for title, cls, chapter in titles()]


def titles() -> list[tuple[str, type[Spec], str]]:
    """The title of each entry, the spec it is of, and its chapter."""
    registered = {cls for kind in get_args(Kind) for cls in words(kind).values()}
    told = {base for cls in registered for base in cls.__mro__ if issubclass(base, Spec)} | {Rows}
    found = [(cls.__name__, cls, "") for cls in _made_of(Scenario, told)]
    for kind in get_args(Kind):
        for number, (word, cls) in enumerate(words(kind).items()):
            found.append((word, cls, TITLES[kind] if number == 0 else ""))
            found += [(part.__name__, part, "") for part in _made_of(cls, told)]
    return found


def vocabulary() -> set[str]:
    """The titles of all entries and the words of their fields, which can be told without a schema."""
    found = titles()
    return {title for title, _, _ in found} | {word for _, cls, _ in found for word in _words(cls).values()}


def _words(cls: type[Spec]) -> dict[str, str]:
    """The words of its fields, by the names that these have in the class."""
    return {name: field.alias or name for name, field in cls.model_fields.items() if (cls, name) not in BY_THE_LOADER}


def _entry(title: str, cls: type[Spec], chapter: str, definitions: dict[str, Any]) -> Entry:
    fields = tuple(_fields(cls, definitions.get(cls.__name__, {})))
    example = shop() if cls is Scenario else example_of(cls)
    return Entry(title, cls, chapter, getdoc(cls) or "", fields, _left_behind(cls.leaves), example)


def reference() -> str:
    """All entries as Markdown."""
    parts = ["# The scenario language", _RANGES, _EXAMPLES]
    for entry in entries():
        parts += [f"# {entry.chapter}"] if entry.chapter else []
        parts += in_markdown(entry)
    return "\n\n".join(parts) + "\n"


def in_markdown(entry: Entry) -> list[str]:
    """A heading, what the class says of itself, its fields as a table, and an example."""
    title = entry.title if entry.title == entry.cls.__name__ else f"`{entry.title}`"
    rows = ["| " + " | ".join(map(_cell, _in_code(field))) + " |" for field in entry.fields]
    table = "\n".join(["| field | written as | default | |", "|---|---|---|---|", *rows])
    example = ["Example:", f"```yaml\n{entry.example.strip()}\n```"] if entry.example else []
    left = [f"Leaves behind: {entry.left}."] if entry.left else []
    return [f"## {title}", entry.about, *([table] if rows else []), *left, *example]


def _in_code(field: Field) -> tuple[str, str, str, str]:
    plain = field.default in ("", REQUIRED)
    written = re.sub(r"\b\w+\b(?!`)", lambda found: _linked(found[0]), field.written)
    return f"`{field.word}`", written, field.default if plain else f"`{field.default}`", field.meaning


def _linked(word: str) -> str:
    """The name of a part or of a kind with a link to where it is explained; any other word as it is."""
    chapters = {
        name: kind for kind in get_args(Kind) for name in (kind, *(cls.__name__ for cls in words(kind).values()))
    }
    if word in chapters:
        return f"[{word}](#{TITLES[chapters[word]].lower()})"
    return f"[{word}](#{word.lower()})" if word in examples() else word


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


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


def _left_behind(leaves: Leaves) -> str:
    """What it leaves in the records, by which it can be seen."""
    named = {
        "outcomes": [outcome.word for outcome in leaves.outcomes],
        "ends of messages": [end.word for end in leaves.ends],
        "events": [event.word for event in leaves.events],
        "stages": [stage.word for stage in leaves.stages],
        "time series": leaves.series,
    }
    return "; ".join(f"{what} {', '.join(f'`{word}`' for word in found)}" for what, found in named.items() if found)


def _fields(cls: type[Spec], schema: dict[str, Any]) -> Iterator[Field]:
    sentences = sentences_of(cls)
    maps = [schema, *schema.get("anyOf", ())]
    properties: dict[str, Any] = next((part["properties"] for part in maps if "properties" in part), {})
    for name, word in _words(cls).items():
        field = cls.model_fields[name]
        form = _form(properties.get(word, {}))
        default = REQUIRED if field.is_required() else _default(field.get_default(call_default_factory=True), form)
        yield Field(word, form, default, sentences.get(name, ""))


def _form(schema: dict[str, Any]) -> str:
    """How a value is written: its unit, its words, its kind, or its type."""
    sentence, _, unit = schema.get("description", "").rpartition(" Written as ")
    if sentence:
        return str(unit).rstrip(".")
    parts = [schema, *(part for part in schema.get("anyOf", ()) if part != {"type": "null"})]
    if choices := next((part["enum"] for part in parts if "enum" in part), None):
        return ", ".join(dict.fromkeys(f"`{choice}`" for choice in choices if choice is not None))
    if named := next((part["$ref"] for part in parts if "$ref" in part), ""):
        return _named(named)
    kinds = [part for part in parts if isinstance(part.get("type"), str)]
    return _collection(kinds[0]) if kinds else unit_in(schema)


def _collection(schema: dict[str, Any]) -> str:
    """A type; of a list and of a map what is in it, where that has a name."""
    plain = _TYPES.get(schema["type"], schema["type"])
    inside = schema.get("items", schema.get("additionalProperties"))
    forms = [inside, *inside.get("anyOf", ())] if isinstance(inside, dict) else []
    named = dict.fromkeys(_named(form["$ref"]) for form in forms if "$ref" in form)
    return f"{plain} of {' or '.join(named)}" if named else plain


def _named(reference: str) -> str:
    return reference.removeprefix("#/$defs/").removesuffix(".patch").removesuffix(".inner")


def _default(value: object, form: str) -> str:
    """As a scenario writes it; nothing where it is nothing, or a whole part of the system."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value == UNLIMITED:
        return "unlimited"
    if isinstance(value, float):
        return next((show(value) for unit, show in _SHOWS.items() if form.startswith(unit)), f"{value:g}")
    return f"{value}" if isinstance(value, (int, str)) else ""


def _size(size: float) -> str:
    """A whole number of binary units as such: `16KiB`; else as other sizes are told."""
    for unit, length in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= length and size % length == 0:
            return f"{size / length:g}{unit}"
    return show_size(size)


_SHOWS: dict[str, Callable[[float], str]] = {
    "a duration": show_duration,
    "a share": show_share,
    "a ratio": show_share,
    "a factor": "{:g}x".format,
    "a rate": show_rate,
    "a cost": lambda price: f"{price * 3600:g}/h",
    "a size": _size,
}
