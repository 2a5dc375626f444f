"""Plain data of a stranger into the values that it should be: every word there, of its kind, or an error with its
place.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal, Union

from sim.errors import unprintable_in
from sim.units import shown

LARGEST = 1e100  # of a finite number: squares of it are finite, too
WHOLE = 2**63  # whole numbers lie below


class DamagedError(ValueError):
    """What was read is not what was written; the message says where."""


def decoded(kind: Any, value: object, place: str) -> Any:  # noqa: ANN401 - a type, and a value of it
    """The value as this kind: a dataclass, str, int, float, bool, a Literal, a union with None, or a list or map.

    `place` is where it stands, for the error (DamagedError). A whole number does for a float; nothing else is taken for
    what it is not.
    """
    if is_dataclass(kind):
        return _dataclass(kind, value, place)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(inner, value, place)
    if origin is Literal:
        return _word(inner, value, place)
    if origin in (list, tuple):
        return _row(origin, inner, value, place)
    if origin is dict:
        return _map(inner[1], value, place)
    return value if kind is Any else _plain(kind, value, place)


def named(words: Iterable[str], place: str) -> None:
    """Refuse words that no scenario can name anything with."""
    for word in words:
        if unprintable_in(word) is not None:
            raise DamagedError(f"{place}: found {shown(word)}, expected a name that can be printed")


def _word(words: tuple[Any, ...], value: Any, place: str) -> Any:  # noqa: ANN401 - any value
    if not any(type(value) is type(word) and value == word for word in words):
        raise _wrong(value, " or ".join(map(repr, words)), place)
    return value


def _map(kind: Any, value: Any, place: str) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(value, dict):
        raise _wrong(value, "a map", place)
    return {_plain(str, key, place): decoded(kind, item, f"{place}.{key[:60]}") for key, item in value.items()}


def _one_of(kinds: tuple[Any, ...], value: Any, place: str) -> Any:  # noqa: ANN401
    """A union with None, which all of ours are."""
    if value is None and type(None) in kinds:
        return None
    (kind,) = (kind for kind in kinds if kind is not type(None))
    return decoded(kind, value, place)


def _row(origin: type, inner: tuple[Any, ...], value: Any, place: str) -> Any:  # noqa: ANN401
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, "a list", place)
    if origin is list or inner[-1] is Ellipsis:
        kinds: Iterator[Any] = iter([inner[0]] * len(value))
    elif len(inner) == len(value):
        kinds = iter(inner)
    else:
        raise _wrong(value, f"a list of {len(inner)}", place)
    return origin(
        decoded(kind, item, f"{place}[{index}]") for index, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _plain(kind: type, value: Any, place: str) -> Any:  # noqa: ANN401
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and abs(number) > LARGEST:
            raise _wrong(value, f"a number of at most {LARGEST:g}", place)
        return number
    if kind is int and isinstance(value, int) and not isinstance(value, bool) and -WHOLE <= value < WHOLE:
        return value
    if kind in (str, bool) and isinstance(value, kind):
        return value
    raise _wrong(value, {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[kind], place)


def _dataclass(kind: Any, value: Any, place: str) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        raise _wrong(value, "a map", place)
    kinds = _kinds(kind)
    missing = [name for name in kinds if name not in value]
    unknown = [name for name in value if name not in kinds]
    if missing or unknown:
        found = f"no '{missing[0]}'" if missing else f"'{unknown[0][:60]}'"
        raise DamagedError(f"{place}: found {found}, expected {', '.join(kinds)}")
    return kind(**{name: decoded(its, value[name], f"{place}.{name}") for name, its in kinds.items()})


@lru_cache
def _kinds(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _wrong(value: object, expected: str, place: str) -> DamagedError:
    return DamagedError(f"{place}: found {shown(value)}, expected {expected}")
