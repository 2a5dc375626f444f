"""The variables of a compose file: `${NAME}` and `${NAME:-default}`, from files of KEY=VALUE that were named, and from
nowhere else.

Rules: the Compose Specification, "Interpolation". What has no value stays as it was written, so that it is seen where
it matters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sim.spec.document import Data, Map, Seq

_PLAIN = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{)")
_INNER = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])(.*))?", re.DOTALL)
UNKNOWN = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_DEEPEST = 5  # defaults within defaults
_LONGEST = 4000  # characters of a value, before and after
_MOST = 2**24  # characters that are made of a document


def interpolated(value: Data, variables: Mapping[str, str]) -> Data:
    """A copy with all variables replaced that have a value; keys and places stay as they are."""
    return _Interpolation(variables).of(value)


class _Interpolation:
    """Of one document.

    What aliases repeat is made once, and all that is made is bounded: beyond that texts stay as they are.
    """

    def __init__(self, variables: Mapping[str, str]):
        self.variables = variables
        self.made: dict[str, str] = {}
        self.left = _MOST

    def of(self, value: Data) -> Data:
        if isinstance(value, str):
            return self._text(value) if "$" in value[:_LONGEST] else value
        if isinstance(value, Map):
            return Map({key: self.of(item) for key, item in value.items()}, value.keys_at, value.values_at)
        if isinstance(value, Seq):
            return Seq([self.of(item) for item in value], value.items_at)
        return value

    def _text(self, text: str) -> str:
        if text not in self.made and self.left > 0:
            self.made[text] = resolve(text, self.variables)
            self.left -= len(self.made[text])
        return self.made.get(text, text)


def resolve(text: str, variables: Mapping[str, str], depth: int = 0) -> str:
    """One text."""
    text = text[:_LONGEST]
    pieces, at = [], 0
    while (found := _PLAIN.search(text, at)) is not None:
        pieces.append(text[at : found.start()])
        at = found.end()
        if found[1]:
            pieces.append("$")
        elif found[2]:
            pieces.append(variables.get(found[2], found[0]))
        else:
            end = _closing(text, at)
            if end < 0 or depth >= _DEEPEST:
                return "".join(pieces) + text[found.start() :]
            pieces.append(_braced(text[at:end], variables, depth))
            at = end + 1
    return ("".join(pieces) + text[at:])[:_LONGEST]


def _closing(text: str, at: int) -> int:
    """Where the brace ends that was opened before `at`; -1 where it does not."""
    depth = 1
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return -1


def _braced(inner: str, variables: Mapping[str, str], depth: int) -> str:
    found = _INNER.fullmatch(inner)
    if found is None:
        return "${" + inner + "}"
    name, operator, rest = found[1], found[2] or "", found[3] or ""
    value = variables.get(name)
    is_set = value is not None and (value != "" or not operator.startswith(":"))
    if operator.endswith("+"):
        return resolve(rest, variables, depth + 1) if is_set else ""
    if is_set:
        return str(value)
    if operator.endswith("-"):
        return resolve(rest, variables, depth + 1)
    return "${" + name + "}"
