"""Recorded CSV files of a document, read at load and embedded in it as `data`: arrivals, rate series, and columns of
durations.

All recordings of a document share one zero: the earliest row of those that hold dates, and the earliest of those that
count from a start.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from sim.errors import Problem
from sim.spec.arrivals import Replay
from sim.spec.base import body_of, words
from sim.spec.csv_file import LARGEST_TOGETHER, BadFileError, CsvFile
from sim.spec.document import Data, Location, Map, problem_at, value_at, with_value
from sim.spec.measured import Recorded, Replayed
from sim.spec.recorded_rows import durations, requests, series
from sim.spec.shape import Shape, choices

T = TypeVar("T")


@dataclass(frozen=True)
class _Reading:
    """A choice that names a file: where it stands, under which word, what it says, and what was read for it before."""

    at: Location
    word: str
    spec: Replay | Recorded  # without its data
    body: dict[str, Data]

    @property
    def clock(self) -> str:
        """The zero that its times count from: of dates, or of a start; empty where it has none."""
        data = self.body.get("data")
        if not isinstance(self.spec, Replay) or not isinstance(data, dict) or data.get("began") is None:
            return ""
        return "start" if data["clock"] == "start" else "date"


class Recordings:
    """Reads the files that documents name, each way of reading once, however many variants share it."""

    def __init__(self, base: Path | None, confine: Path | None = None) -> None:
        self._base = base  # None: documents must embed all that they name
        self._confine = confine  # where all files must lie
        self._files: dict[str, CsvFile] = {}  # by the place that a name leads to: one file may have many names
        self._read: dict[str, Data] = {}

    def embedded(self, document: Map, shape: Shape) -> tuple[Map, list[Problem]]:
        """The document with `data` beside every `file` of a replay or a recorded distribution.

        Files that it has all data of are not read.
        """
        found = _readings(document, shape)
        stale = {reading.spec.file for reading in found if reading.body.get("data") is None}
        problems: list[Problem] = []
        for index, reading in enumerate(found):
            if reading.spec.file in stale:
                data, trouble = self._data(document, reading, found)
                found[index] = _Reading(reading.at, reading.word, reading.spec, {**reading.body, "data": data})
                problems += trouble
        if stale and not problems:
            _share_zero(found)
            for reading in found:
                document = _written(document, reading)
        return document, problems

    def _data(self, document: Map, reading: _Reading, found: Sequence[_Reading]) -> tuple[Data, list[Problem]]:
        place = problem_at(document, (*reading.at, reading.word, "file"), "")
        if self._base is None:
            return None, [
                Problem(
                    "names a file, which this document does not embed", place.path, place.file, place.line, place.column
                )
            ]
        path = self._base / reading.spec.file
        try:
            data = self._reading(path, reading.spec, [other.spec for other in found])
            if not self._file(path).tells and isinstance(reading.spec, Replay) and isinstance(data, dict):
                _refuse_unknown_routes(document, reading.spec, data)
            return data, []
        except BadFileError as error:
            if error.line:
                return None, [Problem(error.message, place.path, str(path), error.line)]
            return None, [Problem(f"{path}: {error.message}", place.path, place.file, place.line, place.column)]

    def _reading(self, path: Path, spec: Replay | Recorded, others: Sequence[Replay | Recorded]) -> Data:
        if isinstance(spec, Replay):
            return self._once(path, spec, lambda file: series(file, spec) if spec.is_series else requests(file, spec))
        replays = [
            other for other in others if isinstance(other, Replay) and not other.is_series and other.file == spec.file
        ]
        owner = _owner(spec, replays) if isinstance(spec, Replayed) else None
        return self._once(path, spec, lambda file: durations(file, spec, owner), owner)

    def _once(
        self, path: Path, spec: Replay | Recorded, read: Callable[[CsvFile], T], owner: Replay | None = None
    ) -> T:
        """What was read in the same way before, or is read now."""
        ways = [
            part.model_dump(mode="json", exclude={"times", "speed", "data"}) if part is not None else None
            for part in (spec, owner)
        ]
        key = json.dumps([str(path), type(spec).__name__, ways])
        if key not in self._read:
            self._read[key] = read(self._file(path))
        found: T = self._read[key]
        return found

    def _file(self, path: Path) -> CsvFile:
        assert self._base is not None
        place = str(path) if "\0" in str(path) else os.path.realpath(path)
        if place not in self._files:
            file = CsvFile(path, self._base, self._confine)
            if sum(its.size for its in self._files.values()) + file.size > LARGEST_TOGETHER:
                raise BadFileError(
                    f"makes more than {LARGEST_TOGETHER // 2**20} MiB of recordings, together with the others of this "
                    "scenario"
                )
            self._files[place] = file
        return self._files[place]


def _refuse_unknown_routes(document: Map, spec: Replay, data: dict[str, Data]) -> None:
    """Names in the column of the routes that are none.

    A later check would say them, and this file is not to be told of.
    """
    unknown = [name for name in data.get("routes", []) if name not in _routes(document)]
    if unknown:
        count = f"{len(unknown)} of its {len(data['routes'])} names are"
        raise BadFileError(
            f"column '{spec.route}': {count} unknown in the scenario, expected those of its routes or endpoints "
            "(service.endpoint)"
        )


def _routes(document: Map) -> set[str]:
    """What a request may ask for, as far as the document is well-formed."""
    gateway, services = document.get("gateway"), document.get("services")
    if isinstance(gateway, dict) and isinstance(gateway.get("routes"), dict):
        return set(gateway["routes"])
    maps = (
        {name: spec.get("endpoints") for name, spec in services.items() if isinstance(spec, dict)}
        if isinstance(services, dict)
        else {}
    )
    return {
        f"{name}.{endpoint}"
        for name, endpoints in maps.items()
        if isinstance(endpoints, dict)
        for endpoint in endpoints
    }


def _readings(document: Map, shape: Shape) -> list[_Reading]:
    """The choices that name a file, those left out that are wrong in a way that validation tells."""
    found: list[_Reading] = []
    if not _may_name_a_file(document):
        return found
    for at, word, cls in choices(document, shape):
        choice = value_at(document, at)
        body = body_of(cls, choice[word]) if issubclass(cls, (Replay, Recorded)) and isinstance(choice, dict) else None
        if not isinstance(body, dict) or not isinstance(body.get("file"), str) or not body["file"]:
            continue
        try:
            spec = cls.model_validate({key: value for key, value in body.items() if key != "data"})
        except ValidationError:
            continue
        assert isinstance(spec, (Replay, Recorded))
        found.append(_Reading(at, word, spec, dict(body)))
    return found


def _may_name_a_file(document: Map) -> bool:
    """Whether there is a word of a recording anywhere: in most documents there is none, and what each map in them is
    need not be known.
    """
    recorded = {
        word
        for kind in ("arrivals", "distribution")
        for word, spec in words(kind).items()
        if issubclass(spec, (Replay, Recorded))
    }
    todo: list[Data] = [document]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if not recorded.isdisjoint(value):
                return True
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    return False


def _owner(spec: Replayed, replays: Sequence[Replay]) -> Replay | None:
    """The arrivals whose rows the durations belong to: those with the same `where`, or the only ones; None where there
    are none.
    """
    if not replays:
        return None
    alike = [replay for replay in replays if replay.where == spec.where]
    if alike:
        return alike[0]
    if any(replay.where != replays[0].where for replay in replays) and not spec.where:
        raise BadFileError(
            "arrivals replay different rows of this file, picked by `where`; say here, too, which rows are meant"
        )
    return replays[0]


def _share_zero(found: Sequence[_Reading]) -> None:
    """Set how long after the common zero each recording begins."""
    for clock in ("start", "date"):
        alike = [reading.body for reading in found if reading.clock == clock]
        zero = min((body["data"]["began"] for body in alike), default=0)
        for body in alike:
            body["data"] = {**body["data"], "after": (body["data"]["began"] - zero) / 10**9}


def _written(document: Map, reading: _Reading) -> Map:
    """The document with what was read; the choice in its full form, its other fields where they were."""
    choice = value_at(document, reading.at)
    written = choice[reading.word] if isinstance(choice[reading.word], Map) else Map()
    filled = Map(reading.body, written.keys_at, written.values_at)
    changed: Map = with_value(document, (*reading.at, reading.word), filled)
    return changed
