"""What may stand where in a scenario: the types of the specs, walked beside a document.

Merging, `--set` and the reading of files need to know whether a map is a choice, a spec with fields, or names that the
user gave; the words alone do not tell (a service may well be called `profile`).
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticCustomError

from sim.spec.base import Spec, body_of, field_names
from sim.spec.choice import Choice, Tagged
from sim.spec.document import Data, Location


@dataclass(frozen=True)
class Shape:
    """One place of the language: a spec with `fields`, a map of `names`, a `list`, a `choice`, or `plain` data."""

    kind: Literal["fields", "names", "list", "choice", "plain"]
    spec: type[Spec] | None = None
    choice: Choice | None = None
    items: tuple[Any, ...] = ()  # annotations of values (names) or items (list); one that repeats, or one for each
    known: tuple[str, ...] = ()  # the only names there may be, where they are words of the language
    tagged: Tagged | None = None  # what tells which spec a map of fields is, where that depends on its `kind`

    def child(self, key: str | int, value: Data = None) -> Shape:
        """The shape below: of a field, of a named thing, of an item; `value` is what stands here, and tells what a
        choice is.
        """
        if self.kind == "choice" and self.choice is not None:
            return _in_choice(self.choice, key, value)
        if self.kind == "fields" and self.spec is not None:
            return self.listed.child(key) if isinstance(key, int) else _field(self.spec_here(value), str(key))
        if self.kind == "list" and isinstance(key, str):
            return self.single.child(key, value)
        if self.items:
            index = key if isinstance(key, int) and len(self.items) > 1 else 0
            return shape_of(self.items[min(index, len(self.items) - 1)])
        return PLAIN

    @property
    def single(self) -> Shape:
        """Of a map that stands where a list of such maps may stand: a branch of one step."""
        return shape_of(self.items[0]) if self.kind == "list" else self

    @property
    def listed(self) -> Shape:
        """Of a list that is a shorthand of fields: the steps of an endpoint, the parts of a mixture.

        Otherwise plain.
        """
        if self.spec is not None and self.spec.shorthand_type is not None:
            return shape_of(self.spec.shorthand_type)
        positional = (
            _field(self.spec, self.spec.positional)
            if self.spec is not None and self.spec.positional is not None
            else PLAIN
        )
        return positional if positional.kind == "list" else PLAIN

    def spec_here(self, value: Data) -> type[Spec]:
        """Of a map of fields: whose they are; where that depends on its `kind`, `value` tells."""
        assert self.spec is not None
        return self.tagged.spec_of(value) if self.tagged is not None else self.spec

    def words(self, value: Data) -> list[str]:
        """The keys that may be written in the map `value` here; empty where any may."""
        if self.kind == "fields" and self.spec is not None:
            return sorted(field_names(self.spec_here(value)))
        if self.kind == "choice" and self.choice is not None:
            word, cls = chosen(self.choice, value)
            return (
                sorted(field_names(cls) - {cls.positional or ""})
                if cls is not None and self.choice.flat
                else [word]
                if word
                else []
            )
        return list(self.known)


PLAIN = Shape("plain")


def shape_of(annotation: Data, metadata: tuple[Any, ...] = ()) -> Shape:
    """The shape of a type annotation; of a union, that of its first member which is not plain."""
    for extra in metadata:
        if isinstance(extra, Choice):
            return Shape("choice", choice=extra)
        if isinstance(extra, Tagged):
            return Shape("fields", spec=extra.spec_of(None), tagged=extra)
    origin: Data = get_origin(annotation)
    if origin is Annotated:
        inner, *extras = get_args(annotation)
        return shape_of(inner, tuple(extras))
    if origin in (Union, types.UnionType):
        shapes = (shape_of(member) for member in get_args(annotation))
        return next((shape for shape in shapes if shape is not PLAIN), PLAIN)
    if origin is dict:
        key, value = get_args(annotation)
        return Shape("names", items=(value,), known=get_args(key) if get_origin(key) is Literal else ())
    if origin in (tuple, list):
        return Shape("list", items=tuple(item for item in get_args(annotation) if item is not Ellipsis))
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return Shape("fields", spec=annotation)
    return PLAIN


def chosen(choice: Choice, value: Data) -> tuple[str, type[Spec] | None]:
    """The word of a choice and its spec; ("", None) where `value` does not choose.

    What stands beside the word may belong to the list (`weight`).
    """
    if isinstance(value, dict) and not choice.flat:
        value = {key: body for key, body in value.items() if key in choice.words} or value
    try:
        word, _, _ = choice.split(value)
    except PydanticCustomError:
        return "", None
    return word, choice.words[word]


def choices(value: Data, shape: Shape, at: Location = ()) -> Iterator[tuple[Location, str, type[Spec]]]:
    """Every choice inside of `value`: where it stands, its word, and the spec that the word names."""
    shape = shape.single if isinstance(value, dict) else shape
    if shape.kind == "choice" and shape.choice is not None:
        word, cls = chosen(shape.choice, value)
        if cls is not None:
            yield at, word, cls
    if isinstance(value, dict):
        for key, item in value.items():
            yield from choices(item, shape.child(key, value), (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from choices(item, shape.child(index, value), (*at, index))


def _field(spec: type[Spec], key: str) -> Shape:
    return _fields(spec).get(key, PLAIN)


@cache
def _fields(spec: type[Spec]) -> dict[str, Shape]:
    """By each name that a field may be written with."""
    found: dict[str, Shape] = {}
    for name, field in spec.model_fields.items():
        shape = shape_of(field.annotation, tuple(field.metadata))
        for written in (name, field.alias):
            if written is not None:
                found.setdefault(written, shape)
    return found


def _in_choice(choice: Choice, key: str | int, value: Data) -> Shape:
    """Below a choice: the body under its word, or (in a flat one) a field beside it."""
    word, cls = chosen(choice, value)
    if cls is None:
        return PLAIN
    if key != word:
        return _field(cls, str(key))
    body = value[word] if isinstance(value, dict) else None
    if isinstance(body, dict) and choice.flat and cls.shorthand_type is not None:
        return shape_of(cls.shorthand_type)
    positional = _field(cls, cls.positional) if cls.positional is not None else PLAIN
    if choice.flat and not choice.has_fields_below(cls, body):
        return positional
    return Shape("fields", spec=cls) if body is None or body_of(cls, body) is body else positional


def specs_in(spec: type[Spec]) -> list[type[Spec]]:
    """The spec classes that the fields of `spec` are made of; choices excepted."""
    return [found for field in spec.model_fields.values() for found in _specs(field.annotation)]


def _specs(annotation: Data) -> Iterator[type[Spec]]:
    origin: Data = get_origin(annotation)
    if origin is Annotated and any(isinstance(extra, Tagged) for extra in get_args(annotation)[1:]):
        return  # which spec it is depends on what is written
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        yield annotation
    for part in get_args(annotation):
        yield from _specs(part)
