"""Settings as YAML with remarks: documents or items of lists, each below the comments that belong to it."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from textwrap import indent
from typing import Any

from ruamel.yaml import YAML

from sim.errors import printable
from sim.exporting.subject import Subject

TO_BE_SUPPLIED = "TO BE SUPPLIED"
_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST = 63  # characters of a DNS label


def head(subject: Subject, what: str, *lines: str) -> str:
    """The comment at the beginning of a file: where it comes from, and what holds for all of it."""
    return remarks([f"{what} of {subject.title}, written by sim export.", *lines])


def remarks(lines: Sequence[str], margin: str = "") -> str:
    """Lines as comments; nothing in them ends one."""
    return "".join(f"{margin}# {printable(line, one_line=True)}".rstrip() + "\n" for line in lines)


def dumped(value: Mapping[str, Any] | Sequence[Any], margin: str = "") -> str:
    """A map, or the items of a list, as block YAML; keys stay in their order."""
    yaml = YAML()
    yaml.width = 10**6
    yaml.default_flow_style = False
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(value, stream)
    text = stream.getvalue()
    if isinstance(value, Sequence):
        text = re.sub(r"^ {2}", "", text, flags=re.MULTILINE)  # a list at the top is set in by its offset
    return indent(text, margin)


def host_of(name: str) -> str:
    """A name as a DNS label (RFC 1123): `Order Service` -> `order-service`."""
    return _NAME.sub("-", name.lower()).strip("-")[:_LONGEST].strip("-") or "unnamed"


def hosts_of(names: Sequence[str]) -> dict[str, str]:
    """Name -> label, no two alike."""
    found: dict[str, str] = {}
    for name in names:
        label, count = host_of(name), 1
        while label in found.values():
            count += 1
            label = f"{host_of(name)[: _LONGEST - 5]}-{count}"
        found[name] = label
    return found


def milliseconds(seconds: float) -> int:
    """Whole ones, at least 1."""
    return max(1, round(seconds * 1000))
