"""YAML 1.2 text into plain data with places.

Written for hostile input: nothing is constructed, followed for ever, or expanded without limit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from sim.errors import Problem, ScenarioError, unprintable_in
from sim.spec.document import Data, Map, Place, Seq
from sim.units import shown

LARGEST = 4 * 2**20  # bytes of a scenario file; reading takes about a second per MiB
DEEPEST = 60  # maps and lists inside one another; the language itself needs about ten
LONGEST_NAME = 200  # characters; names become names of files and lines of tables
MOST_NODES = 100_000  # values in a document, counted as often as aliases repeat them

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OCTAL, _HEXADECIMAL = re.compile(r"0o[0-7]+"), re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def decode(raw: bytes, file: str) -> str:
    """UTF-8 text, or a ScenarioError that names the line of the first byte that is none."""
    if len(raw) > LARGEST:
        raise _error(
            f"the file is larger than {LARGEST // 2**20} MiB; recorded data belongs into a CSV file beside it",
            Place(file),
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _error(f"found the byte 0x{raw[error.start]:02x}, expected text in UTF-8", Place(file, line)) from None
    if "\0" in text:
        raise _error("found a NUL byte, expected text", Place(file, text.count("\n", 0, text.index("\0")) + 1))
    return text


def read_yaml(text: str, file: str = "<text>") -> Data:
    """The one document of `text`: Map, Seq, str, int, float, bool or None.

    Everything wrong with its form is told in a ScenarioError.
    """
    composer = Composer(file)
    compose(text, composer)
    return composer.root


def compose(text: str, composer: Composer) -> None:
    """Let the composer take all of `text`. Everything wrong with its form is told in a ScenarioError."""
    file = composer.file
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            composer.take(event)
    except ScenarioError as error:
        composer.problems.extend(error.problems)
    except MarkedYAMLError as error:
        composer.problems.append(_syntax_problem(error, text, file))
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        composer.problems.append(
            Problem(f"found the character U+{_code(error.character):04X}, which YAML does not allow", "", file, line)
        )
    except (YAMLError, ValueError, RecursionError) as error:
        composer.problems.append(Problem(f"not YAML: {str(error).splitlines()[0]}", "", file))
    if composer.problems:
        raise ScenarioError(composer.problems)


@dataclass
class _Open:
    """A collection whose end has not come yet."""

    node: Map | Seq
    at: Place
    anchor: str | None
    size: int = 1
    key: str | None = None
    key_at: Place | None = None


_SKIPPED = object()  # stands for a value that has been complained about


@dataclass
class Composer:
    """Builds the document from events with a stack of its own, so that depth costs no recursion and can be limited.

    What a scenario refuses although YAML allows it is told by methods of their own, which a reader of other files may
    override.
    """

    file: str
    problems: list[Problem] = field(default_factory=list)
    root: Data = None
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)  # name -> value and the nodes it stands for
    documents: int = 0
    nodes: int = 0
    most: int = MOST_NODES

    def take(self, event: Event) -> None:
        """The next event of the parser."""
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            self.begin(self._place(event))
        elif isinstance(event, CollectionEndEvent):
            self._close()
        elif isinstance(event, NodeEvent):
            self._node(event, self._place(event))

    def begin(self, at: Place) -> None:
        """A document begins there."""
        if self.documents > 1:
            raise _error("found a second document (---), expected one scenario in a file", at)

    def tagged(self, tag: str, at: Place) -> None:
        """A value has a tag."""
        self.complain(f"found the tag {shown(tag)}; a scenario is plain data, without tags", at)

    def unprintable(self, code: str, at: Place) -> None:
        """A text holds a control character."""
        self.complain(f"found the control character {code}, expected words that can be printed", at)

    def key(self, word: str, value: Data, at: Place) -> str:
        """The key that is meant by a word; `value` is what it reads as."""
        top = self.stack[-1]
        if not isinstance(value, str):
            self.complain(f"found the key {word or 'nothing'}, which is not a word; write it in quotes", at)
        elif value == "<<":
            self.complain(
                "found a merge key (<<), which YAML 1.2 does not have; write the fields out, or use variants", at
            )
        elif len(value) > LONGEST_NAME:
            self.complain(f"found a name of {len(value)} characters, expected at most {LONGEST_NAME}", at)
        elif value in top.node:
            before = top.node.keys_at[value].line if isinstance(top.node, Map) else 0
            self.complain(f"found '{word[:60]}' twice in this map; first on line {before}", at)
        return str(value if isinstance(value, str) else word)

    def value(self, text: str) -> Data:
        """What a plain scalar means; a ValueError where it means nothing."""
        return _resolved(text)

    def closed(self, node: Map | Seq) -> None:
        """A map or a list has ended."""

    def complain(self, message: str, at: Place) -> None:
        """Remember a problem, and go on."""
        self.problems.append(Problem(message, "", at.file, at.line, at.column))

    def _node(self, event: NodeEvent, at: Place) -> None:
        if self._expects_key() and not isinstance(event, ScalarEvent):
            hint = "; is a '}' missing before it?" if getattr(event, "flow_style", False) else ""
            raise _error(f"found a map, a list or an alias as a key, expected a word{hint}", at)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.tagged(str(tag), at)
        if isinstance(event, AliasEvent):
            value, size = self._resolve(event, at)
            self._add(value, at, size)
        elif isinstance(event, ScalarEvent):
            self._scalar(event, at)
        elif isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            if len(self.stack) >= DEEPEST:
                raise _error(f"found maps or lists nested more than {DEEPEST} deep", at)
            self.stack.append(_Open(Map() if isinstance(event, MappingStartEvent) else Seq(), at, event.anchor))

    def _scalar(self, event: ScalarEvent, at: Place) -> None:
        quoted = event.style is not None or event.tag is not None
        if (
            event.style == '"'
            and not event.value.isascii()
            and any("\ud800" <= letter <= "\udfff" for letter in event.value)
        ):
            raise _error("found half of a surrogate pair, expected text", at)
        if (code := unprintable_in(event.value.rstrip("\n"))) is not None:
            self.unprintable(code, at)
        if self._expects_key():
            top = self.stack[-1]
            top.key, top.key_at = self.key(event.value, event.value if quoted else self.value(event.value), at), at
            return
        if not quoted and not event.value and self.stack:  # nothing stands there: the parser points at what comes next
            at = self.stack[-1].key_at or at
        try:
            value = event.value if quoted else self.value(event.value)
        except ValueError as error:
            self.complain(str(error), at)
            value = _SKIPPED
        self._remember(event.anchor, value, 1)
        self._add(value, at, 1)

    def _resolve(self, event: AliasEvent, at: Place) -> tuple[Any, int]:
        if any(entry.anchor == event.anchor for entry in self.stack):
            raise _error(f"found the alias *{event.anchor} inside of what it stands for", at)
        if event.anchor not in self.anchors:
            raise _error(f"found the alias *{event.anchor}, which is not defined before this line", at)
        return self.anchors[event.anchor]

    def _add(self, value: Data, at: Place, size: int) -> None:
        self.nodes += size
        if self.nodes > self.most:
            raise _error(f"found more than {self.most} values (aliases repeat what they stand for)", at)
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        top.size += size
        if isinstance(top.node, Seq):
            top.node.append(value)
            top.node.items_at.append(at)
        elif top.key is not None:
            top.node.put(top.key, value, top.key_at, at)
            top.key = None

    def _close(self) -> None:
        done = self.stack.pop()
        self.closed(done.node)
        self._remember(done.anchor, done.node, done.size)
        self._add(done.node, done.at, 1)
        if self.stack:
            self.stack[-1].size += done.size - 1

    def _remember(self, anchor: str | None, value: Data, size: int) -> None:
        if anchor is not None:
            self.anchors[anchor] = (value, size)

    def _expects_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].node, Map) and self.stack[-1].key is None

    def _place(self, event: Event) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)


def _resolved(text: str) -> Data:
    """A plain scalar by the core schema of YAML 1.2: `off` is a word and `1:30` is not a number."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _WHOLE.fullmatch(text):
        return int(_short(text))
    if _OCTAL.fullmatch(text):
        return int(_short(text)[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(_short(text)[2:], 16)
    if _NOT_FINITE.fullmatch(text) or (_FLOAT.fullmatch(text) and not math.isfinite(float(text))):
        raise ValueError(f"found {text[:40]}, expected a finite number")
    return float(text) if _FLOAT.fullmatch(text) else text


def _short(digits: str) -> str:
    if len(digits) > 20:
        raise ValueError(f"found a number of {len(digits)} digits, expected at most 20")
    return digits


def _syntax_problem(error: MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    return Problem(
        f"not YAML: {_plain_words(str(error.problem or error.context or ''), text, line)}",
        "",
        file,
        line + 1,
        column + 1,
    )


def _plain_words(said: str, text: str, line: int) -> str:
    lines = text.splitlines()
    if "'\\t'" in said or (line < len(lines) and "\t" in lines[line][: len(lines[line]) - len(lines[line].lstrip())]):
        return "found a tab at the beginning of a line; YAML is indented with spaces"
    if said.startswith("mapping values are not allowed"):
        return (
            "found a ':' where no key can stand; is the line indented as the one above, and is text that holds ': "
            "' in quotes?"
        )
    if "<stream end>" in said or "end of stream" in said:
        return "the file ends inside an open bracket or quote"
    if said.startswith("expected <block end>"):
        return "this line does not belong to what stands above it; is it indented as its neighbours?"
    return said


def _code(character: Data) -> int:
    return ord(character) if isinstance(character, str) else int(character)


def _error(message: str, at: Place) -> ScenarioError:
    return ScenarioError([Problem(message, "", at.file, at.line, at.column)])


def question_of(text: str) -> str:
    """The first two sentences of the comment that heads a scenario, or the first alone when that is a question."""
    words = " ".join(_head_comment(text))
    sentences = re.findall(r"[^.?!]+(?:[.?!](?!\s|$)[^.?!]*)*[.?!]?", words)
    kept = sentences[:1] if sentences and sentences[0].strip().endswith("?") else sentences[:2]
    return " ".join(sentence.strip() for sentence in kept).strip()


def _head_comment(text: str) -> Iterator[str]:
    """Lines of the first paragraph of comment, without the line that names the schema to an editor."""
    begun = False
    for line in text.splitlines():
        words = line.strip().lstrip("#").strip()
        if not line.strip().startswith("#") or (begun and not words):
            if line.strip() or begun:
                return
        elif words and not words.startswith("yaml-language-server"):
            begun = True
            yield words
