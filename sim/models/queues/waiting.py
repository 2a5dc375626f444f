"""What waits in a queue, in order, and where what was handed out and comes back is put: a classic queue knows the place
that it had, a quorum queue puts what comes back before all else, in the order in which it does. Where priorities are
told apart, the higher one is before the lower.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from sim.models.queues.letter import Letter


class Waiting:
    """The ready messages of one queue."""

    __slots__ = ("_back", "_heap", "_new", "in_place", "ranked")

    def __init__(self, in_place: bool):
        self.in_place = in_place  # what comes back goes where it was
        self.ranked = False  # by priority
        self._new: deque[Letter] = deque()
        self._back: deque[Letter] = deque()
        self._heap: list[tuple[int, Letter]] = []

    def __len__(self) -> int:
        return len(self._new) + len(self._back) + len(self._heap)

    def __iter__(self) -> Iterator[Letter]:
        yield from self._back
        yield from (letter for _, letter in sorted(self._heap, key=_order))
        yield from self._new

    def put(self, letter: Letter) -> None:
        """A new one, at the end, or behind all of its priority."""
        if self.ranked:
            heappush(self._heap, (letter.order, letter))
        else:
            self._new.append(letter)

    def put_back(self, letter: Letter) -> None:
        """One that was handed out."""
        if self.in_place:
            heappush(self._heap, (letter.order, letter))
        else:
            self._back.append(letter)

    @property
    def head(self) -> Letter | None:
        """The next one."""
        if self._back:
            return self._back[0]
        if self._heap and (not self._new or self._heap[0][0] < self._new[0].order):
            return self._heap[0][1]
        return self._new[0] if self._new else None

    def take(self) -> Letter:
        """The next one, which waits no longer."""
        if self._back:
            return self._back.popleft()
        if self._heap and (not self._new or self._heap[0][0] < self._new[0].order):
            return heappop(self._heap)[1]
        return self._new.popleft()

    def take_out(self, gone: list[Letter]) -> None:
        """These wait no longer."""
        those = set(gone)
        self._new = deque(letter for letter in self._new if letter not in those)
        self._back = deque(letter for letter in self._back if letter not in those)
        self._heap = [entry for entry in self._heap if entry[1] not in those]
        heapify(self._heap)


def _order(entry: tuple[int, Letter]) -> int:
    return entry[0]
