"""Tables of numbers and a JSON header in one file: a zip, itself not compressed, of `header.json` and a file of Arrow for each table.

The header says of every table what its rows are made of, and has a digest of its file, so that what is damaged is found. Nothing is pickled. A table is
an array of numpy: of records, of plain numbers (in the one column `value`), or of two dimensions (a column for each place of the second).
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.records.rows import columns_of

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 3
HEADER = "header.json"
TROUBLE = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError, zipfile.BadZipFile)
"""What `unpack`, and reading what it gives, may raise of a file that is damaged or something else: pyarrow's errors are ValueErrors and KeyErrors."""


def pack(content: Mapping[str, Any], tables: Mapping[str, NDArray[Any]], compression: Literal["lz4", "zstd"] = "zstd") -> bytes:
    """The file. lz4 is for what is soon deleted again: three times as fast, and half as small."""
    files = {name: _arrow(table, compression) for name, table in tables.items()}
    described = {
        name: {"dtype": _description(table.dtype), "shape": table.shape, "sha256": hashlib.sha256(files[name]).hexdigest()} for name, table in tables.items()
    }
    header = json.dumps({"format": FORMAT, "content": content, "tables": described}, default=_plain)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(HEADER, header)
        for name, file in files.items():
            archive.writestr(_file_of(name), file)
    return whole.getvalue()


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Content and tables again, bit by bit. Raises one of TROUBLE."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        header = json.loads(archive.read(HEADER))
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            found = header.get("format") if isinstance(header, dict) else None
            raise ValueError(f"found format {found!r}, expected {FORMAT}")
        return header["content"], {name: _table(archive.read(_file_of(name)), described) for name, described in header["tables"].items()}


def _file_of(name: str) -> str:
    return f"{name}.arrow"


def _description(dtype: np.dtype[Any]) -> Any:  # noqa: ANN401 - a word, or a list of pairs
    return np.lib.format.dtype_to_descr(dtype)


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON does not know: numpy's own numbers
    return value.item()


def _arrow(table: NDArray[Any], compression: str) -> memoryview:
    import pyarrow as pa

    columns = columns_of(table) if table.dtype.names else _flat_columns(table)
    arrays = [_array(column) for column in columns.values()]
    batch = pa.RecordBatch.from_arrays(arrays, names=list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(batch)
    return memoryview(sink.getvalue())


def _array(column: NDArray[Any]) -> pa.Array:
    """Its memory as Arrow's; a truth is a whole byte. By `pa.array` it would be copied, and pandas imported."""
    import pyarrow as pa

    plain = np.ascontiguousarray(column.view(np.uint8) if column.dtype == np.bool_ else column)
    return pa.Array.from_buffers(pa.from_numpy_dtype(plain.dtype), plain.size, [None, pa.py_buffer(plain)])


def _numbers(array: pa.Array, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The column again. Raises ValueError for one of other numbers, or with gaps."""
    import pyarrow as pa

    plain = np.dtype(np.uint8) if dtype == np.bool_ else dtype
    if array.type != pa.from_numpy_dtype(plain) or array.null_count or array.offset:
        raise ValueError(f"found a column of {array.type}, expected {plain}")
    memory = array.buffers()[1] if len(array) else b""
    return np.frombuffer(memory, plain, len(array)).view(dtype)


def _flat_columns(table: NDArray[Any]) -> dict[str, NDArray[Any]]:
    if table.ndim == 1:
        return {"value": table}
    return {str(place): np.ascontiguousarray(table[:, place]) for place in range(table.shape[1])}


def _table(file: bytes, described: Mapping[str, Any]) -> NDArray[Any]:
    import pyarrow as pa

    if hashlib.sha256(file).hexdigest() != described["sha256"]:
        raise ValueError("a table is not what it was when it was written")
    with pa.ipc.open_file(pa.BufferReader(file)) as reader:
        columns = dict(zip(reader.schema.names, reader.get_batch(0).columns, strict=True))
    kind = described["dtype"]
    dtype = np.dtype(kind) if isinstance(kind, str) else np.dtype([(str(name), str(its)) for name, its in kind])
    table = np.zeros(tuple(described["shape"]), dtype)
    if dtype.names:
        for name in dtype.names:
            table[name] = _numbers(columns[name], dtype[name])
    elif table.ndim == 1:
        table[:] = _numbers(columns["value"], dtype)
    else:
        for place in range(table.shape[1]):
            table[:, place] = _numbers(columns[str(place)], dtype)
    return table
