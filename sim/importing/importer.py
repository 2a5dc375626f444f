"""From names of files to the text of a scenario, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from sim.errors import Problem, RunError, ScenarioError, UsageError, unprintable_in
from sim.importing.draft import Draft
from sim.importing.joining import join
from sim.importing.kinds import KINDS, Kind, kind_of, listed, named
from sim.importing.parts import Note
from sim.importing.reading import STDIN, Document, Stream, documents_of, opened
from sim.importing.telling import Told, told
from sim.importing.traces.filling import fill
from sim.importing.traces.reading import FORMATS, Format, format_of
from sim.importing.traces.reading import read as read_spans
from sim.importing.traces.table import Spans
from sim.importing.writing import lines_to_supply, write
from sim.importing.writing import recording as recorded_requests
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
    form = next((its for its in FORMATS if its.name == kind), None)
    draft, wanted = Draft(), form or (named(kind) if kind is not None else None)
    _read(files, draft, wanted, confines(confine))
    if not draft.services and (draft.gateway is None or not draft.gateway.routes):
        raise _empty(files, draft)
    join(draft)
    if not draft.services:
        raise _empty(files, draft)
    title = name or _title(draft.name) or _title(PurePath(files[0]).stem if files[0] != STDIN else "") or "imported"
    text = write(draft, title)
    _believe(text)
    rows = recorded_requests(draft) if recording is not None else None
    if recording is not None and draft.measured is not None:
        draft.measured.recording = recording
        text = write(draft, title)
    return Imported(text, told(draft, list(lines_to_supply(text))), rows, title)


def _read(files: Sequence[str], draft: Draft, wanted: Kind | Format | None, confine: Path | None) -> None:
    documents: dict[str, list[Document]] = {}
    problems: list[Problem] = []
    spans, recorded = Spans(), ""
    for name in dict.fromkeys(files):
        file = "<stdin>" if name == STDIN else name
        try:
            with opened(name, confine) as (source, head):
                form = wanted if isinstance(wanted, Format) else format_of(head)
                if form is not None and isinstance(wanted, Kind):
                    raise ScenarioError(
                        [Problem(f"found what seems to be {form.title}, expected {wanted.title}", "", file)]
                    )
                if form is not None:
                    draft.kinds.setdefault(file, []).append(form.title)
                    recorded = recorded or file
                    read_spans(source, file, form, spans)
                    continue
                stream = documents_of(source.read(LARGEST + 1), file)
            _take(stream, documents, draft, wanted if isinstance(wanted, Kind) else None)
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    for kind in sorted(KINDS, key=lambda kind: not kind.early):
        if kind.name in documents:
            kind.read(documents[kind.name], draft)
    if recorded:
        fill(spans, draft, Place(recorded))


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
