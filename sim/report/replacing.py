"""A directory replaced whole: written beside its place under a hidden name, moved there, and the earlier one taken away
after that.

What is written beside is `.NAME.partial-*`; the earlier directory stands in `.NAME.old-*` between two moves. A process
holds a lock on its own ones, so that those of a process that was killed are told apart, and are put right by the next
one that writes to this place.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sim.report.own_files import MARKER, files_said, marker_of, opened_folder, remove_own

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows: what a killed process leaves behind is not taken away there
    flock = None  # type: ignore[assignment]


def replace_directory(target: Path, files: Mapping[PurePosixPath, bytes]) -> list[str]:
    """Put these files into `target` in the place of the files of an earlier report; the notes that a user should read.

    Files that the earlier report did not write, or that were changed since, are kept: where a new file has their name,
    under another one. An OSError: nothing was changed.
    """
    put_right(target)
    with _hidden(target, "partial") as partial:
        mask = _umask()
        _put(partial / MARKER, marker_of(files))  # first, so that what a kill leaves behind is known to be ours
        for name, content in files.items():
            _put(partial / name, content)
        partial.chmod(0o777 & ~mask)  # it was made private, a report is not
        return _exchange(partial, target)


def put_right(target: Path) -> None:
    """Take away, or move back, what a process that was killed has left beside `target`."""
    if flock is None or not target.parent.is_dir():
        return
    for left in sorted(target.parent.glob(f".{_glob_escaped(target.name)}.*-*")):
        kind = left.name[len(target.name) + 2 :].partition("-")[0]
        with opened_folder(left) as folder:
            if (
                kind in ("partial", "old")
                and folder is not None
                and os.fstat(folder).st_uid == os.geteuid()
                and _locked(folder)
            ):
                _finish(left, folder, target, kind)


def _finish(left: Path, folder: int, target: Path, kind: str) -> None:
    if kind == "partial":
        remove_own(folder, files_said(folder) or {})
    elif os.path.lexists(target):
        _tidy(left / target.name, target)
    elif (left / target.name).is_dir():
        (left / target.name).rename(target)  # killed between the two moves: the earlier report comes back
    with contextlib.suppress(OSError):
        left.rmdir()


def _exchange(partial: Path, target: Path) -> list[str]:
    """Move the finished directory to its place; the earlier one stands aside, and comes back if that fails."""
    if not os.path.lexists(target):
        partial.rename(target)
        return []
    with _hidden(target, "old") as old:
        aside = old / target.name
        target.rename(aside)
        try:
            partial.rename(target)
        except BaseException:
            aside.rename(target)
            raise
        try:
            return _tidy(aside, target)
        except OSError as error:
            return [
                (
                    f"the report is complete, but the earlier one could not be taken away from {aside} "
                    f"({error.strerror or error})"
                )
            ]


def _tidy(aside: Path, target: Path) -> list[str]:
    """Remove what the earlier report wrote, and carry over what others have put there; a note for what got another
    name.
    """
    with opened_folder(aside) as folder:
        if folder is None:
            return []
        remove_own(folder)
    notes = _carry_over(aside, target)
    aside.rmdir()
    return notes


def _carry_over(old: Path, new: Path) -> list[str]:
    notes: list[str] = []
    for entry in sorted(os.listdir(old)):
        here, there = old / entry, new / entry
        if not os.path.lexists(there):
            here.rename(there)
        elif _real_folder(here) and _real_folder(there):
            notes += _carry_over(here, there)
            here.rmdir()
        else:
            there = _free_name(there)
            here.rename(there)
            notes.append(f"{new / entry} was not as the earlier report left it; it is kept as {there.name}")
    return notes


def _real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _free_name(path: Path) -> Path:
    number = 1
    while os.path.lexists(path.with_name(f"{path.name}.kept-{number}")):
        number += 1
    return path.with_name(f"{path.name}.kept-{number}")


@contextmanager
def _hidden(target: Path, kind: str) -> Iterator[Path]:
    """A private directory beside the target, on the same file system, locked while it is in use; gone afterwards if it
    is empty or ours.
    """
    made = Path(tempfile.mkdtemp(prefix=f".{target.name}.{kind}-", dir=target.parent))
    with opened_folder(made) as folder:
        if folder is not None:
            _locked(folder)
        try:
            yield made
        finally:
            if kind == "partial":
                shutil.rmtree(made, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    made.rmdir()


def _locked(folder: int) -> bool:
    """Take the lock of a directory; False where another process holds it."""
    if flock is None:
        return False
    try:
        flock(folder, LOCK_EX | LOCK_NB)
    except OSError:
        return False
    return True


def _put(path: Path, content: bytes) -> None:
    """Write one file and see it on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _glob_escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
