"""Plain data that remembers where each piece of it was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sim.errors import Problem

# what YAML and JSON can hold; written out as a recursive union it would have to be narrowed at every step
Data: TypeAlias = Any
Location: TypeAlias = tuple[str | int, ...]  # ("services", "orders", "endpoints", "create", 0, "work")


@dataclass(frozen=True)
class Place:
    """A point in a file, or an option of the command line (line 0).

    `within` names the variant whose patch it is part of.
    """

    file: str = ""
    line: int = 0
    column: int = 0
    within: Location = ()


class Map(dict[str, Any]):
    """A map with the places of its keys and of its values."""

    def __init__(
        self,
        items: Mapping[str, Data] | None = None,
        keys: Mapping[str, Place] | None = None,
        values: Mapping[str, Place] | None = None,
    ) -> None:
        super().__init__(items or {})
        self.keys_at: dict[str, Place] = dict(keys or {})
        self.values_at: dict[str, Place] = dict(values or {})

    def put(self, key: str, value: Data, key_at: Place | None, value_at: Place | None) -> None:
        """Set `key`, written there."""
        self[key] = value
        for places, place in ((self.keys_at, key_at), (self.values_at, value_at)):
            places.pop(key, None)
            if place is not None:
                places[key] = place


class Seq(list[Any]):
    """A list with the places of its items."""

    def __init__(self, items: Iterable[Any] = (), places: Iterable[Place | None] | None = None) -> None:
        super().__init__(items)
        self.items_at: list[Place | None] = list(places) if places is not None else [None] * len(self)


def as_map(value: dict[str, Any]) -> Map:
    """A copy of one level, with its places where it has any."""
    return Map(value, value.keys_at, value.values_at) if isinstance(value, Map) else Map(value)


def as_seq(value: list[Any]) -> Seq:
    """A copy of one level, with its places where it has any."""
    return Seq(value, value.items_at) if isinstance(value, Seq) else Seq(value)


def plain(value: Data) -> Data:
    """The same data as ordinary dicts and lists, all new, so that it goes to JSON and nobody's change is another's."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value] if any(isinstance(item, (dict, list)) for item in value) else list(value)
    return value


def nested(value: Data, within: Location) -> Data:
    """The same data, its places marked as part of the patch of a variant."""
    if isinstance(value, Map):
        keys = {key: _inside(place, within) for key, place in value.keys_at.items()}
        values = {key: _inside(place, within) for key, place in value.values_at.items()}
        return Map({key: nested(item, within) for key, item in value.items()}, keys, values)
    if isinstance(value, Seq):
        return Seq(
            [nested(item, within) for item in value], [place and _inside(place, within) for place in value.items_at]
        )
    return value


def _inside(place: Place, within: Location) -> Place:
    return Place(place.file, place.line, place.column, within)


def problem_at(document: Data, location: Location, message: str, of_key: bool = False, file: str = "") -> Problem:
    """A problem with the value (or the key) at `location`, or at the deepest part of that path which the document has.

    Parts of the path that are no part of the document (the field that a shorthand leaves out, a branch of a union) are
    passed over.
    """
    here, place = document, Place(file, 1 if isinstance(document, Map) and document.keys_at else 0)
    known: Location = ()
    for part in location:
        if has(here, part):
            place = _place_of(here, part, of_key) or place
            here, known = here[part], (*known, part)
    return Problem(message, dotted((*place.within, *known)), place.file, place.line, place.column)


def _place_of(here: Data, part: Data, of_key: bool) -> Place | None:
    if isinstance(here, Seq):
        return here.items_at[part]
    if isinstance(here, Map):
        return here.keys_at.get(part) if of_key else here.values_at.get(part)
    return None


def dotted(location: Location) -> str:
    """`services.orders.workers`"""
    return ".".join(str(part) for part in location)


def value_at(document: Data, location: Location) -> Data:
    """What stands at the deepest part of `location` that the document has."""
    here = document
    for part in location:
        if has(here, part):
            here = here[part]
    return here


def with_value(document: Data, location: Location, value: Data) -> Data:
    """A copy along the path to `location`, which the document has, with another value there; places stay."""
    if not location:
        return value
    part = location[0]
    here = as_seq(document) if isinstance(document, list) else as_map(document)
    here[part] = with_value(document[part], location[1:], value)  # type: ignore[index]
    return here


def value_of(document: Data, location: Location) -> Data:
    """What stands at `location`; None where the document lacks it."""
    for part in location:
        if not has(document, part):
            return None
        document = document[part]
    return document


def has(here: Data, part: str | int) -> bool:
    """Whether a map has this key, or a list this index."""
    if isinstance(here, list):
        return isinstance(part, int) and 0 <= part < len(here)
    return isinstance(here, dict) and part in here
