"""Which words of the language there are, by its JSON schema, and which of them a scenario says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from sim.spec.base import UNLIMITED, Kind, Spec, has_word, word_of, words
from sim.spec.choice import INNER
from sim.spec.fault import Fault
from sim.spec.scenario import Scenario
from sim.spec.schema import whole_schema

TITLE = "Scenario"


def language() -> set[str]:
    """Every field as `Service.replicas`, every word to be chosen for it as `Queue.discipline: lifo`, every kind as
    `step call`.
    """
    schema = whole_schema()
    known = [(kind, word, cls) for kind in get_args(Kind) for word, cls in words(kind).items()]
    kinds = {f"{kind} {word}" for kind, word, cls in known if _ours(cls)}
    others = {
        *get_args(Kind),
        *(f"{kind}.inner" for kind in INNER),  # the same words once more
        Fault.__name__,
        *(cls.__name__ for _, _, cls in known if not _ours(cls)),
    }  # nobody can write the base of all faults
    own = {name: body for name, body in schema["$defs"].items() if not name.endswith(".patch") and name not in others}
    return kinds | {
        word for name, body in {**own, TITLE: {**schema, "$defs": {}}}.items() for word in _fields(name, body)
    }


def only_simpy() -> set[str]:
    """Those of which their specs say that only the SimPy engine runs them: random systems are run by both."""
    found: set[str] = set()
    known = language()
    for cls in _specs(Spec):
        if _ours(cls) and cls.simpy_only:
            names = (
                None if cls.simpy_only is True else {cls.model_fields[name].alias or name for name in cls.simpy_only}
            )
            found |= {word for word in known if _is_of(word, cls.__name__, names)}
            found |= {
                f"{kind} {word}"
                for kind in get_args(Kind)
                for word, its in words(kind).items()
                if its is cls and names is None
            }
    return found


def _specs(cls: type[Spec]) -> Iterator[type[Spec]]:
    for below in cls.__subclasses__():
        yield below
        yield from _specs(below)


def _is_of(word: str, name: str, fields: set[str] | None) -> bool:
    """Whether `Queue.discipline: lifo` is a word of this class, and of these fields."""
    owner, _, rest = word.partition(".")
    return owner == name and (fields is None or rest.partition(":")[0] in fields)


def spoken(scenario: Scenario) -> set[str]:
    """Those that the text of a scenario says, in whichever of their forms."""
    return set(_said(scenario))


def _ours(cls: type[Spec]) -> bool:
    """Whether it is no word of a plug-in that some test has loaded."""
    return cls.__module__.startswith("sim.")


def _fields(name: str, body: dict[str, Any]) -> Iterator[str]:
    for form in (body, *body.get("anyOf", ())):
        for field, schema in form.get("properties", {}).items():
            yield f"{name}.{field}"
            yield from (f"{name}.{field}: {value}" for value in _values(schema))


def _values(schema: Any) -> Iterator[str]:
    """The words that may stand there; those of what it refers to are told with that."""
    if isinstance(schema, list):
        for item in schema:
            yield from _values(item)
    elif isinstance(schema, dict):
        said = [schema.get("const"), *schema.get("enum", ())]
        yield from (value for value in said if isinstance(value, str))
        for key in ("anyOf", "items", "prefixItems", "additionalProperties", "propertyNames"):
            yield from _values(schema.get(key))


def _said(spec: Spec) -> Iterator[str]:
    if has_word(spec):
        yield f"{next(kind for kind in get_args(Kind) if type(spec) in words(kind).values())} {word_of(spec)}"
    cls = type(spec)
    for name in spec.model_fields_set:
        field = f"{cls.__name__}.{cls.model_fields[name].alias or name}"
        yield field
        yield from _below(getattr(spec, name), field)


def _below(value: Any, field: str) -> Iterator[str]:
    if isinstance(value, Spec):
        yield from _said(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _below(key, field)
            yield from _below(item, field)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _below(item, field)
    elif isinstance(value, str):
        yield f"{field}: {value}"
    elif value == UNLIMITED:
        yield f"{field}: unlimited"
