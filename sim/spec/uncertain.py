"""Numbers that nobody knows exactly: `{between: [10ms, 20ms]}` in the place of any number of a scenario.

Whoever checks a scenario sees the middle of each range; each replication of an experiment has a value of its own,
drawn before it begins, anywhere in the range alike and whole where both ends are (`sim.experiments.running.inputs`).
So no engine knows of it, and what is drawn does not change while a run lasts. All ends must be as valid as the middle.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sim import units
from sim.spec.document import Data, Location, Map, Seq
from sim.units import shown

WORD = "between"
CERTAIN = ("version", "name", "seed", "duration", "warmup", "plugins", "record", "expect")  # alike in every replication
_AMOUNT = re.compile(rf"\s*({units.NUMBER})\s*(%|x|[A-Za-zµ]*(?:\s*/\s*[A-Za-z]+)?)\s*")
_LINKS = ("network", "links")  # where `between` names the two ends


@dataclass(frozen=True)
class Range:
    """One number that is known to lie between two."""

    at: Location  # in the document, without `variants.NAME`
    low: Data  # as it is written
    high: Data

    @property
    def name(self) -> str:
        """The path of the number: `services.payments.workers`."""
        return ".".join(map(str, self.at))

    def value(self, u: float) -> Data:
        """The value at a share of the way from the low end to the high one, as it would be written."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return self.low + min(int(u * (self.high - self.low + 1)), self.high - self.low)
        if isinstance(self.low, str) and isinstance(self.high, str):
            (low, unit), (high, other) = _parts(self.low), _parts(self.high)
            if unit == other:
                return f"{low + u * (high - low):.12g}{unit}"
            first, last = units.duration(self.low), units.duration(self.high)
            return f"{first + u * (last - first):.12g}s"
        return self.low + u * (self.high - self.low)

    @property
    def middle(self) -> Data:
        """What stands for it where nothing is drawn."""
        return self.value(0.5)


Found = tuple[Location, Range | str]


def ranges_in(document: Data, variant: str | None = None) -> tuple[Range, ...]:
    """Every number of a document that is a range, of one variant or of all; a path is told once."""
    found: dict[str, Range] = {}
    for at, its in _found(document, ()):
        foreign = variant is not None and at[:1] == ("variants",) and at[1] != variant
        if isinstance(its, Range) and not foreign:
            found.setdefault(its.name, its)
    return tuple(found.values())


def problems_in(document: Data) -> Iterator[tuple[Location, str]]:
    """Where `between` stands for a number and is none, and what is wrong with it."""
    for at, its in _found(document, ()):
        if isinstance(its, str):
            yield at, its
        elif its.at[0] in CERTAIN:
            yield at, f"found a range, expected one value: {its.at[0]} is the same in every replication"


def fixed(document: Data, value: Callable[[Range], Data]) -> Any:  # noqa: ANN401 - a document
    """A copy in which every range is a value; parts without ranges are shared with the original."""
    return _fixed(document, (), value)


def at_middles(document: Data) -> Any:  # noqa: ANN401 - a document
    """The same in which every range has its middle, as whoever draws nothing sees it."""
    return fixed(document, lambda its: its.middle)


def _fixed(here: Data, at: Location, value: Callable[[Range], Data]) -> Data:
    its = _range_at(here, at)
    if isinstance(its, Range):
        return value(its)
    if isinstance(here, dict):
        changed = {key: _fixed(item, (*at, key), value) for key, item in here.items()}
        if all(changed[key] is item for key, item in here.items()):
            return here
        if not isinstance(here, Map):
            return changed
        copy = Map()
        for key, item in changed.items():
            copy.put(key, item, here.keys_at.get(key), here.values_at.get(key))
        return copy
    if isinstance(here, list) and any(isinstance(item, (dict, list)) for item in here[:1000]):
        items = [_fixed(item, (*at, place), value) for place, item in enumerate(here)]
        if all(one is other for one, other in zip(items, here, strict=True)):
            return here
        return Seq(items, here.items_at) if isinstance(here, Seq) else items
    return here


def _found(here: Data, at: Location) -> Iterator[Found]:
    """(place in the document, the range or what is wrong with it); rows of recordings are not looked through."""
    its = _range_at(here, at)
    if its is not None:
        yield at, its
    elif isinstance(here, dict):
        for key, item in here.items():
            yield from _found(item, (*at, key))
    elif isinstance(here, list) and any(isinstance(item, (dict, list)) for item in here[:1000]):
        for place, item in enumerate(here):
            yield from _found(item, (*at, place))


def _range_at(here: Data, at: Location) -> Range | str | None:
    if not isinstance(here, dict) or here.keys() != {WORD}:
        return None
    plain = at[2:] if at[:1] == ("variants",) else at
    if not plain or (plain[:2] == _LINKS and len(plain) == 3):
        return None
    ends = here[WORD]
    if isinstance(ends, list) and ends and all(isinstance(end, str) and _size(end) is None for end in ends):
        return None  # names: the two ends of a link that a fault is about
    if not isinstance(ends, list) or len(ends) != 2:
        return f"found {shown(ends)}, expected the two ends of a range, such as [10ms, 20ms]"
    low, high = ends
    if wrong := _wrong(low, high):
        return f"found [{shown(low)}, {shown(high)}], {wrong}"
    return Range(plain, low, high)


def _wrong(low: Data, high: Data) -> str:
    """Why these are no two ends; empty where they are."""
    sizes = [_size(end) for end in (low, high)]
    if any(size is None for size in sizes) or isinstance(low, str) != isinstance(high, str):
        return "expected two numbers, or two amounts with their units"
    if isinstance(low, str) and _parts(low)[1] != _parts(high)[1]:
        try:
            sizes = [units.duration(end) for end in (low, high)]
        except ValueError:
            return "expected both ends in one unit"
    first, last = sizes
    return "" if first is not None and last is not None and first < last else "expected the smaller end first"


def _size(end: Data) -> float | None:
    if isinstance(end, bool):
        return None
    if isinstance(end, (int, float)):
        return float(end)
    found = _AMOUNT.fullmatch(end) if isinstance(end, str) and len(end) < 100 else None
    return float(found[1]) if found is not None and found[2] else None


def _parts(end: str) -> tuple[float, str]:
    found = _AMOUNT.fullmatch(end)
    assert found is not None, end
    return float(found[1]), re.sub(r"\s", "", found[2])
