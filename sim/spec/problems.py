"""What pydantic found wrong, in plain words and with the place where it was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import ValidationError

from sim.errors import Problem, did_you_mean, nearest
from sim.spec.document import Data, Location, has, problem_at, value_at
from sim.spec.not_modelled import hint_for
from sim.spec.shape import Shape
from sim.units import shown

_SCALAR = {
    "string_type",
    "literal_error",
    "int_type",
    "float_type",
    "bool_type",
    "int_parsing",
    "float_parsing",
    "int_from_float",
}
_STRUCTURED = {"dict_type", "model_type", "model_attributes_type", "tuple_type", "list_type"}


MOST_PROBLEMS = 100  # told of one variant: nobody reads more


@dataclass(frozen=True)
class Complaint:
    """One thing that pydantic found wrong: its kind, its place in the document, its own last name for it, and what came
    with it.
    """

    type: str
    at: Location  # of what the document has; the map that lacks a field, where one is missing
    name: str | int  # by pydantic's reckoning: the missing field, the unknown key
    message: str
    context: dict[str, Any]

    @property
    def holder(self) -> Location:
        """The map that an unknown key stands in; where a shorthand hides the key itself, the map around it."""
        return self.at[:-1] if self.at[-1:] == (self.name,) else self.at


def complaints_of(error: ValidationError, document: Data, shape: Shape) -> list[Complaint]:
    """What one validation found, each thing once."""
    found = list(islice(_flattened(error.errors(include_url=False), document), MOST_PROBLEMS))
    return [
        complaint
        for complaint in found
        if not (_of_other_member(complaint, found, document) or _follows(complaint, found, document, shape))
    ]


def _flattened(errors: Iterable[Data], document: Data, before: Location = ()) -> Iterator[Complaint]:
    """Errors inside a choice arrive as one error of type 'nested' that holds them."""
    for item in errors:
        at = (*before, *item["loc"])
        context = item.get("ctx") or {}
        if item["type"] == "nested":
            yield from _flattened(context["nested"], document, at)
        else:
            yield Complaint(item["type"], _known(at, document), at[-1] if at else "", item["msg"], context)


def _of_other_member(complaint: Complaint, found: list[Complaint], document: Data) -> bool:
    """A union complains for each of its members; only the member that was meant is worth a word."""
    irrelevant = _SCALAR if isinstance(value_at(document, complaint.at), (dict, list)) else _STRUCTURED
    depth = len(complaint.at)
    return complaint.type in irrelevant and any(
        other is not complaint
        and other.at[:depth] == complaint.at
        and (len(other.at) > depth or other.type not in irrelevant)
        for other in found
    )


def _follows(complaint: Complaint, found: list[Complaint], document: Data, shape: Shape) -> bool:
    """What is no trouble of its own: a list too short because its items are wrong, a field missing because it is
    misspelt.
    """
    if complaint.type == "too_short":
        return len(value_at(document, complaint.at)) >= int(complaint.context.get("min_length", 0))
    if complaint.type != "missing":
        return False
    unknown = [other.at for other in found if other.type == "extra_forbidden" and other.at[:-1] == complaint.at]
    return any(nearest(str(at[-1]), words_at(document, at[:-1], shape)) == complaint.name for at in unknown)


def _known(at: Location, document: Data) -> Location:
    """The parts of a location that the document has."""
    known: list[str | int] = []
    for part in at:
        if has(value_at(document, tuple(known)), part):
            known.append(part)
    return tuple(known)


def problem_of(complaint: Complaint, document: Data, shape: Shape, file: str = "") -> Problem:
    """The complaint as a problem, with file and line."""
    at, name = complaint.at, str(complaint.name)[:60]
    if complaint.type == "missing":
        return problem_at(document, at, _missing(complaint, document), of_key=True, file=file)
    if name == "[key]":
        word = str(at[-1]) if at else ""
        hint = _one_of(str(complaint.context.get("expected", "")), word)
        return problem_at(document, at, f"unknown field '{word}', expected {hint}", of_key=True, file=file)
    if complaint.type == "extra_forbidden":
        beside = [] if complaint.holder else ["variants"]  # read before all else, and no field of a scenario
        hint = hint_for(str(complaint.name), [*words_at(document, complaint.holder, shape), *beside])
        return problem_at(document, at, f"unknown field '{name}'{hint}", of_key=True, file=file)
    return problem_at(document, at, _said(complaint, value_at(document, at), document, shape), file=file)


def _missing(complaint: Complaint, document: Data) -> str:
    name = complaint.name
    if isinstance(name, int):
        return f"found {shown(value_at(document, complaint.at))}, expected at least {name + 1}"
    if not complaint.at and name == "version":
        return "the field 'version' is missing; a scenario opens with version: 1"
    return f"the field '{name}' is missing"


def words_at(document: Data, at: Location, shape: Shape) -> list[str]:
    """The keys that could stand in the map at `at`."""
    here = document
    for part in at:
        shape = shape.child(part, here)
        here = here[part]
    return shape.words(here)


def _said(complaint: Complaint, found: Data, document: Data, shape: Shape) -> str:
    """The complaint as an engineer would say it."""
    if complaint.type == "choice":
        return complaint.message
    if complaint.type in ("value_error", "assertion_error"):
        return complaint.message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"found {shown(found)}, expected {_expected(complaint, found, document, shape)}"


def _expected(complaint: Complaint, found: Data, document: Data, shape: Shape) -> str:
    context, kind = complaint.context, complaint.type
    if kind == "literal_error":
        return _one_of(str(context["expected"]), found)
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        limit = context.get("gt", context.get("ge", context.get("lt", context.get("le"))))
        return f"{_LIMITS[kind]} {limit:,}" if isinstance(limit, int) else f"{_LIMITS[kind]} {limit:g}"
    if kind in ("too_short", "too_long"):
        return f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        words = words_at(document, complaint.at, shape)
        return f"a map with {', '.join(words)}" if words else "a map of names"
    return _PLAIN.get(kind, complaint.message[:1].lower() + complaint.message[1:])


def _one_of(expected: str, found: Data) -> str:
    """pydantic's "'fifo' or 'lifo'" without its quotes, and the nearest of them."""
    known = [word.strip().strip("'") for word in expected.replace(" or ", ",").split(",")]
    hint = did_you_mean(found, known) if isinstance(found, str) else ""
    return f"{expected.replace(chr(39), '')}{hint if 'mean' in hint else ''}"


_LIMITS = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}
_PLAIN = {
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
