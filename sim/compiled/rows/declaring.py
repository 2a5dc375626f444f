"""Rows, declared once: a class with typed fields for each kind of row.

    class Guard(Row):
        spent: float
        breaker: Perhaps[Breaker]     the place of a row of another table, or -1: of none
        first: Perhaps[Task]

From the declaration come the record that machine code reads and writes, the initial values (numbers are 0, what may
be nobody is -1), what mypy knows, and the checks of the plain engine. A row in plain Python is a place in the memory
of a table: its fields are read and written there, and a value of another type, or the place of a row that its table
does not have, is refused.

An int is an int64, a float a float64, a bool a byte; a row is as long as makes it lie in as few cache lines as it
can. `Adopted` rows have a record type that stands elsewhere
(policies, chance, the records).
"""

from __future__ import annotations

import inspect
import math
import re
import struct
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sim.compiled.rows.tables import AnyTable, Memory

T = TypeVar("T")
Untyped = Any  # what a declaration is told beside its fields: `size`, `adopted`
R = TypeVar("R", bound="Row")

CACHE_LINE = 64  # bytes
NOBODY = -1
"""In the place of a row: there is none."""
ITS_REQUEST = -2
"""In the place of a caller: the request itself waits for the answer, and no task."""


class Reference(Generic[T]):
    """The place of a row of another table: a whole number.

    mypy takes it for that, and the plain engine knows of which table.
    """

    if TYPE_CHECKING:

        @overload
        def __get__(self, row: None, owner: type) -> Reference[T]: ...
        @overload
        def __get__(self, row: object, owner: type) -> int: ...
        def __get__(self, row: object, owner: type) -> Reference[T] | int: ...
        def __set__(self, row: object, value: int) -> None: ...


class Perhaps(Reference[T]):
    """The same, or NOBODY."""


class Caller(Perhaps[T]):
    """The same, or ITS_REQUEST."""


class Ring(Reference[float]):
    """Where the ring of a policy begins in the table of all rings: flows hand on the numbers from there on."""


Fixed = Annotated[T, "never written again once the row is in use"]
"""What flows rely on across a wait, and may not write."""

LOWEST = {"Reference": 0, "Perhaps": NOBODY, "Caller": ITS_REQUEST}
FORMATS = {"int": "i8", "float": "f8", "bool": "?", "Key": "u8"}
# of `struct`, by numpy's names
LETTERS = {
    "i8": "q",
    "i4": "i",
    "i2": "h",
    "i1": "b",
    "u8": "Q",
    "u1": "B",
    "f8": "d",
    "b1": "?",
}
_ANNOTATION = re.compile(r"(?:ClassVar.*)|(\w+)(?:\[(\w+)\])?")
_FIXED = re.compile(r"Fixed\[(.*)\]")


class Field:
    """One field of one kind of row: its type, where it lies, and how plain Python reads and writes it."""

    def __init__(self, name: str, kind: str, about: str | None) -> None:
        self.name = name
        self.kind = kind  # int, float, bool, Key, Reference, Perhaps, Caller
        self.about = about  # the row class that a reference is about
        self.offset = 0
        self.format = FORMATS.get(kind, "i8")
        self.whole = kind != "float"
        self.fixed = False  # never written again once the row is in use

    def lie_at(self, offset: int, dtype: np.dtype[Any]) -> None:
        """Where it lies in its record, and in which form."""
        self.offset = offset
        self.format = LETTERS[dtype.str[1:]]
        self._struct = struct.Struct(f"<{self.format}")

    def __get__(self, row: Any, owner: type) -> Any:  # noqa: ANN401 - a number of the declared type
        if row is None:
            return self
        return self._struct.unpack_from(row._memory.bytes, row._base + self.offset)[0]

    def __set__(self, row: Any, value: Any) -> None:  # noqa: ANN401 - likewise
        if self.whole:
            self._check_whole(row, value)
        elif not isinstance(value, float):
            raise TypeError(f"{type(row).__name__}.{self.name}: found {value!r}, expected a float")
        try:
            self._struct.pack_into(row._memory.bytes, row._base + self.offset, value)
        except struct.error as error:
            raise TypeError(
                f"{type(row).__name__}.{self.name}: found {value!r}, expected {self.kind}: {error}"
            ) from error

    def _check_whole(self, row: Any, value: Any) -> None:  # noqa: ANN401 - likewise
        if self.format == "?" and not isinstance(value, bool | np.bool_):
            raise TypeError(f"{type(row).__name__}.{self.name}: found {value!r}, expected a bool")
        lowest = LOWEST.get(self.kind)
        if lowest is None or row._memory.state is None:
            return
        table = Row.row_kinds[self.about or ""].table
        size = row._memory.state.size_of(table) if table is not None else value + 1
        if not lowest <= value < size:
            raise IndexError(
                f"{type(row).__name__}.{self.name}: found {value}, expected a row of {self.about}, of {size}"
            )


class RowType(type):
    """Makes a record of the annotations of a row class. Nothing else can be set on a row."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **options: Untyped) -> RowType:
        """A row class, from its annotations."""
        made = super().__new__(cls, name, bases, {"__slots__": (), **body})
        row: Any = made
        if bases:
            row.declare(**options)
        return made

    def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **_options: Untyped) -> None:
        super().__init__(name, bases, body)


class Row(metaclass=RowType):
    """Base of the declarations; an object of such a class is one row, in its place."""

    __slots__ = ("_base", "_memory")

    row_kinds: ClassVar[dict[str, type[Row]]] = {}
    fields: ClassVar[dict[str, Field]] = {}
    dtype: ClassVar[np.dtype[Any]] = np.dtype([])
    table: ClassVar[AnyTable | None] = None  # where references to such a row lead

    _memory: Memory
    _base: int

    @classmethod
    def declare(cls, size: int = 0, adopted: np.dtype[Any] | None = None, fixed: bool = False) -> None:
        """Read the annotations.

        `size`: bytes, for kinds of rows that share a table; `adopted`: a record type that stands elsewhere; `fixed`:
        all of its fields are.
        """
        cls.table = None
        own = inspect.get_annotations(cls)
        cls.fields = {
            **cls.fields,
            **{name: field for name, text in own.items() if (field := _field(name, text)) is not None},
        }
        known = cls.row_kinds.get(cls.__name__, cls)
        if known.__module__ != cls.__module__ and known.__module__.startswith("sim."):
            raise TypeError(
                f"{cls.__name__}: found a kind of row that {known.__module__} declares, expected a name of its own; "
                "references are told apart by it"
            )
        cls.row_kinds[cls.__name__] = cls
        if adopted is None:
            adopted = _padded(np.dtype([(name, _dtype(field)) for name, field in cls.fields.items()], align=True), size)
        elif set(adopted.names or ()) != set(cls.fields):
            raise TypeError(
                f"{cls.__name__} declares {sorted(cls.fields)}, the record type has {sorted(adopted.names or ())}"
            )
        cls.dtype = adopted
        for name, field in cls.fields.items():
            dtype, offset = parts_of(adopted)[name]
            copy = Field(name, field.kind, field.about)
            copy.fixed = fixed or field.fixed
            if dtype.names is None:
                copy.lie_at(offset, dtype)
                setattr(cls, name, copy)
            else:
                setattr(cls, name, Part(Row.row_kinds[field.kind], offset))
            cls.fields[name] = copy

    @classmethod
    def zeros(cls, count: int) -> NDArray[np.void]:
        """So many rows as they are in the beginning: numbers are 0, what may be nobody is."""
        array = aligned_zeros(count, cls.dtype)
        for name, field in cls.fields.items():
            if field.kind in ("Perhaps", "Caller"):
                array[name] = NOBODY
            elif field.kind in cls.row_kinds:
                array[name] = cls.row_kinds[field.kind].zeros(1)
        return array


class Part:
    """A record within a record."""

    def __init__(self, row: type[Row], offset: int) -> None:
        self.row, self.offset = row, offset

    def __get__(self, row: Any, owner: type) -> Any:  # noqa: ANN401 - a row of the declared class
        return self if row is None else row_at(self.row, row._memory, row._base + self.offset)


def row_at(kind: type[R], memory: Memory, base: int) -> R:
    """The row that begins at this byte of a memory."""
    row = kind.__new__(kind)
    row._memory = memory
    row._base = base
    return row


def _field(name: str, annotation: str) -> Field | None:
    fixed = _FIXED.fullmatch(annotation)
    found = _ANNOTATION.fullmatch(fixed[1] if fixed else annotation)
    if found is None or found[1] is None:
        return None
    field = Field(name, found[1], found[2])
    field.fixed = fixed is not None
    return field


def _dtype(field: Field) -> np.dtype[Any]:
    return Row.row_kinds[field.kind].dtype if field.kind in Row.row_kinds else np.dtype(field.format)


def _padded(natural: np.dtype[Any], size: int) -> np.dtype[Any]:
    if natural.names is None:
        return natural
    size = size or _in_lines(natural.itemsize)
    if natural.itemsize > size:
        raise TypeError(f"a row of {natural.itemsize} bytes, expected {size} at most: {natural.names}")
    parts = parts_of(natural)
    formats = [dtype for dtype, _ in parts.values()]
    offsets = [offset for _, offset in parts.values()]
    return np.dtype({"names": list(parts), "formats": formats, "offsets": offsets, "itemsize": size}, align=True)


def _in_lines(size: int) -> int:
    """The size with which rows of a table that begins with a cache line lie in as few of them as they can."""
    part = CACHE_LINE
    while part >= 2 * size > 0:
        part //= 2
    return -(-size // part) * part


def aligned_zeros(shape: int | tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """As `np.zeros`, from the beginning of a cache line on."""
    count = math.prod(shape) if isinstance(shape, tuple) else shape
    return aligned(np.zeros(count * dtype.itemsize + CACHE_LINE, np.uint8), shape, dtype)


def aligned(room: NDArray[np.uint8], shape: int | tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array in some memory, which is a cache line longer, from the beginning of a cache line on."""
    count = math.prod(shape) if isinstance(shape, tuple) else shape
    begin = -room.ctypes.data % CACHE_LINE
    return room[begin : begin + count * dtype.itemsize].view(dtype).reshape(shape)


def parts_of(dtype: np.dtype[Any]) -> dict[str, tuple[np.dtype[Any], int]]:
    """The fields of a record, in their order: the type of each, and where it begins."""
    fields: Any = dtype.fields or {}
    return {name: fields[name][:2] for name in dtype.names or ()}


def adopted(name: str, dtype: np.dtype[Any]) -> type[Row]:
    """A row class of a record type that stands elsewhere, for plain Python."""
    kinds = {"f": "float", "b": "bool", "u": "Key"}
    annotations = {field: kinds.get(dtype[field].kind, "int") for field in dtype.names or ()}
    made: Any = RowType(name, (Row,), {"__annotations__": annotations}, adopted=dtype)
    row: type[Row] = made
    return row
