"""How a function of the builder makes the piece of a document that its arguments say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Part: TypeAlias = dict[str, Any]
"""A map of the scenario language, as a file would hold it."""


def part(said: Mapping[str, Any]) -> Part:
    """The map of these fields, without those that are not said (None). Words that Python keeps for itself end in an
    underscore there: `for_`, `from_`.
    """
    return {name.rstrip("_"): value for name, value in said.items() if value is not None}


def worded(word: str, positional: str, said: Mapping[str, Any]) -> Part:
    """A step or a fault: `{call: orders.create, policy: patient}`, or `{word: {fields}}` where it has no main value."""
    fields = part(said)
    if not positional:
        return {word: fields}
    return {word: fields.pop(positional), **fields}


def named(word: str, said: Mapping[str, Any]) -> Part:
    """Any other word: `{lognormal: {mean: 60ms, p99: 400ms}}`."""
    return {word: part(said)}
