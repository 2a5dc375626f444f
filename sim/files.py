"""Files that a stranger may have made or named: regular ones, read up to a bound, and inside one folder where asked.

What a name says before it is opened may have changed by then, and a size may be a lie (files of the kernel have none).
So a file is judged by its descriptor, and bounded by what was read of it.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

_OPEN = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_KINDS = {
    **{stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a link"},
    **dict.fromkeys((stat.S_IFCHR, stat.S_IFBLK), "a device"),
}
_MOUNTS = "/proc/self/mountinfo"  # of Linux; elsewhere there is none, and no such files either
_KERNEL = {
    *(
        "proc",
        "sysfs",
        "cgroup",
        "cgroup2",
        "debugfs",
        "tracefs",
        "securityfs",
        "configfs",
        "efivarfs",
        "pstore",
        "bpf",
    ),
    *("binfmt_misc", "selinuxfs", "fusectl", "mqueue", "nsfs", "devpts", "rpc_pipefs"),
}
"""File systems that the kernel makes up: their files look regular, have any size, and may wait for ever."""

_PIECE = 2**20  # bytes that are read at once
_WHOLE = 20  # digits of a whole number in JSON: 64 bits
# bytes that Python takes for an empty list, a map, and an item with its number or short text
_LIST, _MAP, _ITEM = (
    64,
    256,
    64,
)


class UnreadableError(Exception):
    """Why a file is not read, in words that follow its name. `missing`: there is none."""

    def __init__(self, message: str, missing: bool = False) -> None:
        super().__init__(message)
        self.message, self.missing = message, missing


def read(path: str | Path, most: int, inside: str | Path | None = None) -> bytes:
    """The bytes of a regular file, at most one more than `most`, so that who asks can tell that it is larger."""
    pieces, left = [], most + 1
    with opened(path, inside) as file:
        try:
            while left > 0 and (piece := file.read(min(left, _PIECE))):
                # not at once: memory for the bound would be made
                pieces.append(piece)
                left -= len(piece)
        except OSError as error:
            raise UnreadableError(f"cannot be read: {error.strerror or error}") from None
    return b"".join(pieces)


@contextmanager
def opened(path: str | Path, inside: str | Path | None = None) -> Iterator[IO[bytes]]:
    """A regular file, open for reading; with `inside` only if it lies in that folder once all links are followed."""
    try:
        descriptor = _descriptor(path) if inside is None else _descriptor_inside(path, inside)
    except FileNotFoundError:
        raise UnreadableError("no such file", missing=True) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        raise UnreadableError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    with open(descriptor, "rb") as file:
        _refuse(os.fstat(descriptor))
        yield file


def lies_inside(path: str | Path, folder: str | Path) -> bool:
    """Whether a path leads into a folder, once all links are followed."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):
        return False


def beside(path: str | Path) -> list[str]:
    """The names of the files in the folder of a path, for a hint; none where it cannot be looked into."""
    try:
        with os.scandir(Path(path).parent) as found:
            return [entry.name for entry in found if entry.is_file()]
    except (OSError, ValueError):
        return []


def json_of(content: bytes, most: int, constants: bool = True) -> Any:  # noqa: ANN401 - whatever it says
    """The value of a JSON text that takes about `most` bytes of memory at most; a ValueError says why there is none.

    Numbers are finite, and whole ones have 64 bits; `constants` lets Infinity and NaN be said by name, as Python writes
    them. Text is text.
    """
    if len(content) + _LIST * content.count(b"[") + _MAP * content.count(b"{") + _ITEM * content.count(b",") > most:
        raise ValueError(f"JSON of more than about {most / 2**20:,.0f} MiB")
    try:
        value = json.loads(
            content.decode("utf-8"),
            parse_float=_finite,
            parse_int=_bounded,
            parse_constant=float if constants else _no_constant,
        )
        if b"\\ud" in content.lower():  # perhaps half of a surrogate pair, which no file can be written with
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
    return value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"found {text[:40]}, expected a finite number")
    return number


def _bounded(text: str) -> int:
    if len(text) > _WHOLE:
        raise ValueError(f"found a number of {len(text)} digits, expected at most {_WHOLE}")
    return int(text)


def _no_constant(word: str) -> float:
    raise ValueError(f"found {word}, expected a finite number")


def _descriptor(path: str | Path) -> int:
    _refuse(os.stat(path))  # before it is opened: opening a device can do something
    return os.open(path, _OPEN)


def _descriptor_inside(path: str | Path, inside: str | Path) -> int:
    """Opened from that folder down, name by name, without following a link that was put on the way meanwhile."""
    root, place = Path(os.path.realpath(inside)), Path(os.path.realpath(path))
    if not place.is_relative_to(root):
        raise UnreadableError(f"lies outside of {inside}")
    if place == root:
        raise UnreadableError("is a directory, not a regular file")
    *folders, name = place.relative_to(root).parts
    folder = os.open(root, _FOLDER)
    try:
        for part in folders:
            inner = os.open(part, _FOLDER | _NO_LINK, dir_fd=folder)
            os.close(folder)
            folder = inner
        _refuse(os.stat(name, dir_fd=folder, follow_symlinks=False))
        return os.open(name, _OPEN | _NO_LINK, dir_fd=folder)
    finally:
        os.close(folder)


def _refuse(status: os.stat_result) -> None:
    """Anything but a regular file of a file system that keeps files."""
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError(f"is {_KINDS.get(stat.S_IFMT(status.st_mode), 'something else')}, not a regular file")
    if (kind := _file_system(status.st_dev)) in _KERNEL:
        raise UnreadableError(f"is a file of the kernel ({kind}), not a regular file")


def _file_system(device: int) -> str:
    """The kind of the file system that has this number; empty where it is not known."""
    number = f"{os.major(device)}:{os.minor(device)}" if hasattr(os, "major") else ""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as file:
            rows = [line.split() for line in file]
    except OSError:
        return ""
    return next((row[row.index("-") + 1] for row in rows if "-" in row and row[2] == number), "")
