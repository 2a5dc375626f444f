"""Every error a user can meet, drawn as a tree.

SimError                       the one root; a caller who catches it catches all of ours
├── ScenarioError              the scenario is wrong: all of its problems at once             exit 2
├── UsageError                 the call is wrong: unknown variant, metric, option value       exit 2
│   └── PluginError            a plug-in is missing, not allowed, or does not load             exit 2
├── RunError                   the run itself failed                                           exit 3
│   ├── BooksDoNotBalance      something offered neither ended nor is still there              exit 3
│   ├── EnginesDiffer          a step of a plug-in does on one engine what it does not on the other   exit 3
│   ├── TimeStandsStill        a loop of the scenario takes no time, and would never end       exit 3
│   └── OutputError            a report, chart or export could not be written whole            exit 3
└── Interrupted                Ctrl-C; finished work is kept                      exit 130, by SIGTERM 143
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass


class SimError(Exception):
    """Root of all errors that `sim` raises on purpose."""

    exit_code = 3


# a column, a cell or the name of a file, of which the beginning and the end tell enough
_LONG_WORD = re.compile(r"\S{200,}")
_SHOWN = 60  # characters of either
_LONGEST = 1200  # characters of what is said about one thing; names may be long, and many


def _shortened(text: str) -> str:
    """Without the middle of long words, and of the whole where it is long itself."""
    text = _LONG_WORD.sub(lambda found: f"{found[0][:_SHOWN]}...{found[0][-_SHOWN:]}", text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 4 :]}"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a scenario: where, what was found, what was expected, the nearest right word."""

    message: str
    path: str = ""  # dotted place in the document: services.orders.workers
    file: str = ""
    line: int = 0  # 1-based; 0 where no line is known (a value given by --set, say)
    column: int = 0

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return printable(
            ": ".join(part for part in (place, _shortened(self.path), _shortened(self.message)) if part), one_line=True
        )


class ScenarioError(SimError):
    """The scenario is wrong. `problems` lists everything found, in the order of the file."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Problem, ...]]]:
        return (type(self), (self.problems,))


class UsageError(SimError):
    """What was asked for does not exist or makes no sense."""

    exit_code = 2


class PluginError(UsageError):
    """A plug-in is missing, was not allowed, or does not load."""


class RunError(SimError):
    """The run itself failed: never an ordinary outcome of what is simulated."""


class BooksDoNotBalance(RunError):  # noqa: N818  it says what happened, as the word 'Error' could not
    """Something that was offered neither ended nor is still there."""


class EnginesDiffer(RunError):  # noqa: N818  it says what happened
    """The two engines gave different records: a behaviour and its flow do not do the same."""


class TimeStandsStill(RunError):  # noqa: N818  it says what happened
    """Something in the scenario turns round and round without any time passing: the run would never end."""


class OutputError(RunError):
    """A result could not be written; nothing half-written is left under its final name."""


class Interrupted(SimError):  # noqa: N818  an interruption is no error
    """The user stopped the work; what was finished is kept."""

    exit_code = 130


# Controls of a terminal (C0, C1), of the direction of writing, line ends that only some know, and bytes that were no
# text.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str, one_line: bool = False) -> str:
    """The text as a terminal may have it: what is not to be seen but obeyed stands there as `\\u001b`, which JSON reads
    as itself.
    """
    text = _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return text.replace("\n", "\\n").replace("\t", "\\t") if one_line else text


def unprintable_in(text: str) -> str | None:
    """The first character of a text that is no text, as `U+001B`; None where all are."""
    found = re.search(r"[\n\t]", text) or _UNPRINTABLE.search(text)
    return f"U+{ord(found.group()):04X}" if found else None


_LONGEST_WORD = 100  # comparing takes time quadratic in the length, and nothing longer is a slip of the pen


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint that ends an 'unknown word' message: the nearest known word, or the list when it is short."""
    candidates = sorted(set(known))
    close = nearest(word, candidates)
    if close is not None:
        return f"; did you mean '{close}'?"
    if 0 < len(candidates) <= 12:
        return f"; known: {', '.join(candidates)}"
    return ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is probably a slip of, or None."""
    close = (
        difflib.get_close_matches(str(word), sorted(set(known)), n=1, cutoff=0.6)
        if len(str(word)) <= _LONGEST_WORD
        else []
    )
    return close[0] if close else None
