"""An archive gives back every table to the last bit, in files that anybody can read."""

import io
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from sim.experiments.running.archive import pack, unpack
from sim.records.tables import REQUEST


def some_rows(count):
    dice = np.random.default_rng(3)
    rows = np.zeros(count, REQUEST)
    for name in REQUEST.names:
        rows[name] = (
            dice.integers(0, 2, count)
            if REQUEST[name] == np.bool_
            else dice.normal(0, 100, count).astype(REQUEST[name])
        )
    rows["end"][::7] = np.nan
    rows["effects"] = np.iinfo(np.uint64).max - np.arange(count, dtype=np.uint64)
    return rows


TABLES = {
    "rows": some_rows(5000),  # more than a block of them
    "none": np.zeros(0, REQUEST),
    "numbers": np.array([1.0, np.nan, -0.0, np.inf]),
    "counts": np.arange(5, dtype=np.int32),
    "grid": np.arange(12.0).reshape(4, 3),
    "no columns": np.empty((3, 0)),
}


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_everything_comes_back_bit_by_bit(compression):
    content = {"a": [1, "two", None], "infinite": float("inf"), "own": np.float64(0.1)}
    words, tables = unpack(pack(content, TABLES, compression), 2**20)
    assert words == {"a": [1, "two", None], "infinite": float("inf"), "own": 0.1}
    assert list(tables) == list(TABLES)
    for name, table in TABLES.items():
        assert (tables[name].dtype, tables[name].shape, tables[name].tobytes()) == (
            table.dtype,
            table.shape,
            table.tobytes(),
        ), name


def test_a_table_is_a_compressed_file_of_arrow_that_others_can_read():
    with zipfile.ZipFile(io.BytesIO(pack({}, TABLES))) as archive:
        assert all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
        table = pa.ipc.open_file(archive.read("rows.arrow")).read_all()
    assert table.column_names == list(REQUEST.names)
    assert table["arrival"].to_pylist() == TABLES["rows"]["arrival"].tolist()
    assert len(pack({}, {"grid": np.zeros((100_000, 3))})) < 100_000
