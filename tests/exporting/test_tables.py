"""Requests and messages as tables: read again, they are what happened."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from sim.errors import UsageError
from sim.exporting import tables
from tests.exporting.runs import CALLS, EVENTS, exported


def test_csv_has_a_row_for_each_request():
    frame = pd.read_csv(io.StringIO(tables.csv(exported(CALLS, traced=False, every=True))))
    assert list(frame["variant"]) == ["base", "base"]
    assert frame["arrival"].tolist() == pytest.approx([1.0, 2.0])
    assert frame["response"].tolist() == pytest.approx([0.17, 0.17])
    assert frame["outcome"].tolist() == ["ok", "ok"]
    assert frame["completion"].isna().all()


def test_parquet_of_messages_says_who_processed_them():
    frame = pd.read_parquet(io.BytesIO(tables.parquet(exported(EVENTS, traced=False, every=True, table="messages"))))
    assert frame["topic"].tolist() == ["orders", "orders"]
    assert frame["group"].tolist() == ["tills", "tills"]
    assert frame["how"].tolist() == ["processed", "processed"]
    assert (frame["end"] - frame["published"]).tolist() == pytest.approx([0.205, 0.205])


def test_a_table_that_is_none_is_told_with_the_nearest():
    with pytest.raises(UsageError, match="unknown table 'message'; did you mean 'messages'"):
        tables.csv(exported(CALLS, traced=False, table="message"))


def test_a_summary_has_no_rows():
    with pytest.raises(UsageError, match="expected record: rows"):
        tables.csv(exported(CALLS + "record: summary\n", traced=False))
