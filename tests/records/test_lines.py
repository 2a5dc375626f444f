"""Places among lines found by a table: always what a search finds, on a line, beside it, and for what never happened."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.records.lines import on_axis, on_ladder
from sim.records.summary import Plan

moments = st.lists(st.floats(0, 600), min_size=1, max_size=30)


def around(lines, more):
    """On every line, a hair to both sides, and anywhere."""
    return np.concatenate(
        [lines, np.nextafter(lines, np.inf), np.nextafter(lines, -np.inf), more, [np.nan, 0.0, -1.0, 1e-12, 1e9]]
    )


@given(moments, st.sampled_from([0.7, 60.0, 86400.0]), st.lists(st.floats(0, 1e5), max_size=30))
def test_a_moment_has_the_place_that_a_search_finds(wanted, duration, others):
    lines = Plan.of(duration, 0.0, [0.0, duration], [*range(900), *wanted], []).moments
    values = around(lines, others)
    for side in ("left", "right"):
        assert np.array_equal(on_axis(lines, side).place(values), lines.searchsorted(values, side=side))


@given(
    st.lists(st.floats(1e-9, 1e3), max_size=30),
    st.sampled_from([0.7, 60.0, 86400.0]),
    st.lists(st.floats(0, 1e6), max_size=30),
)
def test_a_time_has_the_place_that_a_search_finds(limits, duration, others):
    lines = Plan.of(duration, 0.0, [0.0, duration], [], limits).edges
    values = around(lines, others)
    assert np.array_equal(on_ladder(lines).place(values), lines.searchsorted(values))


@pytest.mark.parametrize("duration", [0.5, 10.0, 3600.0, 1e6])
def test_a_bucket_is_narrow_wherever_a_time_can_lie(duration):
    """The time that stands for a bucket is within 1 % of all times in it, from two microseconds to the length of the run."""
    plan = Plan.of(duration, 0.0, [0.0, duration], [], [0.3, 0.3 + 1e-9])
    low, high = plan.edges[:-1], plan.edges[1:]
    inside = low >= 2e-6
    assert plan.edges[-1] >= duration
    assert ((high - low)[inside] / 2 / low[inside]).max() < 0.008
