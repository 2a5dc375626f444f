"""The author's file with other values in it, every other letter as it was, and a remark where each value came from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sim.errors import printable
from sim.spec.document import Data, Map, Place, Seq
from sim.spec.reading import read_yaml
from sim.vocabulary import TO_BE_SUPPLIED

Path = tuple[str | int, ...]

_REMARK = re.compile(rf"\s*#\s*{TO_BE_SUPPLIED}\b.*$")
_SCALAR = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,#\[\]{}][^,#\[\]{}\n]*""")


def rewritten(text: str, changes: Mapping[Path, Data], remarks: Mapping[Path, str]) -> str | None:
    """The text with these values; None where one does not stand in it as a value of its own line (an alias, say).

    A remark is put at the end of the line; one that said that the value was still to be supplied goes.
    """
    lines = text.splitlines(keepends=True)
    edits: list[tuple[Place, str, str]] = []
    document = read_yaml(text, "<scenario>")
    for path, value in changes.items():
        found = list(_leaves(document, path, value))
        if not found:
            return None
        edits += [
            (place, new, remarks.get(path, "") if number == 0 else "") for number, (place, new) in enumerate(found)
        ]
    for place, new, _ in sorted(edits, key=lambda edit: (edit[0].line, edit[0].column), reverse=True):
        edited = _edited(lines, place, new)
        if edited is None:
            return None
        lines[place.line - 1] = edited
    for line, remark in _by_line(edits).items():
        _say(lines, line, remark)
    return "".join(lines)


def _leaves(document: Data, path: Path, value: Data) -> list[tuple[Place, str]]:
    """The places in the text and what is to stand there.

    One, or of a map that keeps its form, each value in it that differs.
    """
    place, here = _found(document, path)
    if place is None or not place.line:
        return []
    if isinstance(here, Map) and isinstance(value, dict) and list(here) == list(value):
        answer: list[tuple[Place, str]] = []
        for key in here:
            if here[key] != value[key]:
                answer += _leaves(document, (*path, key), value[key])
        return answer
    if isinstance(here, Seq) and isinstance(value, list) and len(here) == len(value):
        return [
            leaf
            for index in range(len(here))
            if here[index] != value[index]
            for leaf in _leaves(document, (*path, index), value[index])
        ]
    return [(place, _flow(value))]


def _found(document: Data, path: Path) -> tuple[Place | None, Data]:
    place: Place | None = None
    here: Any = document
    for part in path:
        if isinstance(here, Map) and str(part) in here:
            place, here = here.values_at.get(str(part)), here[str(part)]
        elif isinstance(here, Seq) and isinstance(part, int) and part < len(here):
            place, here = here.items_at[part] if part < len(here.items_at) else None, here[part]
        else:
            return None, None
    return place, here


def _flow(value: Data) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return str(value)


def _edited(lines: Sequence[str], place: Place, new: str) -> str | None:
    """The line with what begins at this place replaced."""
    if place.line > len(lines):
        return None
    line, begin = lines[place.line - 1], place.column - 1
    if line[begin : begin + 1] in ("{", "["):
        end = _closing(line, begin)
        return f"{line[:begin]}{new}{line[end:]}" if end else None
    found = _SCALAR.match(line, begin)
    if found is None or line[begin] in "*&!|>":
        return None
    end = found.end() - (len(found[0]) - len(found[0].rstrip()))
    return f"{line[:begin]}{new}{line[end:]}"


def _closing(line: str, begin: int) -> int:
    """Behind the bracket that closes the one at `begin`; 0 where it is not in this line."""
    depth = 0
    for place in range(begin, len(line)):
        depth += (line[place] in "{[") - (line[place] in "}]")
        if depth == 0:
            return place + 1
    return 0


def _by_line(edits: Sequence[tuple[Place, str, str]]) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    for place, _, remark in sorted(edits, key=lambda edit: (edit[0].line, edit[0].column)):
        if remark and remark not in found.setdefault(place.line, []):
            found[place.line].append(remark)
    return {line: "; ".join(remarks) for line, remarks in found.items() if remarks}


def _say(lines: list[str], number: int, remark: str) -> None:
    """The remark at the end of a line, in the place of the mark of a stand-in there or in the comment above."""
    words = printable(" ".join(remark.split()), one_line=True)
    line = lines[number - 1]
    body, end = line.rstrip("\r\n"), line[len(line.rstrip("\r\n")) :]
    above = number - 2
    if (
        not _REMARK.search(body)
        and above >= 0
        and lines[above].lstrip().startswith("#")
        and TO_BE_SUPPLIED in lines[above]
    ):
        lines[above] = lines[above].replace(f"{TO_BE_SUPPLIED}: ", "")
    body = _REMARK.sub("", body)
    joint = "; " if re.search(r"\s#\s", body) else "  # "
    lines[number - 1] = f"{body}{joint}{words}{end}"
