"""Settings as Spring Boot binds them: dots in a key are levels, and a name may be written with dashes, in camel
case or with underscores.

By Spring Boot's reference ("Externalized Configuration", relaxed binding).
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.importing.parts import Part
from sim.spec.document import Data, Map, Seq, as_map

_DEEPEST = 40


def unfolded(value: Data, depth: int = 0) -> Data:
    """The same with a level for each dot: `{a.b: 1}` is `{a: {b: 1}}`. What is said twice is merged; the later
    value counts.
    """
    if isinstance(value, Seq):
        return Seq([unfolded(item, depth + 1) for item in value], value.items_at)
    if not isinstance(value, Map) or depth > _DEEPEST:
        return value
    found = Map()
    for key, item in value.items():
        place, at = value.keys_at.get(key), value.values_at.get(key)
        head, *rest = str(key).split(".", _DEEPEST) if "[" not in str(key) and "/" not in str(key) else [str(key)]
        inner = unfolded(item, depth + 1)
        for name in reversed(rest):
            level = Map()
            level.put(name, inner, place, at)
            inner = level
        before = found.get(head)
        found.put(
            head, _merged(before, inner) if isinstance(before, Map) and isinstance(inner, Map) else inner, place, at
        )
    return found


def _merged(base: Map, over: Map) -> Map:
    both = as_map(base)
    for key, value in over.items():
        before = both.get(key)
        after = _merged(before, value) if isinstance(before, Map) and isinstance(value, Map) else value
        both.put(key, after, over.keys_at.get(key), over.values_at.get(key))
    return both


def setting(part: Part, *keys: str) -> Part:
    """What stands under these keys, one below the other, however each is written; nothing where one is not there."""
    for key in keys:
        plain = _plain(key)
        name = (
            next((name for name in part.value if _plain(str(name)) == plain), key)
            if isinstance(part.value, dict)
            else key
        )
        part = part[name] if isinstance(part.value, dict) else Part(None, part.at, key, part.notes)
    return part


def texts(part: Part, depth: int = 0) -> Iterator[Part]:
    """Every text in it."""
    if isinstance(part.value, dict) and depth < _DEEPEST:
        for _, inner in part.entries():
            yield from texts(inner, depth + 1)
    elif isinstance(part.value, list) and depth < _DEEPEST:
        for inner in part.items():
            yield from texts(inner, depth + 1)
    elif isinstance(part.value, str):
        yield part


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()
