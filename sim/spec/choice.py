"""Fields whose value is one of the registered words of a kind, so that a plug-in can add to them.

A *choice* is a map in which one word names the kind. Two shapes exist:

* nested: `{exponential: 10ms}`; the one key is the word, its value the body (distributions, arrivals, back-offs);
* flat: `{call: a.b, policy: p}`; one key is the word, its value the `positional` field, the other keys are fields
  (steps, faults).

Where a map of fields says in one of them, `kind`, which word it is (brokers), its field is `Tagged`.
"""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from sim import units
from sim.errors import nearest
from sim.spec.base import Kind, Spec, body_of, field_names, words
from sim.spec.document import Data
from sim.spec.not_modelled import hint_for

FLAT: tuple[Kind, ...] = ("step", "fault")  # kinds whose fields stand beside the word
INNER: dict[Kind, tuple[str, ...]] = {"fault": ("at", "for", "restart_after", "random")}
"""What a word does not say inside of another of its kind, and which words are not said there; the classes refuse it."""


class Choice:
    """Annotation of a field whose value is one of the registered words of a kind: `Annotated[Spec, Choice("step")]`.

    One that is `inner` stands inside of another of its kind.
    """

    def __init__(self, kind: Kind, *, inner: bool = False) -> None:
        self.kind: Kind = kind
        self.inner = inner

    @property
    def flat(self) -> bool:
        """Whether fields stand beside the word rather than below it."""
        return self.kind in FLAT

    @property
    def words(self) -> dict[str, type[Spec]]:
        """The words that may be chosen now."""
        return words(self.kind)

    def __get_pydantic_core_schema__(self, source: Data, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        # Expanded by sim.spec.schema, which knows all registered words.
        return {"$choice": f"{self.kind}.inner" if self.inner else self.kind}

    def _parse(self, value: Data) -> Spec:
        if isinstance(value, Spec):
            return value
        word, body, fields = self.split(value)
        cls = words(self.kind)[word]
        if not self.flat:
            return self._validate(cls, body_of(cls, body), (word,), {})
        if cls.positional is not None and not self.has_fields_below(cls, body):
            return self._validate(cls, {**fields, cls.positional: body}, (), {cls.positional: word})
        if not isinstance(body, dict) and body is not None:
            raise PydanticCustomError(
                "choice",
                "found {value} under {word}, expected a map of its fields: {known}",
                {"value": units.shown(body), "word": word, "known": ", ".join(_own_fields(cls, self.kind))},
            )
        return self._validate(cls, {**(body or {}), **fields}, (word,), dict.fromkeys(fields))

    def has_fields_below(self, cls: type[Spec], body: Data) -> bool:
        """Whether fields stand under a word. A fault reads `crash: {of: shop}` and `crash: shop`."""
        return cls.positional is None or (self.kind == "fault" and (body is None or isinstance(body, dict)))

    def split(self, value: Data) -> tuple[str, Any, dict[str, Any]]:
        """The word, what stands under it, and the fields beside it; a PydanticCustomError where `value` is no such
        choice.
        """
        known = self.words
        if (
            self.kind == "distribution"
            and not isinstance(value, (dict, list))
            and not (isinstance(value, str) and value in known)
        ):
            value = {"constant": value}
        if isinstance(value, str) and value in known:
            value = {value: {}}
        if not isinstance(value, dict) or not value:
            raise PydanticCustomError(
                "choice",
                "found {value}, expected a map with one of {known}",
                {"value": units.shown(value), "known": ", ".join(known)},
            )
        word = self._word(value, known)
        return word, value[word], {key: item for key, item in value.items() if key != word}

    def _word(self, value: dict[str, Any], known: dict[str, type[Spec]]) -> str:
        named = [key for key in value if key in known]
        if len(named) == 1 and (self.flat or len(value) == 1):
            return str(named[0])
        if len(named) > 1:
            raise PydanticCustomError(
                "choice", "found {named} together, expected one of them", {"named": " and ".join(named)}
            )
        if named:
            odd = next(str(key) for key in value if key not in known)
            hint = "; `per` stands beside the step: `{work: 5ms, per: attempt}`" if odd == "per" else ""
            details = {"odd": odd, "named": named[0], "hint": hint}
            raise PydanticCustomError(
                "choice", "found '{odd}' beside '{named}', expected '{named}' alone{hint}", details
            )
        fields = {name for cls in known.values() for name in field_names(cls)} if self.flat else set()
        strange = [str(key) for key in value if key not in fields]
        if not strange:
            raise PydanticCustomError(
                "choice",
                "found no {kind} here; expected one of {known}",
                {"kind": self.kind, "known": ", ".join(known)},
            )
        strange.sort(key=lambda key: not difflib.get_close_matches(key, known, n=1))  # a slip of the pen first
        odd = strange[0]
        details = {"kind": self.kind, "odd": odd, "hint": hint_for(odd, known), "nearest": nearest(odd, known) or ""}
        raise PydanticCustomError("choice", "unknown {kind} '{odd}'{hint}", details)

    @staticmethod
    def _validate(spec: type[Spec], body: Data, place: tuple[str, ...], renamed: dict[str, str | None]) -> Spec:
        """Validate the body; hand nested errors up with their places (flattened again by sim.spec.problems)."""
        try:
            return spec.model_validate(body)
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
            raise PydanticCustomError(
                "nested", "has errors inside", {"nested": nested, "fields": sorted(field_names(spec))}
            ) from None


class Tagged:
    """Annotation of a field whose value is a map of fields, one of which, `kind`, is a registered word:
    `Annotated[Broker, Tagged("broker")]`.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind

    def spec_of(self, value: Data) -> type[Spec]:
        """The class that the map names; where it names none the one that has most of its fields, of several the first
        that was registered.
        """
        known = words(self.kind)
        if not isinstance(value, dict):
            return next(iter(known.values()))
        word = value.get("kind")
        if isinstance(word, str) and word in known:
            return known[word]
        return max(known.values(), key=lambda cls: len(field_names(cls) & set(value)))

    def __get_pydantic_core_schema__(self, source: Data, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"$tagged": self.kind}  # expanded by sim.spec.schema, which knows all registered words

    def _parse(self, value: Data) -> Spec:
        if isinstance(value, Spec):
            return value
        try:
            return self.spec_of(value).model_validate(value)
        except ValidationError as error:
            known = words(self.kind)
            # it may be a map
            unknown = isinstance(value, dict) and "kind" in value and value["kind"] not in tuple(known)
            nested = [item for item in error.errors() if item["loc"] == ("kind",) or not unknown]
            if unknown:  # of a kind that nobody knows its other fields are not judged
                nested = [
                    {**item, "ctx": {**item.get("ctx", {}), "expected": " or ".join(map(repr, known))}}
                    for item in nested
                ]
            raise PydanticCustomError(
                "nested", "has errors inside", {"nested": nested, "fields": sorted(field_names(self.spec_of(value)))}
            ) from None


def _own_fields(cls: type[Spec], kind: Kind) -> list[str]:
    """The fields of a word that not all of its kind have, in the order of its class."""
    shared = set.intersection(*(field_names(other) for other in words(kind).values()))
    return [field.alias or name for name, field in cls.model_fields.items() if (field.alias or name) not in shared]
