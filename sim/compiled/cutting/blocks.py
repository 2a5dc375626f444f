"""Blocks of statements and where each leads: what a flow is while it is being cut."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Goto:
    """Go on there."""

    to: int


@dataclass(frozen=True)
class Branch:
    """Go on there, or there."""

    test: ast.expr
    then: int
    other: int


@dataclass(frozen=True)
class Wait:
    """Leave, and come back there; a place that others know has a name and a number."""

    to: int
    name: str | None = None
    number: int | None = None


@dataclass(frozen=True)
class Leave:
    """It is over."""

    value: ast.expr | None


End = Goto | Branch | Wait | Leave


@dataclass
class Block:
    """Statements that run in one go, and what follows."""

    body: list[ast.stmt] = field(default_factory=list)
    end: End | None = None

    def after(self) -> tuple[int, ...]:
        """Where it leads without a wait."""
        if isinstance(self.end, Goto):
            return (self.end.to,)
        return (self.end.then, self.end.other) if isinstance(self.end, Branch) else ()

    def nodes(self) -> list[ast.AST]:
        """All that is worked out in it, in order."""
        if isinstance(self.end, Branch):
            return [*self.body, self.end.test]
        if isinstance(self.end, Leave) and self.end.value is not None:
            return [*self.body, self.end.value]
        return list(self.body)


class Graph:
    """All blocks of one flow; the first is where it begins."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def block(self) -> int:
        """A new one; its place."""
        self.blocks.append(Block())
        return len(self.blocks) - 1

    def shorten(self) -> None:
        """Pass over blocks that only lead on."""
        for block in self.blocks:
            if isinstance(block.end, Goto):
                block.end = Goto(self._through(block.end.to))
            elif isinstance(block.end, Wait):
                block.end = Wait(self._through(block.end.to), block.end.name, block.end.number)
            elif isinstance(block.end, Branch):
                block.end = Branch(block.end.test, self._through(block.end.then), self._through(block.end.other))

    def _through(self, place: int) -> int:
        seen = set()
        while place not in seen and not self.blocks[place].body and isinstance(self.blocks[place].end, Goto):
            seen.add(place)
            (place,) = self.blocks[place].after()
        return place

    def waits(self) -> Iterator[Wait]:
        """The waits that a run can come to."""
        for place in self._reached(0):
            end = self.blocks[place].end
            if isinstance(end, Wait):
                yield end

    def _reached(self, first: int) -> list[int]:
        seen: set[int] = set()
        todo = [first]
        while todo:
            here = todo.pop()
            if here not in seen:
                seen.add(here)
                block = self.blocks[here]
                todo += [*block.after(), *([block.end.to] if isinstance(block.end, Wait) else [])]
        return sorted(seen)

    def in_order(self, entries: list[int]) -> tuple[list[int], set[tuple[int, int]]]:
        """Blocks so that all edges lead on, and the edges that lead back all the same."""
        done: list[int] = []
        under_way: dict[int, bool] = {}
        back: set[tuple[int, int]] = set()

        def visit(place: int) -> None:
            under_way[place] = True
            for to in reversed(self.blocks[place].after()):
                if under_way.get(to):
                    back.add((place, to))
                elif to not in under_way:
                    visit(to)
            under_way[place] = False
            done.append(place)

        for entry in entries:
            if entry not in under_way:
                visit(entry)
        return done[::-1], back
