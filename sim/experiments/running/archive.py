"""Tables of numbers and a JSON header in one file: a zip, itself not compressed, of `header.json` and a file of Arrow
for each table.

The header says of every table what its rows are made of, and has a digest of its file, so that what is damaged is
found. Nothing is pickled, and nothing is believed: the whole is bounded in memory, members are those that the header
names, and tables have the form that it says. A table is an array of numpy: of records, of plain numbers, or of two
dimensions.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.experiments.running.arrow import Form, arrow, table_of
from sim.experiments.running.decoding import DamagedError, decoded
from sim.files import json_of
from sim.units import shown

FORMAT = 5
HEADER = "header.json"
TROUBLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    struct.error,
)
"""What `unpack`, and reading what it gives, may raise of a file that is damaged or something else: some of it is raised
by pyarrow and zipfile.
"""

_MOST_TABLES = 100_000  # some thirty for each variant
_DIRECTORY = b"PK\x01\x02"  # what the zip says of a member begins so
_KIND = re.compile(r"[<|]?(?:[iu][1248]|f[48]|b1|\?)")


@dataclass(frozen=True)
class _Described:
    """What the header says of a table."""

    dtype: Any
    shape: tuple[int, ...]
    sha256: str


def pack(
    content: Mapping[str, Any], tables: Mapping[str, NDArray[Any]], compression: Literal["lz4", "zstd"] = "zstd"
) -> bytes:
    """The file. lz4 is for what is soon deleted again: three times as fast, and half as small."""
    files = {name: arrow(table, compression) for name, table in tables.items()}
    described = {
        name: {
            "dtype": _description(table.dtype),
            "shape": table.shape,
            "sha256": hashlib.sha256(files[name]).hexdigest(),
        }
        for name, table in tables.items()
    }
    header = json.dumps({"format": FORMAT, "content": content, "tables": described}, default=_plain)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(HEADER, header)
        for name, file in files.items():
            archive.writestr(_file_of(name), file)
    return whole.getvalue()


def unpack(data: bytes, most: int) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Content and tables again, bit by bit, in about `most` bytes of memory at most. Raises one of TROUBLE."""
    if data.count(_DIRECTORY) > _MOST_TABLES:
        raise DamagedError(f"found more than {_MOST_TABLES:,} files in it")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [member.filename for member in archive.infolist()]
        if HEADER not in names:
            raise DamagedError(f"found no {HEADER}")
        _refuse_packed(archive)
        header = json_of(archive.read(HEADER), most)
        found = header.get("format") if isinstance(header, dict) else None
        if found != FORMAT:
            raise DamagedError(f"found format {shown(found)}, expected {FORMAT}")
        described: dict[str, _Described] = decoded(dict[str, _Described], header.get("tables"), "tables")
        forms = {name: _form(its, name) for name, its in described.items()}
        _refuse_other_members(names, [HEADER, *map(_file_of, forms)])
        if (needed := sum(form.nbytes for form in forms.values())) > most:
            raise DamagedError(f"found tables of {needed / 2**20:,.0f} MiB, expected at most {most / 2**20:,.0f} MiB")
        tables = {
            name: _table(archive.read(_file_of(name)), form, described[name].sha256, name)
            for name, form in forms.items()
        }
        return decoded(dict[str, Any], header.get("content"), "content"), tables


def _refuse_packed(archive: zipfile.ZipFile) -> None:
    """Members that are compressed a second time, or in a way of their own: ours are not, and so none is larger than the
    file.
    """
    for member in archive.infolist():
        if (
            member.compress_type != zipfile.ZIP_STORED
            or member.file_size != member.compress_size
            or member.flag_bits & 1
        ):
            raise DamagedError(f"{member.filename[:100]}: found a compressed or encrypted file, expected a plain one")


def _refuse_other_members(found: list[str], expected: list[str]) -> None:
    """Files that are missing, there twice, or of other names."""
    there, wanted = Counter(found), Counter(expected)
    if there != wanted:
        wrong = next(iter((wanted - there) | (there - wanted)))
        raise DamagedError(f"{shown(wrong)}: is missing in it, there twice, or of no table")


def _form(described: _Described, name: str) -> Form:
    """The form of a table, of numbers alone and of one or two dimensions."""
    kind, shape = described.dtype, described.shape
    if isinstance(kind, list):
        fields = decoded(list[tuple[str, str]], kind, f"tables.{name}.dtype")
        kinds = [its for _, its in fields]
        known = 0 < len({field for field, _ in fields}) == len(fields) <= 100 and all(field for field, _ in fields)
    else:
        fields, kinds, known = kind, [kind], True
    known = known and all(isinstance(its, str) and _KIND.fullmatch(its) for its in kinds)
    if (
        not known
        or len(shape) not in (1, 2)
        or (len(shape) == 2 and isinstance(kind, list))
        or min(shape) < 0
        or max(shape) >= 2**48
    ):
        raise DamagedError(
            f"tables.{name}: found {shown(kind)} of shape {shown(list(shape))}, expected numbers of one or two "
            "dimensions"
        )
    return Form(np.dtype(fields), shape)


def _table(file: bytes, form: Form, digest: str, name: str) -> NDArray[Any]:
    if hashlib.sha256(file).hexdigest() != digest:
        raise DamagedError(f"{name}: is not what it was when it was written")
    try:
        return table_of(file, form)
    except StopIteration:
        raise DamagedError(f"{name}: found no rows") from None
    except DamagedError as error:
        raise DamagedError(f"{name}: {error}") from None


def _file_of(name: str) -> str:
    return f"{name}.arrow"


def _description(dtype: np.dtype[Any]) -> Any:  # noqa: ANN401 - a word, or a list of pairs
    return np.lib.format.dtype_to_descr(dtype)


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON does not know: numpy's own numbers
    return value.item()
