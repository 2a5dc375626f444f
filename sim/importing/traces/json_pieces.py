"""JSON of any length, one value after the other: a reader that goes into objects and lists, and holds no more than
the value it is asked for.

Several texts one behind the other (an object per line) are read as well. What is inside of a value is parsed by the
standard library.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

from sim.errors import Problem, ScenarioError
from sim.units import shown

PIECE = 2**20  # bytes that are read at once
LARGEST_VALUE = 8 * 2**20  # characters of one span, or of what describes a service
DEEPEST = 20  # objects and lists that are gone into
_MAY_GO_ON = re.compile(r"[0-9.eE+-]*\Z")  # behind a number that the next piece perhaps goes on with; or nothing at all
_SPACE = re.compile(r"[ \t\n\r]*")


class JsonPieces:
    """Walks through JSON as it comes from a file."""

    def __init__(self, source: IO[bytes], file: str) -> None:
        """`source` is read to its end; `file` is its name in errors."""
        self._source, self._file = source, file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self._parser = json.JSONDecoder()
        self._text, self._at, self._ended = "", 0, False
        self._lines = 1  # of what was thrown away

    @property
    def line(self) -> int:
        """The line that is being read."""
        return self._lines + self._text.count("\n", 0, self._at)

    def peek(self) -> str:
        """The character that comes next, blanks aside; empty at the end of the file."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def members(self) -> Iterator[str]:
        """The keys of the object that comes next; whoever takes one must take its value too."""
        self._take("{")
        first = True
        while self.peek() != "}":
            if not first:
                self._take(",")
            first = False
            key = self.value()
            if not isinstance(key, str):
                raise self.wrong(f"found {shown(key)}, expected a key in quotes")
            self._take(":")
            yield key
        self._take("}")

    def elements(self) -> Iterator[None]:
        """As often as there are elements in the list that comes next; whoever is given one must take its value."""
        self._take("[")
        first = True
        while self.peek() != "]":
            if not first:
                self._take(",")
            first = False
            yield None
        self._take("]")

    def value(self) -> Any:  # noqa: ANN401 - whatever it says
        """The whole value that comes next."""
        self.peek()
        while True:
            try:
                value, end = self._parser.raw_decode(self._text, self._at)
                if self._ended or not _MAY_GO_ON.match(self._text, end):
                    self._at = end
                    return value
                problem = ""
            except ValueError as error:
                problem = str(error).split(":", 1)[0]
            except RecursionError:
                raise self.wrong("found JSON that is nested too deeply") from None
            if len(self._text) - self._at > LARGEST_VALUE:
                reason = f": {problem}" if problem else ""
                raise self.wrong(f"found a value of more than {LARGEST_VALUE // 2**20} MiB, or what is no JSON{reason}")
            if not self._more() and problem:
                raise self.wrong(f"found what is no JSON: {problem}")

    def wrong(self, message: str) -> ScenarioError:
        """An error at this place."""
        return ScenarioError([Problem(message, "", self._file, self.line)])

    def _take(self, mark: str) -> None:
        found = self.peek()
        if found != mark:
            raise self.wrong(f"found {shown(found) if found else 'the end of the file'}, expected {mark}")
        self._at += 1

    def _more(self) -> bool:
        """Read another piece, more where much of one value is here already; False at the end of the file."""
        if self._ended:
            return False
        try:
            raw = self._source.read(max(PIECE, len(self._text) - self._at))
            self._ended = not raw
            more = self._decoder.decode(raw, final=self._ended)
        except UnicodeDecodeError:
            raise self.wrong("found bytes that are no text in UTF-8 from about here") from None
        except OSError as error:
            raise self.wrong(f"cannot be read: {error.strerror or error}") from None
        self._lines += self._text.count("\n", 0, self._at)
        self._text, self._at = self._text[self._at :] + more, 0
        return bool(more) or not self._ended
