"""One table of numbers as a compressed file of Arrow, and back: read only once its form and its sizes are those
expected.

pyarrow makes as much memory as a compressed column says that it needs, whatever the schema says: a file of a kilobyte
could fill it. What its one batch says of its columns is therefore read here first: a table of FlatBuffers, in the
layout that Arrow's `Message.fbs` describes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.experiments.running.decoding import DamagedError
from sim.records.rows import columns_of

if TYPE_CHECKING:
    import pyarrow as pa

_MAGIC = b"ARROW1\0\0"
_LENGTH, _BUFFERS, _COMPRESSION = 0, 2, 3  # fields of a RecordBatch
_HEADER = 2  # field of a Message


class Form(NamedTuple):
    """What a table is made of."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        return self.dtype.itemsize * int(np.prod(self.shape, dtype=object))

    @property
    def columns(self) -> dict[str, np.dtype[Any]]:
        """The columns of the file and the kind of each."""
        if self.dtype.names:
            return {name: self.dtype[name] for name in self.dtype.names}
        return (
            {"value": self.dtype}
            if len(self.shape) == 1
            else {str(place): self.dtype for place in range(self.shape[1])}
        )


def arrow(table: NDArray[Any], compression: str) -> memoryview:
    """The file: a column for each field of records, `value` for plain numbers, one for each place of two dimensions."""
    import pyarrow as pa

    columns = columns_of(table) if table.dtype.names else _flat_columns(table)
    batch = pa.RecordBatch.from_arrays([_array(column) for column in columns.values()], names=list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(batch)
    return memoryview(sink.getvalue())


def table_of(file: bytes, form: Form) -> NDArray[Any]:
    """The table again. Raises DamagedError, or what pyarrow raises, for one of another form."""
    import pyarrow as pa

    batch = _batch(pa.py_buffer(file), form)
    table = np.zeros(form.shape, form.dtype)
    for place, (name, dtype) in enumerate(form.columns.items()):
        numbers = _numbers(batch.column(place), dtype, name)
        if form.dtype.names:
            table[name] = numbers
        elif table.ndim == 1:
            table[:] = numbers
        else:
            table[:, place] = numbers
    return table


def _batch(file: pa.Buffer, form: Form) -> pa.RecordBatch:
    """The one batch, of these columns and rows."""
    import pyarrow as pa

    if bytes(file[: len(_MAGIC)]) != _MAGIC:
        raise DamagedError("found something else, expected a file of Arrow")
    reader = pa.ipc.MessageReader.open_stream(pa.BufferReader(file.slice(len(_MAGIC))))
    schema, body = reader.read_next_message(), reader.read_next_message()
    expected = pa.schema([(name, pa.from_numpy_dtype(_stored(dtype))) for name, dtype in form.columns.items()])
    found = pa.ipc.read_schema(schema)
    if not found.equals(expected, check_metadata=True):
        raise DamagedError(f"found columns {_shortly(found)}, expected {_shortly(expected)}")
    if body.type != "record batch":
        raise DamagedError(f"found a {body.type}, expected the rows")
    rows = form.shape[0] if form.columns else 0
    _refuse_other_sizes(
        body.metadata.to_pybytes(), body.body, [rows * dtype.itemsize for dtype in form.columns.values()], rows
    )
    return pa.ipc.read_record_batch(body, found)


def _refuse_other_sizes(described: bytes, body: pa.Buffer | None, sizes: list[int], rows: int) -> None:
    """Columns of another length, with gaps, or that need more memory than they have numbers."""
    message = _Table.root(described).table(_HEADER)
    if (found := message.whole(_LENGTH)) != rows:
        raise DamagedError(f"found {found} rows, expected {rows}")
    buffers = message.pairs(_BUFFERS)
    if len(buffers) != 2 * len(sizes) or any(length for _, length in buffers[::2]):
        raise DamagedError("found columns with gaps, expected a number in every row")
    compressed = message.has(_COMPRESSION)
    for size, (offset, length) in zip(sizes, buffers[1::2], strict=True):
        needed = length
        if compressed and length:
            if body is None or not 0 <= offset <= body.size - 8:
                raise DamagedError("found a column outside of the file")
            (needed,) = struct.unpack_from("<q", body, offset)
            needed = length - 8 if needed == -1 else needed  # kept as it is, since it would not shrink
        if needed != size:
            raise DamagedError(f"found a column of {needed} bytes, expected {size}")


class _Table(NamedTuple):
    """A table of FlatBuffers: a list of offsets to its fields, some of which may be absent."""

    data: bytes
    at: int

    @classmethod
    def root(cls, data: bytes) -> _Table:
        return cls(data, *struct.unpack_from("<I", data))

    def field(self, number: int) -> int:
        """Where a field stands; 0 where it is absent."""
        fields = self.at - struct.unpack_from("<i", self.data, self.at)[0]
        place = 4 + 2 * number
        if fields < 0 or place >= struct.unpack_from("<H", self.data, fields)[0]:
            return 0
        offset: int = struct.unpack_from("<H", self.data, fields + place)[0]
        return self.at + offset if offset else 0

    def has(self, number: int) -> bool:
        return self.field(number) != 0

    def whole(self, number: int) -> int:
        """A whole number of 64 bits."""
        at = self.field(number)
        return int(struct.unpack_from("<q", self.data, at)[0]) if at else 0

    def table(self, number: int) -> _Table:
        at = self.field(number)
        return _Table(self.data, at + struct.unpack_from("<I", self.data, at)[0])

    def pairs(self, number: int) -> list[tuple[int, int]]:
        """A list of pairs of whole numbers."""
        at = self.field(number)
        if not at:
            return []
        at += struct.unpack_from("<I", self.data, at)[0]
        (count,) = struct.unpack_from("<I", self.data, at)
        return list(struct.iter_unpack("<qq", self.data[at + 4 : at + 4 + 16 * count]))


def _stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A truth is a whole byte."""
    return np.dtype(np.uint8) if dtype == np.bool_ else dtype


def _array(column: NDArray[Any]) -> pa.Array:
    """Its memory as Arrow's. By `pa.array` it would be copied, and pandas imported."""
    import pyarrow as pa

    plain = np.ascontiguousarray(column.view(_stored(column.dtype)))
    return pa.Array.from_buffers(pa.from_numpy_dtype(plain.dtype), plain.size, [None, pa.py_buffer(plain)])


def _numbers(array: pa.Array, dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    """The column again."""
    memory = array.buffers()[1] if len(array) else b""
    numbers = np.frombuffer(memory, _stored(dtype), len(array))
    if dtype == np.bool_ and numbers.size and numbers.max() > 1:
        raise DamagedError(f"{name}: found {numbers.max()}, expected 0 or 1")
    return numbers.view(dtype)


def _flat_columns(table: NDArray[Any]) -> dict[str, NDArray[Any]]:
    if table.ndim == 1:
        return {"value": table}
    return {str(place): np.ascontiguousarray(table[:, place]) for place in range(table.shape[1])}


def _shortly(schema: pa.Schema) -> str:
    words = ", ".join(f"{name} ({kind})" for name, kind in zip(schema.names, schema.types, strict=True))
    return words if len(words) <= 200 else f"{words[:200]}..."
