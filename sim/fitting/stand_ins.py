"""What is free where nobody says: the times that a scenario marks as still to be supplied (see `sim import`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sim.spec.document import Data, Map, Seq
from sim.spec.reading import read_yaml
from sim.spec.times import time_of
from sim.vocabulary import TO_BE_SUPPLIED

_MARK = re.compile(rf"(?:^|\s)#\s*{TO_BE_SUPPLIED}\b")
_TIMES = ("work", "wait", "latency")


def marked_times(text: str) -> list[tuple[str | int, ...]]:
    """The places of the times in a text whose line, or the comment above it, says that they are stand-ins."""
    lines = _marked_lines(text)
    return [path for path, line in _times(read_yaml(text, "<scenario>"), ()) if line in lines]


def _marked_lines(text: str) -> set[int]:
    """The lines of the values that are marked."""
    found, waiting = set(), False
    for number, line in enumerate(text.splitlines(), 1):
        value, _, _ = line.partition("#")
        waiting = waiting or bool(_MARK.search(line))
        if waiting and value.strip():
            found.add(number)
            waiting = False
    return found


def _times(here: Data, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Every time of a step, the gateway or the network, with the line of its key."""
    if isinstance(here, Map):
        for key, value in here.items():
            at = here.keys_at.get(key)
            its = time_of(value) if key in _TIMES else None
            if its is not None and its.mean > 0:
                yield (*path, key), at.line if at is not None else 0
            else:
                yield from _times(value, (*path, key))
    elif isinstance(here, Seq):
        for index, item in enumerate(here):
            yield from _times(item, (*path, index))


def short_name(document: dict[str, Any], path: tuple[str | int, ...]) -> str:
    """`payments.charge.work` of the first such step of an endpoint; the whole path of anything else."""
    if len(path) >= 6 and path[0] == "services" and path[2] == "endpoints":
        steps = document["services"][path[1]]["endpoints"][path[3]]
        word, index = path[5], path[4]
        if (
            isinstance(steps, list)
            and isinstance(index, int)
            and not any(word in step for step in steps[:index] if isinstance(step, dict))
        ):
            return ".".join(map(str, (path[1], path[3], *path[5:])))
    return ".".join(map(str, path))
