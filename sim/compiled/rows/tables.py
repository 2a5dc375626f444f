"""Tables of rows and of numbers: how code comes to a table and its rows, and how a row is taken and given back.

    tasks = Table("tasks", Task, pool=Pool(start=1024))
    take_task = Taking(tasks)                      task = take_task(s)
    tasks(s)[task].outcome = OK

A function of the engine is handed the state (`s`) and finds every table through it. In machine code that is an
address and nothing else; in plain Python every index, type and reference is looked at. Room is nobody's business but
that of `room.py`: `take` and `append` ask for more while there is plenty, and the interpreter comes back to Python
for it between two operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np
from numba import types
from numpy.typing import NDArray

from sim.compiled.rows import machine_rows
from sim.compiled.rows.declaring import Row, adopted, parts_of, row_at

if TYPE_CHECKING:
    from sim.compiled.rows.state import State

T = TypeVar("T")
RowT = TypeVar("RowT", bound=Row)
Untyped = Any  # what numba hands over
F8, I8 = np.dtype(np.float64), np.dtype(np.int64)


class Memory:
    """The memory of one array, byte by byte, and the state that it belongs to."""

    def __init__(self, array: NDArray[Any], state: State | None) -> None:
        self.array = array
        self.bytes: memoryview = array.reshape(-1).view(np.uint8).data
        self.state = state
        self.tables: dict[str, Rows[Any]] = {}  # of the memory of a state


class Rows(Generic[T]):
    """The rows of a table from some row on, in plain Python. Each index is looked at."""

    def __init__(self, table: Table[T], memory: Memory, first: int = 0) -> None:
        self.table = table
        self.memory = memory
        self.first = first
        self.size = memory.array.size - first

    def __getitem__(self, index: int) -> T:
        at = self._at(index)
        if self.table.row is None:
            number: Any = self.memory.array.reshape(-1)[at].item()
        else:
            number = row_at(self.table.row, self.memory, at * self.table.dtype.itemsize)
        found: T = number
        return found

    def __setitem__(self, index: int, value: T) -> None:
        at, size = self._at(index), self.table.dtype.itemsize
        if isinstance(value, Row):
            self.memory.bytes[at * size : (at + 1) * size] = value._memory.bytes[value._base : value._base + size]
        elif isinstance(value, float) is not (self.table.dtype == F8):
            raise TypeError(f"{self.table.name}[{index}]: found {value!r}, expected a number of {self.table.dtype}")
        else:
            self.memory.array.reshape(-1)[at] = value

    def _at(self, index: int) -> int:
        if not 0 <= index < self.size:
            raise IndexError(f"{self.table.name}[{index}]: expected a row of {self.size}")
        return index + self.first


@dataclass(frozen=True)
class Pool:
    """Rows that are taken and given back: they stand in a list of free ones, linked by their `next`."""

    start: int  # rows in the beginning


class Account(Row):
    """What the state knows of a pool."""

    free: int  # the first free row
    left: int  # how many are free
    reserve: int  # where fewer are left, the table is to grow


class Count(Row):
    """What the state knows of rows that are appended and handed over from time to time."""

    count: int
    most: int  # where there are as many, they are to be handed over
    size: int  # for how many there is room


@dataclass
class Layout:
    """Where the state keeps what it knows of tables, in bytes; `state.py` says so when all tables are known."""

    addresses: int = 0
    accounts: int = 0
    counts: int = 0
    must_grow: int = 0


LAYOUT = Layout()
TABLES: dict[str, AnyTable] = {}
POOLS: list[AnyTable] = []
BUFFERS: list[AnyTable] = []


class Table(Generic[T]):
    """One table of a run. `table(s)` are its rows.

    `width`, `counted`: fields of the state that hold how long a line of it is, and how many rows; `beside`: it has a
    row for each of that table.
    """

    @overload
    def __init__(
        self: Table[RowT],
        name: str,
        row: type[RowT],
        *,
        pool: Pool | None = None,
        beside: AnyTable | None = None,
        buffer: bool = False,
        counted: str = "",
        width: str = "",
    ) -> None: ...
    @overload
    def __init__(
        self: Table[int], name: str, row: type[int], *, width: str = "", beside: AnyTable | None = None
    ) -> None: ...
    @overload
    def __init__(self: Table[float], name: str, row: type[float], *, width: str = "", counted: str = "") -> None: ...
    @overload
    def __init__(self: Table[T], name: str, row: type[T], *, dtype: np.dtype[Any], counted: str = "") -> None: ...
    def __init__(
        self,
        name: str,
        row: type[Any],
        *,
        pool: Pool | None = None,
        beside: AnyTable | None = None,
        buffer: bool = False,
        counted: str = "",
        width: str = "",
        dtype: np.dtype[Any] | None = None,
    ) -> None:
        self.name = name
        self.row, self.dtype = _kind_of(row, dtype)
        self.pool, self.beside, self.buffer, self.counted, self.width = pool, beside, buffer, counted, width
        self.place = len(TABLES)
        TABLES[name] = self
        if self.row is not None and issubclass(self.row, Row) and self.row.table is None:
            self.row.table = self
        for kept, there in ((POOLS, pool is not None), (BUFFERS, buffer)):
            if there:
                kept.append(self)
        machine_rows.known_to_numba(name, self, self._in_machine_code)

    def __call__(self, s: State) -> Rows[T]:
        """The rows, for plain Python."""
        found: Rows[T] = s.tables[self.name]
        return found

    def array(self, s: State) -> NDArray[Any]:
        """The array itself, for whoever looks at a whole column."""
        return s.tables[self.name].memory.array

    def zeros(self, count: int) -> NDArray[Any]:
        """So many rows as they are in the beginning."""
        if self.row is not None and issubclass(self.row, Row):
            return self.row.zeros(count)
        return np.zeros(count, self.dtype)

    def account(self, s: State) -> Account:
        """What is free of a pool."""
        return row_at(Account, s._memory, self.account_offset)

    def count(self, s: State) -> Count:
        """How many rows have been appended."""
        return row_at(Count, s._memory, self.count_offset)

    @property
    def account_offset(self) -> int:
        """Where the state keeps the account of this pool, in bytes."""
        return LAYOUT.accounts + Account.dtype.itemsize * POOLS.index(self)

    @property
    def count_offset(self) -> int:
        """Where the state keeps the count of this buffer, in bytes."""
        return LAYOUT.counts + Count.dtype.itemsize * BUFFERS.index(self)

    @property
    def address_offset(self) -> int:
        """Where the state keeps the address of this table, in bytes."""
        return LAYOUT.addresses + 8 * self.place

    def _in_machine_code(self, _typing: Untyped, record: Untyped) -> Untyped:
        offset = self.address_offset

        def generate(_context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
            return machine_rows.rows_at(builder, args[0], offset)

        return machine_rows.rows_type(self.dtype)(record), generate


AnyTable = Table[Any]


def _kind_of(row: type[Any], dtype: np.dtype[Any] | None) -> tuple[type[Any] | None, np.dtype[Any]]:
    """The row class and the record of a table; no class where it holds numbers."""
    if dtype is not None:
        return adopted(row.__name__, dtype), dtype
    if issubclass(row, Row):
        return row, row.dtype
    return None, F8 if row is float else I8


class View(Table[RowT]):
    """The rows of another table as rows of a kind that shares it: operations have the operands of their kind."""

    def __init__(self, table: AnyTable, row: type[RowT]) -> None:
        self.viewed = table
        self.name, self.row, self.dtype = table.name, row, row.dtype
        if row.dtype.itemsize != table.dtype.itemsize:
            raise TypeError(f"{row.__name__}: a row of {row.dtype.itemsize} bytes in a table of {table.dtype.itemsize}")
        if row.table is None:
            row.table = self
        machine_rows.known_to_numba(f"{table.name}_{row.__name__}", self, self._in_machine_code)

    def __call__(self, s: State) -> Rows[RowT]:
        """The rows, for plain Python."""
        return Rows(self, s.tables[self.name].memory)

    @property
    def address_offset(self) -> int:
        """That of the table."""
        return self.viewed.address_offset


class Words(Table[int]):
    """The rows of another table, all of whole numbers, as these numbers one after the other."""

    def __init__(self, table: AnyTable) -> None:
        self.viewed = table
        self.name, self.row, self.dtype = table.name, None, I8
        machine_rows.known_to_numba(f"words_of_{table.name}", self, self._in_machine_code)

    def __call__(self, s: State) -> Rows[int]:
        """The numbers, for plain Python."""
        return Rows(self, Memory(s.tables[self.name].memory.array.reshape(-1).view(np.int64), s))

    @property
    def address_offset(self) -> int:
        """That of the table."""
        return self.viewed.address_offset


class Taking:
    """`take(s)`: the place of a free row of a pool, with what its last owner left in it."""

    def __init__(self, table: AnyTable) -> None:
        self.table = table
        machine_rows.known_to_numba(f"take_{table.name}", self, self._in_machine_code)

    def __call__(self, s: State) -> int:
        """The same in plain Python."""
        account = self.table.account(s)
        new = account.free
        if new < 0:
            raise RuntimeError(_none_free(self.table))
        account.free = self.table(s)[new].next
        account.left -= 1
        if account.left < account.reserve:
            s.must_grow = True
        return new

    def _in_machine_code(self, _typing: Untyped, record: Untyped) -> Untyped:
        pool, words = _pool_of(self.table), _none_free(self.table)

        def generate(context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
            return machine_rows.taken(context, builder, args[0], pool, words)

        return types.int64(record), generate


class Returning:
    """`give_back(s, row)`: the row is free."""

    def __init__(self, table: AnyTable) -> None:
        self.table = table
        machine_rows.known_to_numba(f"give_back_{table.name}", self, self._in_machine_code)

    def __call__(self, s: State, row: int) -> None:
        """The same in plain Python."""
        ReturningChain.give_back(self.table, s, row, row, 1)

    def _in_machine_code(self, _typing: Untyped, record: Untyped, _row: Untyped) -> Untyped:
        pool = _pool_of(self.table)

        def generate(context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
            machine_rows.given_back(builder, args[0], pool, args[1], args[1], machine_rows.ONE)
            return context.get_dummy_value()

        return types.none(record, types.int64), generate


class ReturningChain:
    """`give_back(s, first, last, count)`: so many rows, linked from the first to the last, are free."""

    def __init__(self, table: AnyTable) -> None:
        self.table = table
        machine_rows.known_to_numba(f"give_back_chain_{table.name}", self, self._in_machine_code)

    def __call__(self, s: State, first: int, last: int, count: int) -> None:
        """The same in plain Python."""
        self.give_back(self.table, s, first, last, count)

    @staticmethod
    def give_back(table: AnyTable, s: State, first: int, last: int, count: int) -> None:
        """The same of any table."""
        account = table.account(s)
        table(s)[last].next = account.free
        account.free = first
        account.left += count

    def _in_machine_code(
        self, _typing: Untyped, record: Untyped, _first: Untyped, _last: Untyped, _count: Untyped
    ) -> Untyped:
        pool = _pool_of(self.table)

        def generate(context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
            machine_rows.given_back(builder, args[0], pool, *args[1:])
            return context.get_dummy_value()

        return types.none(record, types.int64, types.int64, types.int64), generate


class Appending:
    """`append(s)`: the place behind the last of rows that are handed over from time to time."""

    def __init__(self, table: AnyTable) -> None:
        self.table = table
        machine_rows.known_to_numba(f"append_{table.name}", self, self._in_machine_code)

    def __call__(self, s: State) -> int:
        """The same in plain Python."""
        own = self.table.count(s)
        if own.count >= own.size:
            raise RuntimeError(_no_room(self.table))
        own.count += 1
        if own.count >= own.most:
            s.must_grow = True
        return own.count - 1

    def _in_machine_code(self, _typing: Untyped, record: Untyped) -> Untyped:
        table, words = self.table, _no_room(self.table)
        buffer = _At(table.count_offset, table.address_offset, 0, 0, LAYOUT.must_grow)

        def generate(context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
            return machine_rows.appended(context, builder, args[0], buffer, words)

        return types.int64(record), generate


@dataclass(frozen=True)
class _At:
    """Where machine code finds what it asks of a table, in bytes."""

    offset: int  # of its account or count, in the state
    address: int  # likewise
    size: int  # of a row
    next: int  # within a row
    must_grow: int  # in the state


def _pool_of(table: AnyTable) -> _At:
    _, link = parts_of(table.dtype)["next"]
    return _At(table.account_offset, table.address_offset, table.dtype.itemsize, link, LAYOUT.must_grow)


def _none_free(table: AnyTable) -> str:
    return f"one operation took more rows of {table.name} than are kept free for it: see room.py"


def _no_room(table: AnyTable) -> str:
    return f"one operation wrote more rows of {table.name} than there is room for: see room.py"


class _RowsFrom:
    """`rows_from(rows, first)`: the rows from the n-th on, as a table that begins there."""

    def __init__(self) -> None:
        machine_rows.known_to_numba("rows_from", self, self._in_machine_code)

    def __call__(self, rows: Rows[T], first: int) -> Rows[T]:
        """The same in plain Python."""
        return Rows(rows.table, rows.memory, rows.first + first)

    def _in_machine_code(self, _typing: Untyped, rows: Untyped, _first: Untyped) -> Untyped:
        def generate(_context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
            return machine_rows._place(builder, rows.size, *args)

        return rows(rows, types.int64), generate


rows_from = _RowsFrom()
