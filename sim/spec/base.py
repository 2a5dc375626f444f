"""The ground the specs stand on: frozen models, the unit types, and choices whose words can be registered by a plug-in.

A *choice* is a map in which one word names a kind. Two shapes exist:

* nested: `{exponential: 10ms}`; the one key is the word, its value the body (distributions, arrivals, back-offs);
* flat: `{call: a.b, policy: p}`; one key is the word, its value the `positional` field, the other keys are fields (steps, faults).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from sim import units
from sim.errors import did_you_mean


class Spec(BaseModel):
    """Base of all specs: frozen, unknown keys are errors, fields may be written by alias or by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    positional: ClassVar[str | None] = None  # the field that takes a body which is not a map of fields


def _unit(parse: Callable[[object], float], kind: str, example: str) -> Any:
    schema = WithJsonSchema({"type": ["string", "number"], "description": f"{kind}, such as {example}"})
    return Annotated[float, BeforeValidator(parse), schema]


Duration = _unit(units.duration, "a duration", "250ms, 1.5s, 1h30m")
Rate = _unit(units.rate, "a rate", "120/s or 30/m")
Price = _unit(units.price, "a cost per time", "0.10/h")
Share = _unit(units.share, "a share", "20% or 0.2")
Factor = _unit(units.factor, "a factor", "5x")


def _count(value: object) -> object:
    return -1 if value == "unlimited" else value


Count = Annotated[int, BeforeValidator(_count), WithJsonSchema({"oneOf": [{"type": "integer", "minimum": 0}, {"const": "unlimited"}]})]
UNLIMITED = -1

Kind = Literal["distribution", "arrivals", "backoff", "step", "fault", "broker", "authentication"]
_registry: dict[str, dict[str, type[Spec]]] = {}
_flat = {"step", "fault"}
S = TypeVar("S", bound=type[Spec])


def register(kind: Kind, word: str) -> Callable[[S], S]:
    """Class decorator: `word` in a scenario is read as this spec. Built-in kinds and plug-ins register in the same way."""

    def add(spec: S) -> S:
        words = _registry.setdefault(kind, {})
        if word in words and words[word] is not spec:
            raise ValueError(f"the {kind} '{word}' is registered already, by {words[word].__module__}")
        words[word] = spec
        return spec

    return add


def unregister(kind: Kind, word: str) -> None:
    """Forget a word, so that a test or a notebook can load a plug-in again."""
    _registry.get(kind, {}).pop(word, None)


def words(kind: Kind) -> dict[str, type[Spec]]:
    """The registered words of a kind and their specs, in the order of registration."""
    return dict(_registry.get(kind, {}))


def word_of(spec: Spec) -> str:
    """The word under which the class of `spec` is registered."""
    for kind in _registry.values():
        for word, cls in kind.items():
            if type(spec) is cls:
                return word
    return type(spec).__name__.lower()


class Choice:
    """Annotation of a field whose value is one of the registered words of a kind: `Annotated[Spec, Choice("step")]`."""

    def __init__(self, kind: Kind):
        self.kind: Kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"$choice": self.kind}  # expanded by sim.spec.schema, which knows all registered words

    def _parse(self, value: Any) -> Spec:
        known = _registry.get(self.kind, {})
        if isinstance(value, Spec):
            return value
        if self.kind == "distribution" and not isinstance(value, (dict, list)):
            value = {"constant": value}
        if isinstance(value, str) and value in known:
            value = {value: {}}
        if not isinstance(value, dict) or not value:
            raise PydanticCustomError("choice", "found {value}, expected a {kind}: a map with one of {known}", {"value": repr(value), "kind": self.kind, "known": ", ".join(known)})
        word = self._word(value, known)
        cls, place = known[word], (word,)
        body = value[word]
        if self.kind in _flat:
            rest = {key: item for key, item in value.items() if key != word}
            if cls.positional is not None:
                body = {**rest, cls.positional: body}
                return self._validate(cls, body, (), {cls.positional: word})
            body = {**(body if isinstance(body, dict) else {}), **rest}
            return self._validate(cls, body, place, {key: None for key in rest})
        return self._validate(cls, body_of(cls, body), place, {})

    def _word(self, value: dict[str, Any], known: dict[str, type[Spec]]) -> str:
        named = [key for key in value if key in known]
        if len(named) == 1 and (self.kind in _flat or len(value) == 1):
            return str(named[0])
        if len(named) > 1:
            raise PydanticCustomError("choice", "found {named} together, expected one {kind}", {"named": " and ".join(named), "kind": self.kind})
        odd = next(iter(key for key in value if key not in known))
        raise PydanticCustomError("choice", "unknown {kind} '{odd}'{hint}", {"kind": self.kind, "odd": str(odd), "hint": did_you_mean(str(odd), known)})

    @staticmethod
    def _validate(cls: type[Spec], body: Any, place: tuple[str, ...], renamed: dict[str, str | None]) -> Spec:
        """Validate the body; hand nested errors up with their places (flattened again by sim.spec.problems)."""
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            nested = []
            for item in error.errors():
                location = tuple(item["loc"])
                if location and location[0] in renamed:
                    word = renamed[str(location[0])]
                    location = (word, *location[1:]) if word is not None else location
                    nested.append({**item, "loc": location})
                else:
                    nested.append({**item, "loc": (*place, *location)})
            raise PydanticCustomError("nested", "has errors inside", {"nested": nested, "fields": sorted(_names(cls))}) from None


def body_of(cls: type[Spec], body: Any) -> Any:
    """A body that is not a map of fields goes to the positional field: `{exponential: 10ms}`, `{users: 5}`."""
    if cls.positional is None or (isinstance(body, dict) and body and set(body) & _names(cls)) or isinstance(body, cls):
        return body if body is not None else {}
    return {cls.positional: body}


def _names(cls: type[Spec]) -> set[str]:
    return {field.alias or name for name, field in cls.model_fields.items()}
