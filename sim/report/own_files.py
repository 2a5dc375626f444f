"""The files of a report that the report itself wrote, known by name and digest; a directory is a stranger's until its
marker agrees.

A marker is data: it may name `../../anything`, and `charts/` may be a link to somewhere else. So a file is touched only
if its name stays inside, every folder on the way is a real one, it is a plain file, and its content is the one that was
written. Everything is opened relative to the descriptor of the directory and without following links: what is checked
is what is touched.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sim.errors import UsageError
from sim.files import json_of

MARKER = ".sim-report.json"
FORMAT = 2
_MARKER_LIMIT = 4 * 2**20  # bytes; a report has some hundred files
_DEPTH = 8  # folders in folders; ours have one
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_PLAIN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # a FIFO must not keep us waiting
_CHUNK = 2**20


def name_inside(name: str) -> PurePosixPath:
    """A name that stays inside a report, or a UsageError."""
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or len(path.parts) > _DEPTH
    if not name or outside or str(path) in (".", MARKER):
        raise UsageError(f"{name!r}: expected the name of a file inside the report")
    return path


def marker_of(files: Mapping[PurePosixPath, bytes]) -> bytes:
    """The marker of a report with these files."""
    digests = {str(name): hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    return (json.dumps({"sim report": FORMAT, "files": digests}, indent=1) + "\n").encode()


def files_said(directory: int) -> dict[PurePosixPath, str] | None:
    """What the marker of a directory (its descriptor) says: name -> digest; None where it is no report of
    this version.
    """
    content = _content(directory, PurePosixPath(MARKER), _MARKER_LIMIT)
    try:
        said = json_of(content, 16 * _MARKER_LIMIT) if content is not None else None
    except ValueError:
        return None
    files = said.get("files") if isinstance(said, dict) and said.get("sim report") == FORMAT else None
    if not isinstance(files, dict):
        return None
    found: dict[PurePosixPath, str] = {}
    for name, digest in files.items():
        try:
            found[name_inside(name)] = str(digest)
        except UsageError:
            continue  # not ours, whoever says so
    return found


def remove_own(directory: int, files: Mapping[PurePosixPath, str] | None = None) -> None:
    """Remove the files of a report that are as it left them, its marker, and the folders that are empty then.

    With `files` these are removed whatever they hold: a report that was never finished.
    """
    for name, digest in (files_said(directory) or {} if files is None else files).items():
        with _folder_of(directory, name.parent.parts) as folder:
            if (
                folder is not None
                and _plain(folder, name.name)
                and (files is not None or _digest(folder, name.name) == digest)
            ):
                os.unlink(name.name, dir_fd=folder)
    if _plain(directory, MARKER):
        os.unlink(MARKER, dir_fd=directory)
    _remove_empty(directory)


def _remove_empty(directory: int) -> None:
    """Remove the empty folders of a directory, innermost first."""
    for entry in os.listdir(directory):
        if not stat.S_ISDIR(os.stat(entry, dir_fd=directory, follow_symlinks=False).st_mode):
            continue
        with opened_folder(entry, directory) as folder:
            if folder is not None:
                _remove_empty(folder)
                if not os.listdir(folder):
                    os.rmdir(entry, dir_fd=directory)


@contextmanager
def opened_folder(name: str | Path, inside: int | None = None) -> Iterator[int | None]:
    """The descriptor of a folder that is no link; None where there is no such folder."""
    try:
        descriptor = os.open(name, _FOLDER, dir_fd=inside)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _folder_of(directory: int, parts: Sequence[str]) -> Iterator[int | None]:
    """The descriptor of a folder in folders; None where one of them is missing or a link."""
    if not parts:
        yield directory
        return
    with opened_folder(parts[0], directory) as inner:
        if inner is None:
            yield None
            return
        with _folder_of(inner, parts[1:]) as folder:
            yield folder


def _plain(folder: int, name: str) -> bool:
    """Whether this is a plain file, and no link to one."""
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _digest(folder: int, name: str) -> str:
    digest = hashlib.sha256()
    with open(os.open(name, _PLAIN, dir_fd=folder), "rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _content(directory: int, name: PurePosixPath, limit: int) -> bytes | None:
    """What a plain file holds; None where there is none, or where it is longer than `limit` bytes."""
    with _folder_of(directory, name.parent.parts) as folder:
        if folder is None or not _plain(folder, name.name):
            return None
        with open(os.open(name.name, _PLAIN, dir_fd=folder), "rb") as file:
            content = file.read(limit + 1)
        return content if len(content) <= limit else None
