"""A file that somebody else wrote for another tool, as documents with places: YAML streams, JSON, and lines of
KEY=VALUE.

YAML here is what those tools take: several documents, merge keys, tags (which are not followed), keys that are no
words. What is bounded is as in a scenario: size, depth, and the number of values that aliases stand for.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sim import files
from sim.errors import Problem, ScenarioError, UsageError
from sim.spec.document import Data, Map, Place, Seq
from sim.spec.reading import LARGEST, Composer, compose, decode
from sim.units import shown

STDIN = "-"
HEAD = 2**16  # bytes by which it is told what a file is
_TEMPLATE = re.compile(
    r"\{\{-?\s*(?:\.|\$|include\b|if\b|else\b|range\b|with\b|end\b|template\b|toYaml\b|define\b|/\*)"
)
# how JSON writes what is beyond 16 bits
_PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_VARIABLE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=(.*)")


@dataclass
class Document:
    """One document of a file: what it says and where it begins."""

    file: str
    value: Data
    line: int = 1


@dataclass
class Stream:
    """All documents of a file, and what of its form was passed over: (line, what, why)."""

    file: str
    documents: list[Document]
    passed_over: list[tuple[int, str, str]] = field(default_factory=list)


def documents_of(content: bytes, file: str) -> Stream:
    """The documents of a file of these bytes (of one more than are allowed, where there are more).

    ScenarioError with place, finding and expectation where it is no text of any such form.
    """
    if len(content) > LARGEST:
        raise ScenarioError([Problem(f"found more than {LARGEST // 2**20} MiB, expected at most that much", "", file)])
    return read_text(decode(content, file), file)


def read_text(text: str, file: str) -> Stream:
    """The documents of a text."""
    variables = _variables(text, file)
    if variables is not None:
        return Stream(file, [Document(file, variables)])
    if text.lstrip()[:1] in ("{", "["):
        text = _PAIR.sub(_joined, text.replace("\t", " "))  # JSON may be indented with tabs, and has none anywhere else
    composer = _Stranger(file)
    try:
        compose(text, composer)
    except ScenarioError as error:
        raise _of_template(text, file) or error from None
    composer.end()
    return Stream(file, composer.found, composer.passed_over)


@dataclass
class _Stranger(Composer):
    """Takes what other tools take. Of a key that stands twice in a map the last one counts, as in most of them."""

    found: list[Document] = field(default_factory=list)
    passed_over: list[tuple[int, str, str]] = field(default_factory=list)
    began: int = 1

    def begin(self, at: Place) -> None:
        self.end()
        self.began = at.line

    def end(self) -> None:
        """The document is whole; anchors are known within their document only."""
        if self.root is not None:
            self.found.append(Document(self.file, self.root, self.began))
        self.root, self.anchors = None, {}

    def tagged(self, tag: str, at: Place) -> None:
        if not tag.startswith(("!!", "tag:yaml.org")):
            self.passed_over.append(
                (at.line, f"tag {tag[:40]}", "tags are not followed; the value is taken as it stands")
            )

    def unprintable(self, code: str, at: Place) -> None:
        """Texts of certificates, scripts and the like are nobody's names; what is written of any is made printable."""

    def key(self, word: str, value: Data, at: Place) -> str:
        del value
        if word in self.stack[-1].node and word != "<<":
            self.passed_over.append((at.line, f"'{word[:60]}'", "stands twice in its map; the last one counts"))
        return word

    def value(self, text: str) -> Data:
        try:
            return super().value(text)
        except ValueError:
            return text

    def closed(self, node: Map | Seq) -> None:
        """Merge keys (YAML 1.1, which compose files use): what the map itself says goes before what is merged, and that
        before what comes later.
        """
        if not isinstance(node, Map) or not isinstance(node.get("<<"), (Map, Seq)):
            return
        merged = node.pop("<<")
        for source in merged if isinstance(merged, Seq) else [merged]:
            for key, value in source.items() if isinstance(source, Map) else ():
                self.nodes += 1  # copies count, or maps of merged maps would grow without bound
                if key not in node:
                    node.put(key, value, source.keys_at.get(key), source.values_at.get(key))


def _joined(found: re.Match[str]) -> str:
    return bytes.fromhex(found[1] + found[2]).decode("utf-16-be")


def _variables(text: str, file: str) -> Map | None:
    """Lines of KEY=VALUE, as in `.env`: a map under the one key of such a document; None where any line is another."""
    values = Map()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        found = _VARIABLE.fullmatch(words)
        if found is None:
            return None
        place = Place(file, number, 1)
        values.put(found[1], _unquoted(found[2].strip()), place, place)
    if not values:
        return None
    document = Map()
    document.put(VARIABLES, values, Place(file, 1, 1), Place(file, 1, 1))
    return document


VARIABLES = "KEY=VALUE"  # the key of a document that is lines of these; no YAML file of the formats read has it


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text.split(" #", 1)[0].rstrip()


def _of_template(text: str, file: str) -> ScenarioError | None:
    """What is said of a template that is no YAML yet."""
    found = _TEMPLATE.search(text)
    if found is None:
        return None
    line = text.count("\n", 0, found.start()) + 1
    message = (
        f"found a template ({shown(text[found.start() : found.start() + 30].splitlines()[0])}), expected what "
        "it is rendered to"
    )
    return ScenarioError([Problem(f"{message}: helm template CHART | sim import -", "", file, line)])


@contextmanager
def opened(name: str, confine: str | Path | None = None) -> Iterator[tuple[IO[bytes], bytes]]:
    """A file to be read from its beginning on, however large, and how it begins (64 KiB at most); UsageError where it
    cannot be read.
    """
    if name == STDIN:
        if sys.stdin is None:
            raise UsageError("-: the standard input is closed")
        head = sys.stdin.buffer.read(HEAD)
        yield io.BufferedReader(_Joined(head, sys.stdin.buffer)), head
        return
    try:
        with files.opened(name, confine) as file:
            head = file.read(HEAD)
            file.seek(0)
            yield file, head
    except files.UnreadableError as error:
        raise UsageError(f"{name[:200]}: {error.message}{_expected(name)}") from None


class _Joined(io.RawIOBase):
    """What was read already, and what comes behind it."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever takes bytes
        piece = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _expected(name: str) -> str:
    return f", expected files; name them: {name[:200].rstrip('/')}/*.yaml" if Path(name).is_dir() else ""
