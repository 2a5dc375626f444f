"""Where things stand in a scenario, as it writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sim.spec.base import Spec, has_word, word_of

HANDFUL = 5  # names that a sentence bears
CHANGED = "changed_defaults"  # the kind of what is told of words that meant something else in an earlier version
S = TypeVar("S", bound=Spec)


def specs_within(place: str, value: object, kind: type[S]) -> Iterator[tuple[str, S]]:
    """Every spec of a kind in a spec and in what it is made of, with its place:
    `services.a.endpoints.x.0.wait.replay`.
    """
    inside: list[tuple[object, object]] = []
    if isinstance(value, kind):
        yield place, value
    if isinstance(value, Spec):
        fields = type(value).model_fields.items()
        word = word_of(value) if has_word(value) else ""  # a shorthand without a word, as the steps of an endpoint
        inside = [
            (word if name == value.positional else field.alias or name, getattr(value, name)) for name, field in fields
        ]
    elif isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, (tuple, list)) and value and not isinstance(value[0], (int, float, str)):
        inside = list(enumerate(value))
    for name, part in inside:
        yield from specs_within(f"{place}.{name}".strip("."), part, kind)


def listed(names: Sequence[str]) -> str:
    """`a, b, c, d, e and 195 more`: at most a handful by name."""
    if len(names) <= HANDFUL + 1:
        return ", ".join(names)
    return f"{', '.join(names[:HANDFUL])} and {len(names) - HANDFUL:,} more"
