"""The order in which Java walks through its hash maps, where decisions of a Java library depend on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
_WORD = 0xFFFFFFFF


def hash_of_text(text: str) -> int:
    """String.hashCode, as an unsigned 32-bit number."""
    hashed = 0
    units = text.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2], strict=True):
        hashed = (31 * hashed + 256 * high + low) & _WORD
    return hashed


def in_map_order(items: Iterable[T], hashed: Callable[[T], int]) -> list[T]:
    """These in the order in which a java.util.HashMap walks through them that they were put into in this order.

    A table of 16 places doubles when it is three quarters full; an item stands at the lowest bits of its hash, of which
    the upper half is folded into the lower; within one place the order of insertion is kept.
    """
    items = list(dict.fromkeys(items))
    places = 16
    while len(items) > places * 3 // 4:
        places *= 2

    def place(item: T) -> int:
        its = hashed(item)
        return (its ^ its >> 16) & (places - 1)

    return sorted(items, key=place)
