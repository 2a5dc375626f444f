"""The report on disk: written whole beside its place, then moved there in one step, so that what looks whole
is whole.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sim.errors import OutputError, UsageError
from sim.experiments.replicating.results import Comparison
from sim.report.own_files import files_said, name_inside, opened_folder
from sim.report.replacing import put_right, replace_directory
from sim.units import rates_told_per

if TYPE_CHECKING:
    from typing import TypeAlias

    from sim.experiments.replicating.explaining import Explanation
    from sim.experiments.searching.documents import Answer
    from sim.experiments.stability.results import Stability
    from sim.fitting.validation import Validation
    from sim.spec.study import Study

    Reported: TypeAlias = Comparison | Explanation | Stability | Validation | Answer

NotModelled = Sequence[tuple[str, str]]


def write_report(
    answer: Reported,
    directory: str | Path,
    extra_files: Mapping[str, bytes | str] | None = None,
    *,
    not_modelled: NotModelled | None = None,
    confidence: float = 0.95,
) -> Path:
    """Write the page, its charts, the text of the terminal and `extra_files` (relative name -> content); answers with
    the path of index.html. A sweep or a search for capacity has its tables (parquet) and results.json written too, an
    explanation and a look at stability their JSON. `not_modelled` names components and what their models leave out;
    without it the models are asked.

    An earlier report in the directory is replaced when the new one is complete. Files in it that it did not write, or
    that were changed since, are kept, under another name (and with a warning) where the new report has one of that
    name. A directory that holds something else is left alone (UsageError). What cannot be written whole is not written
    at all (OutputError). Killed without warning, it may leave a hidden `.<name>.partial-*` or `.<name>.old-*` directory
    beside the place, which the next report there puts right.
    """
    extras = {name_inside(name): content for name, content in (extra_files or {}).items()}
    with rates_told_per(_study(answer).rates_per):
        write_whole(directory, lambda: {**_content(answer, not_modelled, confidence), **extras})
    return Path(directory).expanduser().resolve() / "index.html"


def _study(answer: Reported) -> Study:
    from sim.experiments.replicating.explaining import Explanation

    return answer.comparison.study if isinstance(answer, Explanation) else answer.study


def write_whole(directory: str | Path, draw: Callable[[], Mapping[PurePosixPath, bytes | str]]) -> None:
    """Write what is drawn (relative name -> content) under the promises of `write_report`; a directory that holds
    something else is left alone before anything is drawn.
    """
    target = Path(directory).expanduser().resolve()
    try:
        refuse_foreign(directory)
        target.parent.mkdir(parents=True, exist_ok=True)
        files = {name: content.encode() if isinstance(content, str) else content for name, content in draw().items()}
        notes = replace_directory(target, files)
    except OSError as error:
        reason = f"{error.strerror or type(error).__name__}{f': {error.filename}' if error.filename else ''}"
        raise OutputError(f"{directory}: the report could not be written ({reason}); nothing was changed") from error
    for note in notes:
        warnings.warn(note, stacklevel=3)


def _content(answer: Reported, not_modelled: NotModelled | None, confidence: float) -> dict[PurePosixPath, bytes | str]:
    """Every file, whatever was answered.

    Imported here so that a command that draws nothing does not wait for matplotlib or the templates.
    """
    from sim.report.silence import collect_not_modelled

    silence = collect_not_modelled(tuple(_study(answer).variants.values())) if not_modelled is None else not_modelled
    if isinstance(answer, Comparison):
        return _drawn(answer, silence, confidence)
    return _told(answer, silence)


def _drawn(comparison: Comparison, not_modelled: NotModelled, confidence: float) -> dict[PurePosixPath, bytes | str]:
    """Those of a comparison, or of one run."""
    from sim.report.pages.comparison import comparison_files

    return comparison_files(comparison, not_modelled, confidence)


def _told(
    answer: Explanation | Stability | Validation | Answer, not_modelled: NotModelled
) -> dict[PurePosixPath, bytes | str]:
    """Those of everything else, with the tables of a search."""
    from sim.experiments.replicating.explaining import Explanation
    from sim.experiments.stability.results import Stability
    from sim.fitting.validation import Validation

    if isinstance(answer, Explanation):
        from sim.report.pages.explanation import explanation_files

        return explanation_files(answer, not_modelled)
    if isinstance(answer, Stability):
        from sim.report.pages.stability import stability_files

        return stability_files(answer, not_modelled)
    if isinstance(answer, Validation):
        from sim.report.pages.validation import validation_files

        return validation_files(answer, not_modelled)
    from sim.experiments.searching.documents import files_of
    from sim.report.conclusions.searching import conclude_search
    from sim.report.pages.searching import search_files

    in_words = conclude_search(answer).sentence
    tables = {PurePosixPath(name): content for name, content in files_of(answer, in_words).items()}
    return {**search_files(answer, not_modelled), **tables}


def refuse_foreign(directory: str | Path) -> None:
    """Only nothing, an empty directory, or an earlier report may be replaced; a UsageError for all else."""
    target = Path(directory).expanduser().resolve()
    put_right(target)
    if not target.exists() and not target.is_symlink():
        return
    with opened_folder(target) as folder:
        if folder is None:
            raise UsageError(f"{directory}: is a file, expected a directory for the report")
        if os.listdir(folder) and files_said(folder) is None:
            raise UsageError(
                f"{directory}: holds files that are not a report of this version of sim, and is left alone; choose "
                "another directory"
            )


def refuse_locked(directory: Path) -> None:
    """A UsageError where nothing may be written to the directory, or where it cannot be made."""
    there = next(folder for folder in (directory, *directory.expanduser().absolute().parents) if folder.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise UsageError(f"{directory}: cannot be written to")
