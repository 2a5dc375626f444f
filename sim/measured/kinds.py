"""The formats of measurements that are known, and how each is told from its content.

A new format is a module with `recognises(source)` and `read(source)`, and a line in `READERS`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from sim.errors import Problem, ScenarioError, UsageError, did_you_mean
from sim.measured import k6
from sim.measured.measurement import Measured
from sim.measured.rows import UnreadableRowError
from sim.measured.source import Source


class Reader(NamedTuple):
    """A format: its name, what people call it, by what it is told, and what reads it."""

    name: str
    title: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Measured]


READERS: tuple[Reader, ...] = (
    Reader("k6", "k6 JSON", k6.recognises_json, k6.read_json),
    Reader("k6-csv", "k6 CSV", k6.recognises_csv, k6.read_csv),
)


def reader_of(source: Source) -> Reader | None:
    """The format that a file is in, told from its beginning; None where it is none of these."""
    return next((reader for reader in READERS if reader.recognises(source)), None)


def named(name: str) -> Reader:
    """The format that a user insists on; a UsageError where there is none."""
    for reader in READERS:
        if reader.name == name:
            return reader
    raise UsageError(f"kind: unknown kind '{name}'{did_you_mean(name, [reader.name for reader in READERS])}")


def read_measured(file: str, kind: str | None = None, confine: str | Path | None = None) -> Measured:
    """The measurement in one file, `-` being the standard input. `kind` insists on a format; `confine`: a folder that it must lie in.

    UsageError where it cannot be read, ScenarioError with place, finding and expectation where it is none of the known formats.
    """
    with Source(file, confine) as source:
        reader = named(kind) if kind is not None else reader_of(source)
        if reader is None:
            raise source.wrong(f"found {_seems(source)}, expected one of: {listed()}", 1)
        try:
            return reader.read(source)
        except csv.Error as error:
            raise source.wrong(f"is no CSV: {error}") from None
        except UnreadableRowError as error:
            raise source.wrong(str(error)) from None


def read_all(files: Sequence[str], kind: str | None = None, confine: str | Path | None = None) -> list[Measured]:
    """The measurements in several files; all that is wrong with any of them is told at once."""
    found: list[Measured] = []
    problems: list[Problem] = []
    for file in dict.fromkeys(files):
        try:
            found.append(read_measured(file, kind, confine))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return found


def listed() -> str:
    """What can be read, in words."""
    return ", ".join(reader.title for reader in READERS)


def _seems(source: Source) -> str:
    if not source.lines_of_head:
        return "an empty file"
    return f"a file that begins with {source.first_line[:60]!r}"
