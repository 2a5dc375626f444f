"""What a page of a report is made of: plain values with text in them, never HTML. The templates escape every word of
it.

A block names the template that sets it. `variant` is the place of a variant among those of the page, from 0: it gives
the colour, and readers can switch it off. None: the block belongs to all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Block:
    """Something that stands in a section."""

    template: ClassVar[str]


@dataclass(frozen=True)
class Note(Block):
    """A paragraph, quieter than the rest unless `loud`."""

    template = "note"
    text: str
    loud: bool = False


@dataclass(frozen=True)
class Heading(Block):
    """A heading inside a section."""

    template = "heading"
    text: str
    variant: int | None = None
    rest: str = ""  # after the name of a variant, without its colour


@dataclass(frozen=True)
class Line:
    """A sentence with a mark before it: `good`, `bad`, or none."""

    text: str
    mood: str = ""


@dataclass(frozen=True)
class Items(Block):
    """Sentences below one another."""

    template = "items"
    lines: Sequence[Line]


@dataclass(frozen=True)
class Card:
    """The few figures that a reader looks for first."""

    title: str
    rows: Sequence[tuple[str, str]]  # what, and its value; what comes after ` ± ` is set smaller
    variant: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Cards(Block):
    """Cards beside one another."""

    template = "cards"
    cards: Sequence[Card]


@dataclass(frozen=True)
class Judged(Block):
    """What is better and what is worse of one variant."""

    template = "judged"
    title: str
    against: str
    variant: int
    lists: Sequence[tuple[str, Sequence[str]]]  # `better` or `worse`, and its clauses
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Drawing(Block):
    """A picture.

    `svg` is markup that sim itself drew, with every text in it escaped; it is the one thing that is not escaped again.
    """

    template = "drawing"
    svg: str
    anchor: str = ""
    title: str = ""
    reading: str = ""
    variant: int | None = None
    narrow: str = ""  # the same for a narrow screen
    values: str = ""  # JSON for the interactive layer: see `Chart.values`
    by_variant: bool = False  # whether a colour of a variant is that variant, which can then be switched off


@dataclass(frozen=True)
class Told:
    """One moment of a story."""

    when: str
    text: str
    mood: str


@dataclass(frozen=True)
class Story(Block):
    """What happened, a column per variant: (title, variant, moments)."""

    template = "story"
    columns: Sequence[tuple[str, int, Sequence[Told]]]


@dataclass(frozen=True)
class Cell:
    """One cell: its text (what comes after ` ± ` is set smaller), and below it a note with a mood and an
    explanation.
    """

    text: str
    below: str = ""
    mood: str = ""
    explanation: str = ""


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    text: str
    note: str = ""
    variant: int | None = None
    words: bool = False  # whether the column holds words, which begin at the left, and no figures


@dataclass(frozen=True)
class Row:
    """A line of a table: what it is, and a cell for each column but the first."""

    label: str
    cells: Sequence[Cell]
    explanation: str = ""


@dataclass(frozen=True)
class Rows:
    """Lines that belong together, with a title and a remark."""

    rows: Sequence[Row]
    title: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Table(Block):
    """Groups of rows under one line of heads. `figures` sets all columns but the first to the right."""

    template = "table"
    name: str  # what it holds, for those who cannot see it
    heads: Sequence[Head]  # the first one is of the labels
    groups: Sequence[Rows]
    figures: bool = True


@dataclass(frozen=True)
class Fact:
    """A term and what it is; `code` sets it as one types it."""

    term: str
    text: str
    code: bool = False


@dataclass(frozen=True)
class Facts(Block):
    """Terms and what they are; those without a text are left out."""

    template = "facts"
    facts: Sequence[Fact]


@dataclass(frozen=True)
class Code(Block):
    """Text as it was written."""

    template = "code"
    text: str
    name: str  # what it is, for those who cannot see it


@dataclass(frozen=True)
class Section:
    """A part of the page; without blocks it is left out."""

    anchor: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A whole report: the question, what the answer is in words, and all that stands behind it."""

    name: str
    kicker: str  # what kind of report
    question: str
    conclusion: str  # the answer in one sentence
    points: Sequence[Line]  # what else has to be known to act on it
    sections: Sequence[Section]
    variants: Sequence[str] = field(default=())  # that can be switched off, where there are several
    # (name, from, to) in seconds of the run: what charts over time can be zoomed on
    periods: Sequence[tuple[str, float, float]] = field(default=())


def plain_table(name: str, rows: Sequence[Sequence[str]]) -> Table:
    """A table of rows of text, the first one of heads; columns without a figure are set as words."""
    heads, *body = rows
    words = [not any(any(letter.isdigit() for letter in row[place]) for row in body) for place in range(len(heads))]
    columns = [Head(head, words=its) for head, its in zip(heads, words, strict=True)]
    return Table(name, columns, [Rows([Row(row[0], [Cell(cell) for cell in row[1:]]) for row in body])])


def slug(name: str) -> str:
    """A name as part of an id or a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "variant"
