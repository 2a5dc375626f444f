"""Where the JSON goes that a user asks for: standard output by any of its names, what is written through, or a file replaced whole."""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from sim.cli.streams import say
from sim.errors import OutputError, UsageError

_OPEN = re.compile(r"(?:/dev/fd|/proc/self/fd)/([0-9]{1,6})")  # names of what is open already, whatever that is


class Destination:
    """The place that `--json` names; None where nothing is to be written.

    A device, a FIFO and an open descriptor (`/dev/stderr`, `>(jq .)`) are written through. A regular file is replaced in one step with its mode
    kept, behind links too, which stay. Standard output is meant by `-`, by `/dev/stdout`, and by the name of the file it goes to.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.is_stdout = name is not None and (name == "-" or _same(name, sys.__stdout__))

    def refuse(self) -> None:
        """A UsageError before the work, where it could not be written after it."""
        if self.name is None or self.is_stdout:
            return
        path = Path(self.name)
        if _open_already(self.name) is not None:
            return
        if path.is_dir():
            raise UsageError(f"--json {path}: is a directory, expected a file or -")
        place = path if _written_through(path) else _replaced(path).parent
        there = next(folder for folder in (place.absolute(), *place.absolute().parents) if os.path.lexists(folder))
        if not os.access(there, os.W_OK):
            raise UsageError(f"--json {path}: cannot be written to")

    def write(self, text: str) -> None:
        """Write the text there, whole or not at all where that can be; an OutputError says what could not."""
        if self.name is None:
            return
        if self.is_stdout:
            say(text.rstrip("\n"))
            return
        path, descriptor = Path(self.name), _open_already(self.name)
        try:
            if descriptor is not None:  # opening its name again would cut off what is in it
                with os.fdopen(os.dup(descriptor), "w", encoding="utf-8") as file:
                    file.write(text)
            elif _written_through(path):
                with path.open("w", encoding="utf-8") as file:
                    file.write(text)
            else:
                _replace(_replaced(path), text.encode())
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
        raise UsageError(f"--json {path}: {error.strerror or error}") from None


def _replaced(path: Path) -> Path:
    """The file itself, behind all links."""
    return path.resolve() if path.is_symlink() else path


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
