"""Columns are what a frame of pandas is made of, and have the same means."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from sim.records.columns import Columns, mean_of

numbers = st.one_of(st.floats(-1e9, 1e9), st.just(np.nan), st.just(np.inf))


def test_a_frame_comes_back_as_it_was():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b (c)": [np.nan, 3.0]}, index=pd.Index([0.0, 5.0], name="time"))
    pd.testing.assert_frame_equal(Columns.of(frame).frame(), frame)
    assert Columns.of(frame).only(["b (c)"]).frame().columns.tolist() == ["b (c)"]
    assert len(Columns.of(frame)) == 2
    assert Columns().frame().empty


@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=2, max_size=8))
def test_the_mean_is_that_of_pandas_to_the_last_bit(rows):
    parts = [Columns(np.arange(3.0), {"a": np.array(row)}, "time") for row in rows]
    expected = pd.concat([part.frame() for part in parts]).groupby(level=0).mean()
    pd.testing.assert_frame_equal(mean_of(parts).frame(), expected, check_exact=True)


def test_the_mean_of_one_is_itself():
    only = Columns(np.arange(3.0), {"a": np.ones(3)})
    assert mean_of([only]) is only
