"""Archives taken apart, damaged, and put together again with digests that are right: what a stranger can hand over."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.experiments.running.archive import HEADER, unpack
from sim.experiments.running.arrow import arrow

WRONG: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    10**18,
    1e50,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\x1b[2J",
    "../x",
    [],
    [1],
    [[]],
    {},
    {"a": 1},
]


@dataclass
class Taken:
    """An archive as its parts, which may be changed."""

    header: dict[str, Any]
    tables: dict[str, Any]  # arrays of numpy

    @classmethod
    def of(cls, data: bytes) -> Taken:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            header = json.loads(archive.read(HEADER))
        _, tables = unpack(data, 2**30)
        return cls(header, {name: table.copy() for name, table in tables.items()})

    def copy(self) -> Taken:
        return copy.deepcopy(self)

    def packed(self, *changed: str, more: dict[str, bytes] | None = None) -> bytes:
        """The archive, its digests right; the forms of tables said anew for those that are `changed`."""
        files = {name: bytes(arrow(table, "zstd")) for name, table in self.tables.items()}
        for name, file in files.items():
            described = self.header.get("tables")
            said = described.get(name) if isinstance(described, dict) else None
            if isinstance(said, dict):
                said["sha256"] = hashlib.sha256(file).hexdigest()
                if name in changed:
                    table = self.tables[name]
                    said |= {"dtype": np.lib.format.dtype_to_descr(table.dtype), "shape": list(table.shape)}
        members = {
            HEADER: json.dumps(self.header).encode(),
            **{f"{name}.arrow": file for name, file in files.items()},
            **(more or {}),
        }
        return zipped(members.items())


def zipped(members: Any, compression: int = zipfile.ZIP_STORED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return whole.getvalue()


def members_of(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value of a JSON document stands."""
    yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*at, index))


def damaged_words(taken: Taken, dice: random.Random) -> tuple[str, bytes]:
    """A header in which one value is another, is missing, or is there twice."""
    other = taken.copy()
    at = dice.choice([place for place in places(other.header) if place])
    holder = other.header
    for key in at[:-1]:
        holder = holder[key]
    how = dice.random()
    if how < 0.15:
        del holder[at[-1]]
        return f"without {at}", other.packed()
    if how < 0.25:
        if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[at[-1]]))
        else:
            holder[f"{at[-1]}x"] = copy.deepcopy(holder[at[-1]])
        return f"twice {at}", other.packed()
    holder[at[-1]] = dice.choice(WRONG)
    return f"{at} is {holder[at[-1]]!r}", other.packed()


def damaged_table(taken: Taken, dice: random.Random) -> tuple[str, bytes]:
    """An archive in which one table is another."""
    other = taken.copy()
    name = dice.choice([name for name, table in other.tables.items() if table.size])
    table = other.tables[name]
    ways: list[Callable[[], Any]] = [
        lambda: table[:-1],
        table[::-1].copy,
        lambda: np.concatenate([table, table[-1:]]),
        lambda: np.concatenate([table, table]),
        lambda: table[:0],
        lambda: one_value(table, dice),
        lambda: one_value(table, dice),
        lambda: one_value(table, dice),
        lambda: one_value(table, dice),
        lambda: one_value(table, dice),
        lambda: other_kind(table, dice),
        lambda: other.tables[dice.choice(list(other.tables))],
    ]
    way = dice.randrange(len(ways))
    other.tables[name] = ways[way]()
    return f"table {name}, way {way}", other.packed(name) if dice.random() < 0.8 else other.packed()


def one_value(table: Any, dice: random.Random) -> Any:
    """One number is another."""
    changed = table.copy()
    column = changed[dice.choice(changed.dtype.names)] if changed.dtype.names else changed.reshape(-1)
    if not column.size:
        return changed
    place = dice.randrange(column.size)
    if column.dtype.kind == "f":
        column[place] = dice.choice([np.nan, np.inf, -np.inf, -1.0, 1e300, column[place] + 1.0, -0.5 * column[place]])
    elif column.dtype.kind == "b":
        column[place] = not column[place]
    else:
        limits = np.iinfo(column.dtype)
        column[place] = dice.choice([limits.min, limits.max, 127, 100, 0, 1])
    return changed


def other_kind(table: Any, dice: random.Random) -> Any:
    """Numbers of another kind, or of other columns."""
    if table.dtype.names:
        names = list(table.dtype.names)
        kept = names[:-1] if dice.random() < 0.5 else names[1:] + names[:1]
        changed = np.zeros(table.size, [(name, table.dtype[name]) for name in kept])
        for name in kept:
            changed[name] = table[name]
        return changed
    with np.errstate(invalid="ignore"):  # damage may well not fit into an integer
        whole = np.nan_to_num(table).astype(np.int64)
    return dice.choice([table.astype(np.float32), whole, np.atleast_2d(table), table.reshape(-1)])
