"""Draws with names, as those of the simulator itself: what is drawn in one place moves no draw in any other."""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
Weighted = Mapping[str, int]  # word -> how often it stands in the hat, at most HASHES
HASHES = 8  # that one digest has room for


class Luck:
    """The draws of one part of one system. A part of it asks for `at(name)`, so that a draw more in one part changes no other part.

    A choice is by the highest hash of place and option (rendezvous hashing): a new option changes the choice only where it is taken.
    So a word that is taught to the generator changes only the systems that say it. Nothing here depends on a library's generator or on floats.
    """

    def __init__(self, path: str, exact: bool = False):
        self.path = path
        self.exact = exact  # whether the system must do with + - * / alone, which give the same bits on every machine: no logarithms

    def at(self, name: object) -> Luck:
        """The draws of a part."""
        return Luck(f"{self.path}/{name}", self.exact)

    def _hashes(self, name: str) -> tuple[int, ...]:
        return struct.unpack("<8Q", hashlib.blake2b(f"{self.path}/{name}".encode()).digest())

    def share(self, name: str) -> float:
        """A number from 0 to 1, without 1."""
        return (self._hashes(name)[0] >> 11) * 2.0**-53

    def maybe(self, name: str, chance: float = 0.5) -> bool:
        """True with this chance."""
        return self.share(name) < chance

    def below(self, name: str, size: int) -> int:
        """A whole number from 0, below `size`; unlike `number` it is another one wherever the size changes."""
        return int(self.share(name) * size)

    def number(self, name: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return self.pick(name, range(low, high + 1))

    def word(self, name: str, options: Weighted) -> str:
        """One of the words, by their weights."""
        return max(options, key=lambda word: max(self._hashes(f"{name}/{word}")[: options[word]]))

    def pick(self, name: str, options: Sequence[T]) -> T:
        """One of the options, each as likely as the others; the same option twice is twice as likely."""
        return self.some(name, options, 1, 1)[0]

    def some(self, name: str, options: Sequence[T], least: int, most: int) -> list[T]:
        """From `least` to `most` of the options, each at most once, in no order that they have."""
        size = self.number(f"{name}/how many", least, most) if least < most else least
        seen: Counter[str] = Counter()
        ranked = []
        for option in options:
            text = repr(option)
            ranked.append((self._hashes(f"{name}/{text}")[seen[text]], option))
            seen[text] += 1
        ranked.sort(key=lambda pair: pair[0], reverse=True)
        return [option for _, option in ranked[:size]]
