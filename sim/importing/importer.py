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
from sim.importing.reading import STDIN, Document, read_file
from sim.importing.telling import Told, told
from sim.importing.writing import lines_to_supply, write
from sim.spec.loading import confines, load_text
from sim.spec.reading import LONGEST_NAME
from sim.units import shown


@dataclass(frozen=True)
class Imported:
    """What `import_files` answers: the scenario as text, and what was taken, left out and is to be supplied."""

    text: str
    told: Told


def import_files(files: Sequence[str], kind: str | None = None, name: str | None = None, confine: str | Path | None = None) -> Imported:
    """The scenario in these files together. `kind` insists on a format, `name` names the scenario, `confine` is a folder that they must lie in.

    ScenarioError where a file is no text of its format or of no known one, or where no file names a service; UsageError where one cannot be read.
    """
    if not files:
        raise UsageError(f"found no file, expected at least one of: {listed()}")
    if name is not None and (not name.strip() or len(name) > LONGEST_NAME or unprintable_in(name) is not None):
        raise UsageError(f"found the name {shown(name)}, expected words of at most {LONGEST_NAME} characters")
    draft, wanted = Draft(), named(kind) if kind is not None else None
    _read(files, draft, wanted, confines(confine))
    if not draft.services and (draft.gateway is None or not draft.gateway.routes):
        raise _empty(files, draft)
    join(draft)
    if not draft.services:
        raise _empty(files, draft)
    title = name or _title(draft.name) or _title(PurePath(files[0]).stem if files[0] != STDIN else "") or "imported"
    text = write(draft, title)
    _believe(text)
    return Imported(text, told(draft, list(lines_to_supply(text))))


def _read(files: Sequence[str], draft: Draft, wanted: Kind | None, confine: Path | None) -> None:
    documents: dict[str, list[Document]] = {}
    problems: list[Problem] = []
    for file in dict.fromkeys(files):
        try:
            stream = read_file(file, confine)
            for line, what, why in stream.passed_over:
                draft.notes.left_out.append(Note(stream.file, line, what, why))
            if not stream.documents:
                raise ScenarioError([Problem(f"found an empty file, expected one of: {listed()}", "", stream.file, 1)])
            for document in stream.documents:
                its = kind_of(document, wanted)
                documents.setdefault(its.name, []).append(document)
                titles = draft.kinds.setdefault(stream.file, [])
                titles += [its.title] if its.title not in titles else []
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    for kind in sorted(KINDS, key=lambda kind: not kind.early):
        if kind.name in documents:
            kind.read(documents[kind.name], draft)


def _empty(files: Sequence[str], draft: Draft) -> ScenarioError:
    """Nothing was found that a scenario could be made of: what was left out says why."""
    problems = [Problem(f"{note.what}: {note.why}", "", note.file, note.line) for note in draft.notes.left_out[:20]]
    return ScenarioError([*problems, Problem("found no service and no route, expected at least one", "", files[0])])


def _title(words: str) -> str:
    """Words as the name of a scenario; empty where nothing is left of them."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-" for letter in words[:60]).strip("-")


def _believe(text: str) -> None:
    """What was written is a scenario: anything else is a defect of ours, and is never handed out."""
    try:
        load_text(text, "<imported>")
    except ScenarioError as error:
        raise RunError(f"a defect of the import: it wrote what is no scenario: {error.problems[0]}") from error
