"""A wrong document repaired, only to look further: what it names can be checked although its form is wrong.

Never run, never shown.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from sim.errors import nearest
from sim.spec.base import Spec
from sim.spec.document import Data, Location, Map, as_map, as_seq, has
from sim.spec.problems import Complaint, complaints_of, words_at
from sim.spec.shape import Shape

# one of them fits wherever a number, a duration, a rate, a name or a flag is wanted
_LIKELY = (1, "1s", "1/s", "word", True)


def repair(
    document: Map, complaints: Iterable[Complaint], spec: type[Spec], shape: Shape
) -> tuple[Map, set[Location]] | None:
    """The document with misspelt words put right, unknown fields left out and wrong values replaced; and where values
    were replaced.

    None where something is wrong that cannot be guessed.
    """
    open_places: set[Location] = set()
    for complaint in complaints:
        slip = _slip(complaint, document, shape)
        if slip is not None:
            document = _respelt(document, *slip)
        elif complaint.type in ("extra_forbidden", "choice") and isinstance(_at(document, complaint.at), dict):
            return None
        else:
            open_places.add((*complaint.at, complaint.name) if complaint.type == "missing" else complaint.at)
    return _filled(document, open_places, spec, shape)


def _slip(complaint: Complaint, document: Map, shape: Shape) -> tuple[Location, str | None] | None:
    """Where a word is wrong, and the word that was meant; None for the word where it is best left out; None where no
    word is wrong.
    """
    if complaint.type == "extra_forbidden" and complaint.holder != complaint.at and _is_there(document, complaint.at):
        return complaint.at, nearest(str(complaint.name), words_at(document, complaint.holder, shape))
    at = (*complaint.at, complaint.context.get("odd", ""))
    if complaint.type == "choice" and complaint.context.get("nearest") and _is_there(document, at):
        return at, complaint.context["nearest"]
    return None


def _is_there(document: Data, at: Location) -> bool:
    return bool(at) and isinstance(_at(document, at[:-1]), dict) and has(_at(document, at[:-1]), at[-1])


def believable(at: Location, message: str, repaired: Iterable[Location]) -> bool:
    """Whether a finding in a repaired document is one of the original: only of names, and only where nothing was put
    in.
    """
    return message.startswith("unknown ") and not any(_same_place(at, place) for place in repaired)


def _same_place(at: Location, place: Location) -> bool:
    """Whether one lies within the other; a field beside the word of a fault (`flush: pages, of: shop`) is told of as
    one below it.
    """
    beside = len(at) > len(place) and at[: len(place) - 1] == place[:-1] and at[-1:] == place[-1:]
    return beside or at[: len(place)] == place or place[: len(at)] == at


def _filled(document: Map, wanted: set[Location], spec: type[Spec], shape: Shape) -> tuple[Map, set[Location]] | None:
    """The likely values tried one after the other, at all places at once."""
    waiting = set(wanted)
    for value in _LIKELY:
        if not waiting:
            break
        for at in waiting:
            if isinstance(_at(document, at), (dict, list)) or _beyond_a_list(document, at):
                return None
            document = _replaced(document, at, value)
        waiting &= _still_wrong(document, spec, shape)
    return None if waiting else (document, wanted)


def _still_wrong(document: Map, spec: type[Spec], shape: Shape) -> set[Location]:
    try:
        spec.model_validate(document)
    except ValidationError as error:
        return {
            (*found.at, found.name) if found.type == "missing" else found.at
            for found in complaints_of(error, document, shape)
        }
    return set()


def _beyond_a_list(document: Data, at: Location) -> bool:
    """An item that a list lacks cannot be put in without guessing how many."""
    return bool(at) and isinstance(_at(document, at[:-1]), list) and not has(_at(document, at[:-1]), at[-1])


def _at(document: Data, at: Location) -> Data:
    for part in at:
        document = document[part] if has(document, part) else None
    return document


def _replaced(document: Data, at: Location, value: Data) -> Data:
    """A copy along the path with another value at its end."""
    if not at:
        return value
    if isinstance(document, list) and isinstance(at[0], int):
        items = as_seq(document)
        items[at[0]] = _replaced(document[at[0]], at[1:], value)
        return items
    fields = as_map(document if isinstance(document, dict) else {})
    fields[str(at[0])] = _replaced(fields.get(str(at[0])), at[1:], value)
    return fields


def _respelt(document: Data, at: Location, word: str | None) -> Data:
    """A copy along the path in which the key at its end is `word`, or is gone where there is no such word, or it stands
    there already.
    """
    head, rest = at[0], at[1:]
    if rest:
        return _replaced(document, (head,), _respelt(document[head], rest, word))
    renamed = Map()
    for key, value in document.items():
        name = word if key == head else key
        if name is not None and (key != head or name not in document):
            renamed.put(name, value, as_map(document).keys_at.get(key), as_map(document).values_at.get(key))
    return renamed
