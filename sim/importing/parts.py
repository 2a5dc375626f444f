"""A look into what a stranger wrote: any value may be of any form, and what is not as it should be is noted with its
place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sim.spec.document import Data, Map, Place, Seq
from sim.units import shown

LONGEST_TEXT = 4000  # characters of a value that are looked at: aliases may repeat a long one ten thousand times
LONGEST = 200  # characters of a text that is shown


@dataclass(frozen=True)
class Note:
    """Something in a file that did not come into the scenario: where, what, and why."""

    file: str
    line: int
    what: str
    why: str


@dataclass
class Notes:
    """What was left out, in the order in which it was met."""

    left_out: list[Note] = field(default_factory=list)

    def leave_out(self, at: Place, what: str, why: str) -> None:
        """Something at this place does not come into the scenario."""
        note = Note(at.file, at.line, what[:LONGEST], why)
        if note not in self.left_out[-20:]:  # what an alias repeats is told once
            self.left_out.append(note)


class Part:
    """A value in a document, or nothing, at a place."""

    __slots__ = ("at", "name", "notes", "value")

    def __init__(self, value: Data, at: Place, name: str, notes: Notes) -> None:
        self.value = value
        self.at = at
        self.name = name  # of the field it stands in
        self.notes = notes

    def __bool__(self) -> bool:
        return self.value is not None

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def __getitem__(self, key: str) -> Part:
        """What stands under a key; nothing where this is no map or lacks it."""
        if isinstance(self.value, dict) and key in self.value:
            at = self.value.keys_at.get(key, self.at) if isinstance(self.value, Map) else self.at
            return Part(self.value[key], at, key, self.notes)
        if self.value is not None and not isinstance(self.value, dict):
            self.wrong("a map")
        return Part(None, self.at, key, self.notes)

    def down(self, *keys: str) -> Part:
        """What stands under these keys, one below the other."""
        here = self
        for key in keys:
            here = here[key]
        return here

    def first(self, *keys: str) -> Part:
        """What stands under the first of these keys that is there."""
        return next((self[key] for key in keys if key in self), self[keys[0]])

    def entries(self) -> Iterator[tuple[str, Part]]:
        """The fields of a map."""
        if isinstance(self.value, dict):
            for key in self.value:
                yield key, self[key]
        elif self.value is not None:
            self.wrong("a map")

    def items(self) -> Iterator[Part]:
        """The items of a list."""
        if isinstance(self.value, list):
            for index, item in enumerate(self.value):
                at = self.value.items_at[index] if isinstance(self.value, Seq) else None
                yield Part(item, at or self.at, self.name, self.notes)
        elif self.value is not None:
            self.wrong("a list")

    def text(self) -> str:
        """A text; empty where there is none. A template that nobody rendered is none."""
        if isinstance(self.value, str) and "{{" not in self.value[:LONGEST_TEXT]:
            return self.value[:LONGEST_TEXT]
        if isinstance(self.value, str):
            self.notes.leave_out(
                self.at, f"{self.name} {shown(self.value)}", "a template, expected what it is rendered to"
            )
        elif isinstance(self.value, (int, float)):
            return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)
        elif self.value is not None:
            self.wrong("a text")
        return ""

    def number(self) -> float | None:
        """A number that is not negative; written as text it counts, too."""
        value = self.value
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                self.wrong("a number")
                return None
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e15:
            self.wrong("a number")
            return None
        return float(value)

    def whole(self, least: int = 0, most: int = 10**9) -> int | None:
        """A whole number within bounds."""
        value = self.number() if self.value is not None else None
        if value is None:
            return None
        if not value.is_integer() or not least <= value <= most:
            self.wrong(f"a whole number from {least} to {most}")
            return None
        return int(value)

    def is_true(self, default: bool) -> bool:
        """Whether it says true; the default where it says nothing."""
        if self.value in (True, "true"):
            return True
        if self.value in (False, "false"):
            return False
        if self.value is not None:
            self.wrong("true or false")
        return default

    def wrong(self, expected: str) -> None:
        """What stands here is not what its format has there."""
        self.notes.leave_out(self.at, f"{self.name}", f"found {shown(self.value)}, expected {expected}")

    def leave_out(self, what: str, why: str) -> None:
        """What stands here does not come into the scenario."""
        self.notes.leave_out(self.at, what, why)
