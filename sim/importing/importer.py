"""From names of files to the text of a scenario, and what is to be said of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO

from sim.errors import Problem, RunError, ScenarioError, UsageError, unprintable_in
from sim.importing.draft import Draft
from sim.importing.joining import join
from sim.importing.kinds import KINDS, Kind, kind_of, listed, named
from sim.importing.measurements import alone, beside
from sim.importing.parts import Note
from sim.importing.reading import STDIN, Document, Stream, documents_of, opened
from sim.importing.telling import Told, told
from sim.importing.traces.filling import fill
from sim.importing.traces.reading import FORMATS, Format, format_of
from sim.importing.traces.reading import read as read_spans
from sim.importing.traces.table import Spans
from sim.importing.writing import lines_to_supply, write
from sim.importing.writing import recording as recorded_requests
from sim.measured import Measured
from sim.measured.kinds import Reader, known, read_as, reader_of
from sim.measured.source import Source
from sim.spec.document import Place
from sim.spec.loading import confines, load_text
from sim.spec.reading import LARGEST, LONGEST_NAME
from sim.units import shown


@dataclass(frozen=True)
class Imported:
    """What `import_files` answers: the scenario as text, and what was taken, left out and is to be supplied."""

    text: str
    told: Told
    recording: str | None = None  # CSV of the requests that traces recorded, where asked
    name: str = ""  # of the scenario


def import_files(
    files: Sequence[str],
    kind: str | None = None,
    name: str | None = None,
    confine: str | Path | None = None,
    recording: str | None = None,
) -> Imported:
    """The scenario in these files together. `kind` insists on a format, `name` names the scenario, `confine` is a
    folder that they must lie in.

    With `recording`, the name of a file beside the scenario, its traffic replays every request that traces recorded;
    what is to be written into that file is `Imported.recording`. ScenarioError where a file is no text of its format or
    of no known one, or where no file names a service; UsageError where one cannot be read.
    """
    if not files:
        raise UsageError(f"found no file, expected at least one of: {listed()}")
    if name is not None and (not name.strip() or len(name) > LONGEST_NAME or unprintable_in(name) is not None):
        raise UsageError(f"found the name {shown(name)}, expected words of at most {LONGEST_NAME} characters")
    draft = Draft()
    measured = _read(files, draft, _wanted(kind), confines(confine))
    described = bool(draft.services) or (draft.gateway is not None and bool(draft.gateway.routes))
    if measured and not described:
        alone(measured, draft)
    if not draft.services and not described:
        raise _empty(files, draft)
    join(draft)
    if not draft.services:
        raise _empty(files, draft)
    if measured and described:
        beside(measured, draft)
    title = name or _title(draft.name) or _title(PurePath(files[0]).stem if files[0] != STDIN else "") or "imported"
    text = write(draft, title)
    _believe(text)
    rows = recorded_requests(draft) if recording is not None else None
    if recording is not None and draft.measured is not None:
        draft.measured.recording = recording
        text = write(draft, title)
    return Imported(text, told(draft, list(lines_to_supply(text))), rows, title)


def _wanted(kind: str | None) -> Kind | Format | Reader | None:
    """The format that a user insists on; where two are called alike, the one that describes a system."""
    form = next((its for its in FORMATS if its.name == kind), None)
    if kind is None or form is not None:
        return form
    reader = known(kind)
    return reader if reader is not None and kind not in {its.name for its in KINDS} else named(kind)


@dataclass
class _Found:
    """What was read so far."""

    documents: dict[str, list[Document]] = field(default_factory=dict)  # of each kind
    spans: Spans = field(default_factory=Spans)
    recorded: str = ""  # the first file with spans
    measured: list[Measured] = field(default_factory=list)


def _read(
    files: Sequence[str], draft: Draft, wanted: Kind | Format | Reader | None, confine: Path | None
) -> list[Measured]:
    """Everything that describes a system into the draft; what was measured from outside is returned."""
    found = _Found()
    problems: list[Problem] = []
    for name in dict.fromkeys(files):
        try:
            with opened(name, confine) as (source, head):
                _read_one(name, source, head, wanted, found, draft)
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    for kind in sorted(KINDS, key=lambda kind: not kind.early):
        if kind.name in found.documents:
            kind.read(found.documents[kind.name], draft)
    if found.recorded:
        fill(found.spans, draft, Place(found.recorded))
    return found.measured


def _read_one(
    name: str, source: IO[bytes], head: bytes, wanted: Kind | Format | Reader | None, found: _Found, draft: Draft
) -> None:
    """One file, by what it is: spans, a measurement, or documents."""
    file = "<stdin>" if name == STDIN else name
    form = wanted if isinstance(wanted, Format) else format_of(head)
    if form is not None and isinstance(wanted, Kind):
        raise ScenarioError([Problem(f"found what seems to be {form.title}, expected {wanted.title}", "", file)])
    reader = wanted if isinstance(wanted, Reader) else None
    if reader is None and wanted is None and form is None:
        reader = _reader_of(name, head)
    if reader is not None:
        found.measured.append(read_as(reader, Source(name, stream=source)))
        draft.kinds.setdefault(file, []).append(found.measured[-1].kind)
    elif form is not None:
        draft.kinds.setdefault(file, []).append(form.title)
        found.recorded = found.recorded or file
        read_spans(source, file, form, found.spans)
    else:
        stream = documents_of(source.read(LARGEST + 1), file)
        _take(stream, found.documents, draft, wanted if isinstance(wanted, Kind) else None)


def _reader_of(name: str, head: bytes) -> Reader | None:
    """What reads a measurement that begins so; None where it is none, or no text."""
    try:
        return reader_of(Source(name, stream=io.BytesIO(head)))
    except ScenarioError:
        return None


def _take(stream: Stream, documents: dict[str, list[Document]], draft: Draft, wanted: Kind | None) -> None:
    """The documents of a file, each to those of its kind."""
    for line, what, why in stream.passed_over:
        draft.notes.left_out.append(Note(stream.file, line, what, why))
    if not stream.documents:
        raise ScenarioError([Problem(f"found an empty file, expected one of: {listed()}", "", stream.file, 1)])
    for document in stream.documents:
        its = kind_of(document, wanted)
        documents.setdefault(its.name, []).append(document)
        titles = draft.kinds.setdefault(stream.file, [])
        titles += [its.title] if its.title not in titles else []


def _empty(files: Sequence[str], draft: Draft) -> ScenarioError:
    """Nothing was found that a scenario could be made of: what was left out says why."""
    problems = [Problem(f"{note.what}: {note.why}", "", note.file, note.line) for note in draft.notes.left_out[:20]]
    return ScenarioError([*problems, Problem("found no service and no route, expected at least one", "", files[0])])


def _title(words: str) -> str:
    """Words as the name of a scenario; empty where nothing is left of them."""
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-" for letter in words[:60]
    ).strip("-")


def _believe(text: str) -> None:
    """What was written is a scenario: anything else is a defect of ours, and is never handed out."""
    try:
        load_text(text, "<imported>")
    except ScenarioError as error:
        raise RunError(f"a defect of the import: it wrote what is no scenario: {error.problems[0]}") from error
