"""The report on disk: written whole beside its place, then moved there in one step, so that what looks whole is whole."""

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

if TYPE_CHECKING:
    from sim.experiments.searching.documents import Answer


def write_report(
    comparison: Comparison | Answer,
    directory: str | Path,
    extra_files: Mapping[str, bytes | str] | None = None,
    *,
    not_modelled: Sequence[tuple[str, str]] | None = None,
    confidence: float = 0.95,
) -> Path:
    """Write index.html, charts/, table.txt and `extra_files` (relative name -> content); answers with the path of index.html.
    A sweep or a search for capacity has its tables (parquet) and results.json written too; `comparison` may be any of them.
    `not_modelled` names components and what their models leave out; without it the models are asked.

    An earlier report in the directory is replaced when the new one is complete. Files in it that it did not write, or that were changed
    since, are kept, under another name (and with a warning) where the new report has one of that name. A directory that holds something
    else is left alone (UsageError). What cannot be written whole is not written at all (OutputError). Killed without warning, it may leave a
    hidden `.<name>.partial-*` or `.<name>.old-*` directory beside the place, which the next report there puts right.
    """
    extras = {name_inside(name): content for name, content in (extra_files or {}).items()}
    _write_whole(directory, lambda: {**_content(comparison, not_modelled, confidence), **extras})
    return Path(directory).expanduser().resolve() / "index.html"


def write_files(files: Mapping[str, bytes | str], directory: str | Path) -> Path:
    """Write these files (relative name -> content) under the same promises as a report; answers with the directory."""
    named = {name_inside(name): content for name, content in files.items()}
    _write_whole(directory, lambda: named)
    return Path(directory).expanduser().resolve()


def _write_whole(directory: str | Path, draw: Callable[[], Mapping[PurePosixPath, bytes | str]]) -> None:
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


def _content(answer: Comparison | Answer, not_modelled: Sequence[tuple[str, str]] | None, confidence: float) -> dict[PurePosixPath, bytes | str]:
    """Every file, whatever was answered."""
    if isinstance(answer, Comparison):
        return _drawn(answer, not_modelled, confidence)
    from sim.experiments.searching.documents import files_of
    from sim.report.scaling import answer_files
    from sim.report.silence import collect_not_modelled

    tables = {PurePosixPath(name): content for name, content in files_of(answer).items()}
    return {**answer_files(answer, collect_not_modelled() if not_modelled is None else not_modelled), **tables}


def _drawn(comparison: Comparison, not_modelled: Sequence[tuple[str, str]] | None, confidence: float) -> dict[PurePosixPath, bytes | str]:
    """Every file of the report itself. Imported here so that a command that draws nothing does not wait for matplotlib."""
    from sim.report.charts import draw_charts
    from sim.report.html import render_html, slug
    from sim.report.silence import collect_not_modelled
    from sim.report.table import render_expectations, render_table
    from sim.report.topology import draw_topology

    not_modelled = collect_not_modelled() if not_modelled is None else not_modelled
    charts = draw_charts(comparison)
    folder = PurePosixPath("charts")
    files: dict[PurePosixPath, bytes | str] = {}
    for chart in charts:
        files[folder / f"{chart.name}.svg"] = chart.svg()
        files[folder / f"{chart.name}.png"] = chart.png()
    for index, (name, variant) in enumerate(comparison.variants.items(), start=1):
        files[folder / f"topology-{index}-{slug(name)}.svg"] = draw_topology(variant.scenario, "topology", name, adaptive=False)
    files[PurePosixPath("table.txt")] = "\n".join(part for part in (render_table(comparison), render_expectations(comparison)) if part)
    files[PurePosixPath("index.html")] = render_html(comparison, charts, not_modelled, confidence=confidence)
    return files


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
            raise UsageError(f"{directory}: holds files that are not a report of this version of sim, and is left alone; choose another directory")


def refuse_locked(directory: Path) -> None:
    """A UsageError where nothing may be written to the directory, or where it cannot be made."""
    there = next(folder for folder in (directory, *directory.expanduser().absolute().parents) if folder.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise UsageError(f"{directory}: cannot be written to")
