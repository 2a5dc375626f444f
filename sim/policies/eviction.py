"""What a full cache forgets: the entry that was used least recently, or least often. No clock, no chance."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar

K = TypeVar("K")
V = TypeVar("V")
ITEMS = 1 << 32
"""More than a traffic can tell apart: an item of a user is one number."""


class Entries(Protocol):
    """Entries by key, at most so many."""

    def look(self, key: int) -> object | None:
        """The entry, which counts as used now; None: there is none."""

    def put(self, key: int, entry: object) -> None:
        """Keep it, as used now; another one goes where there is no room."""

    def clear(self) -> None:
        """Forget all."""

    def __len__(self) -> int: ...


class LeastRecentlyUsed(Generic[K, V]):
    """The entry that was used longest ago goes first."""

    def __init__(self, size: int | None):
        self.size = size  # None: as many as there are
        self._entries: OrderedDict[K, V] = OrderedDict()  # in the order of their last use

    def __len__(self) -> int:
        return len(self._entries)

    def look(self, key: K) -> V | None:
        """The entry, which is the last to go now."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: K, entry: V) -> None:
        """Keep it; the one that was used longest ago goes."""
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if self.size is not None and len(self._entries) > self.size:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()


class LeastFrequentlyUsed(Generic[K, V]):
    """The entry that was used least often since it came goes first; of several the one whose last use is longest ago.

    What has gone is forgotten, its count too (an in-cache LFU). A use costs the same however many entries there are.
    """

    def __init__(self, size: int | None):
        self.size = size
        self._entries: dict[K, V] = {}
        self._uses: dict[K, int] = {}
        self._by_uses: dict[int, OrderedDict[K, None]] = {}  # of each count the keys, in the order of their last use
        self._least = 1

    def __len__(self) -> int:
        return len(self._entries)

    def look(self, key: K) -> V | None:
        """The entry, used once more."""
        entry = self._entries.get(key)
        if entry is not None:
            self._use(key)
        return entry

    def put(self, key: K, entry: V) -> None:
        """Keep it; it counts as used once, or once more where it was there."""
        if key in self._entries:
            self._use(key)
        else:
            if self.size is not None and len(self._entries) >= self.size:
                self._drop_least()
            self._uses[key] = self._least = 1
            self._by_uses.setdefault(1, OrderedDict())[key] = None
        self._entries[key] = entry

    def clear(self) -> None:
        """Forget all."""
        self.__init__(self.size)  # type: ignore[misc]

    def _use(self, key: K) -> None:
        uses = self._uses[key]
        self._uses[key] = uses + 1
        alike = self._by_uses[uses]
        del alike[key]
        if not alike:
            del self._by_uses[uses]
            if self._least == uses:
                self._least = uses + 1
        self._by_uses.setdefault(uses + 1, OrderedDict())[key] = None

    def _drop_least(self) -> None:
        alike = self._by_uses[self._least]
        key, _ = alike.popitem(last=False)
        if not alike:
            del self._by_uses[self._least]
        del self._entries[key], self._uses[key]


EVICTIONS: dict[str, type[LeastRecentlyUsed[int, object]] | type[LeastFrequentlyUsed[int, object]]] = {
    "lru": LeastRecentlyUsed,
    "lfu": LeastFrequentlyUsed,
}
"""By their words."""
