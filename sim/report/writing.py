"""The report on disk: written whole beside its place, then moved there in one step, so that what looks whole is whole."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sim.errors import OutputError, UsageError
from sim.experiments.results import Comparison

if TYPE_CHECKING:
    from sim.experiments.answers import Answer

MARKER = ".sim-report.json"  # says that a directory is ours to replace, and which of its files are ours
_FORMAT = 1


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

    An earlier report in the directory is replaced when the new one is complete, and files in it that are not of a report are kept. A directory
    that holds something else is left alone (UsageError). What cannot be written whole is not written at all (OutputError). Killed without
    warning, it may leave a hidden `.<name>.partial-*` directory beside the place, never half a report in it.
    """
    extras = {_relative(name): content for name, content in (extra_files or {}).items()}
    _write_whole(directory, lambda: {**_content(comparison, not_modelled, confidence), **extras})
    return Path(directory).expanduser().resolve() / "index.html"


def write_files(files: Mapping[str, bytes | str], directory: str | Path) -> Path:
    """Write these files (relative name -> content) under the same promises as a report; answers with the directory."""
    named = {_relative(name): content for name, content in files.items()}
    _write_whole(directory, lambda: named)
    return Path(directory).expanduser().resolve()


def _write_whole(directory: str | Path, draw: Callable[[], Mapping[PurePosixPath, bytes | str]]) -> None:
    target = Path(directory).expanduser().resolve()
    try:
        refuse_foreign(directory)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _sibling(target) as partial:
            files = draw()
            for name, content in files.items():
                _put(partial / name, content)
            _put(partial / MARKER, json.dumps({"sim report": _FORMAT, "files": sorted(map(str, files))}, indent=1) + "\n")
            _move(partial, target)
    except OSError as error:
        reason = f"{error.strerror or type(error).__name__}{f': {error.filename}' if error.filename else ''}"
        raise OutputError(f"{directory}: the report could not be written ({reason}); nothing was changed") from error


def _content(answer: Comparison | Answer, not_modelled: Sequence[tuple[str, str]] | None, confidence: float) -> dict[PurePosixPath, bytes | str]:
    """Every file, whatever was answered."""
    if isinstance(answer, Comparison):
        return _drawn(answer, not_modelled, confidence)
    from sim.experiments.answers import files_of
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


def _relative(name: str) -> PurePosixPath:
    """A name inside the report, or a UsageError: nothing may be written elsewhere."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or str(path) in (".", MARKER):
        raise UsageError(f"{name!r}: expected the name of a file inside the report")
    return path


def refuse_foreign(directory: str | Path) -> None:
    """Only nothing, an empty directory, or an earlier report may be replaced; a UsageError for all else."""
    target = Path(directory).expanduser().resolve()
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_dir():
        raise UsageError(f"{directory}: is a file, expected a directory for the report")
    if any(target.iterdir()) and _files_of(target) is None:
        raise UsageError(f"{directory}: holds files that are not a report of sim, and is left alone; choose another directory")


def refuse_locked(directory: Path) -> None:
    """A UsageError where nothing may be written to the directory, or where it cannot be made."""
    there = next(folder for folder in (directory, *directory.expanduser().absolute().parents) if folder.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise UsageError(f"{directory}: cannot be written to")


def _files_of(directory: Path) -> set[str] | None:
    """The files that an earlier report put into a directory; None where it is no report."""
    try:
        said = json.loads((directory / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    files = said.get("files") if isinstance(said, dict) and "sim report" in said else None
    return set(map(str, files)) if isinstance(files, list) else None


@contextmanager
def _sibling(target: Path) -> Iterator[Path]:
    """A hidden directory beside the target, on the same file system; gone afterwards, whatever happens."""
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.partial-", dir=target.parent))
    try:
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o777 & ~mask)  # mkdtemp makes it private, a report is not
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put(path: Path, content: bytes | str) -> None:
    """Write one file and see it on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


def _move(partial: Path, target: Path) -> None:
    """Put the finished directory in its place; the old report stands aside until then, and comes back if that fails."""
    if not target.exists():
        partial.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old-", dir=target.parent))
    aside = old / target.name
    try:
        target.rename(aside)
        try:
            partial.rename(target)
        except BaseException:
            aside.rename(target)
            raise
        _keep_foreign(aside, target)
    finally:
        _discard(old, aside)


def _keep_foreign(old: Path, new: Path) -> None:
    """Carry over what others have put into the directory of the old report."""
    ours = {*(_files_of(old) or set()), MARKER}
    for path in sorted(old.rglob("*")):
        name = path.relative_to(old)
        if (path.is_file() or path.is_symlink()) and name.as_posix() not in ours and not (new / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(new / name)


def _discard(old: Path, aside: Path) -> None:
    """Remove the files of the old report, known by its marker, and nothing else; what is left stays where it can be found."""
    for name in sorted({*(_files_of(aside) or set()), MARKER}) if aside.exists() else []:
        path = aside / name
        if path.is_file() and not path.is_symlink():
            path.unlink()
    for folder in sorted((path for path in old.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    if not any(old.iterdir()):
        old.rmdir()
