"""A file of measurements as a stream of lines: bounded in memory, its beginning looked at before it is read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from sim import files
from sim.errors import Problem, ScenarioError, UsageError

STDIN = "-"
LONGEST_LINE = 2**20  # bytes
_MOST_OF_A_LINE = 64 * 2**20  # bytes of memory that the values of one line may take
_HEAD = 64 * 2**10  # bytes from which the kind of a file is told
_PIECE = 2**20  # bytes that are read at once
_LOOKED_AT = 50  # lines of the head
_PACKED = {
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"PK\x03\x04": "a zip file, such as a spreadsheet; unpack it first",
    b"PAR1": "a parquet file; write it as CSV",
    b"\x28\xb5\x2f\xfd": "a zstd file; unpack it first",
    b"BZh": "a bzip2 file; unpack it first",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}


class Source:
    """An opened file. A context: leaving it closes the file."""

    def __init__(self, name: str, confine: str | Path | None = None, stream: IO[bytes] | None = None) -> None:
        """`-` is the standard input; with `confine` the file must lie in that folder; `stream` is the file where it is
        open already, and stays open. UsageError: it cannot be read.
        """
        self.file = "<stdin>" if name == STDIN else name
        self._stack = ExitStack()
        self._stream = self._opened(name, confine) if stream is None else stream
        self._begin = self._read(_HEAD)
        self._refuse_what_is_no_text()
        self.head = _text(self._begin)
        whole = self.head if len(self._begin) < _HEAD else self.head.rpartition("\n")[0] or self.head
        self.lines_of_head = [line.strip("\r ") for line in whole.splitlines()[: 4 * _LOOKED_AT] if line.strip()][
            :_LOOKED_AT
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def first_line(self) -> str:
        """The first line that holds anything; empty where there is none."""
        return self.lines_of_head[0] if self.lines_of_head else ""

    def first_object(self) -> dict[str, Any] | None:
        """The first line as an object of JSON; None where it is none."""
        return object_of(self.first_line)

    def pieces(self) -> Iterator[bytes]:
        """All bytes, piece by piece; once."""
        piece, self._begin = self._begin, b""
        while piece:
            yield piece
            piece = self._read(_PIECE)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Every line with its number, without its end. A line that is longer than any record is an error."""
        number, rest = 0, b""
        for piece in self.pieces():
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                number += 1
                yield number, _text(line)
            if len(rest) > LONGEST_LINE:
                raise self.wrong(
                    f"found a line of more than {LONGEST_LINE // 2**20} MiB, expected a record in each line", number + 1
                )
        if rest:
            yield number + 1, _text(rest)

    def whole(self, most: int) -> bytes:
        """All of a file that is no longer than `most` bytes; an error where it is."""
        found, size = [], 0
        for piece in self.pieces():
            size += len(piece)
            if size > most:
                raise self.wrong(f"found more than {most // 2**20} MiB, expected at most that much of this kind")
            found.append(piece)
        return b"".join(found)

    def wrong(self, message: str, line: int = 0) -> ScenarioError:
        """The error that names this file."""
        return ScenarioError([Problem(message, "", self.file, line)])

    def _opened(self, name: str, confine: str | Path | None) -> IO[bytes]:
        if name == STDIN:
            if sys.stdin is None:
                raise UsageError("-: the standard input is closed")
            return sys.stdin.buffer
        try:
            return self._stack.enter_context(files.opened(name, confine))
        except files.UnreadableError as error:
            raise UsageError(f"{name[:200]}: {error.message}") from None

    def _read(self, most: int) -> bytes:
        try:
            return self._stream.read(most)
        except OSError as error:
            raise UsageError(f"{self.file[:200]}: cannot be read: {error.strerror or error}") from None

    def _refuse_what_is_no_text(self) -> None:
        for magic, what in _PACKED.items():
            if self._begin.startswith(magic):
                raise self.wrong(f"is {what}")
        if b"\0" in self._begin:
            raise self.wrong("is binary, expected text")


def object_of(line: str) -> dict[str, Any] | None:
    """A line as an object of JSON; None where it is none."""
    if not line.startswith("{"):
        return None
    try:
        found = files.json_of(line.encode(), _MOST_OF_A_LINE)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _text(line: bytes) -> str:
    """Bytes that are no UTF-8 are shown as such: a log holds what clients sent."""
    return line.decode("utf-8", errors="replace")
