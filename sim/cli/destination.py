"""Where a document goes that a user asks for, JSON or an export: standard output by any of its names, what is written
through, or a file replaced whole.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from sim import files
from sim.cli.streams import pour, say
from sim.errors import OutputError, UsageError

_MOST_BEFORE = 2**20  # bytes of a file that is continued
_OPEN = re.compile(r"(?:/dev/fd|/proc/self/fd)/([0-9]{1,6})")  # names of what is open already, whatever that is


class Destination:
    """The place that `--json`, or another option, names; None where nothing is to be written.

    A device, a FIFO and an open descriptor (`/dev/stderr`, `>(jq .)`) are written through. A regular file is replaced
    in one step with its mode kept, behind links too, which stay. Standard output is meant by `-`, by `/dev/stdout`, and
    by the name of the file it goes to.
    """

    def __init__(self, name: str | None, option: str = "--json") -> None:
        self.name, self._option = name, option
        self.is_stdout = name is not None and (name == "-" or _same(name, sys.__stdout__))

    def refuse(self) -> None:
        """A UsageError before the work, where it could not be written after it."""
        if self.name is None or self.is_stdout:
            return
        path = Path(self.name)
        if _open_already(self.name) is not None:
            return
        if path.is_dir():
            raise UsageError(f"{self._option} {path}: is a directory, expected a file or -")
        place = path if _written_through(path) else _replaced(path).parent
        there = next(folder for folder in (place.absolute(), *place.absolute().parents) if os.path.lexists(folder))
        if not os.access(there, os.W_OK):
            raise UsageError(f"{self._option} {path}: cannot be written to")

    def write(self, content: str | bytes, after: bool = False) -> None:
        """Write it there, whole or not at all where that can be; an OutputError says what could not.

        With `after` behind what is in a regular file already, of at most 1 MiB: what GitHub takes as a summary.
        """
        if self.name is None:
            return
        if self.is_stdout:
            say(content.rstrip("\n")) if isinstance(content, str) else pour(content)
            return
        whole = content.encode() if isinstance(content, str) else content
        path, descriptor = Path(self.name), _open_already(self.name)
        try:
            if descriptor is not None:  # opening its name again would cut off what is in it
                with os.fdopen(os.dup(descriptor), "wb") as file:
                    file.write(whole)
            elif _written_through(path):
                with path.open("wb") as file:
                    file.write(whole)
            else:
                _replace(_replaced(path), (_before(path) if after else b"") + whole)
        except OSError as error:
            raise OutputError(f"{path}: could not be written: {error.strerror or error}") from error


def _same(name: str, stream: TextIO | None) -> bool:
    """Whether a path is what an open stream writes to."""
    try:
        return stream is not None and os.path.samestat(os.stat(name), os.fstat(stream.fileno()))
    except (OSError, ValueError):
        return False


def _open_already(name: str) -> int | None:
    """The descriptor that a name stands for."""
    if name == "/dev/stderr" or _same(name, sys.__stderr__):
        return 2
    found = _OPEN.fullmatch(name)
    return int(found[1]) if found else None


def _written_through(path: Path) -> bool:
    """Whether there is something that is no regular file."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None


def _replaced(path: Path) -> Path:
    """The file itself, behind all links."""
    return path.resolve() if path.is_symlink() else path


def _before(path: Path) -> bytes:
    """What is in a file; nothing where there is none."""
    try:
        found = files.read(path, _MOST_BEFORE)
    except files.UnreadableError as error:
        if error.missing:
            return b""
        raise OutputError(f"{path}: {error.message}") from None
    if len(found) > _MOST_BEFORE:
        raise OutputError(
            f"{path}: found more than {_MOST_BEFORE / 2**20:.0f} MiB in it, expected a summary to be continued"
        )
    return found if found.endswith(b"\n") or not found else found + b"\n"


def _replace(path: Path, content: bytes) -> None:
    """Through a temporary file beside it, so that nothing half-written is left under the final name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:100]}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.chmod(temporary, _mode(path))
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _mode(path: Path) -> int:
    """The mode of the file that is there, or that of a new one."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
