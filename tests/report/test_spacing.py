from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.report.spacing import spread


def test_things_with_room_stay_where_they_want_to_be():
    assert spread([1.0, 5.0, 9.0], [1.0, 1.0, 1.0]) == [1.0, 5.0, 9.0]


def test_things_that_want_the_same_place_share_it_out_evenly():
    assert spread([5.0, 5.0, 5.0], [2.0, 2.0, 2.0]) == pytest.approx([3.0, 5.0, 7.0])


def test_bounds_hold_where_there_is_room():
    assert spread([0.0, 0.0], [1.0, 1.0], least=0.0, most=10.0) == pytest.approx([0.5, 1.5])
    assert spread([10.0, 10.0], [1.0, 1.0], least=0.0, most=10.0) == pytest.approx([8.5, 9.5])


def test_nothing_to_place():
    assert spread([], []) == []


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(0.1, 50)), min_size=1, max_size=30))
def test_nothing_overlaps_and_the_order_stays(things):
    places = spread([want for want, _ in things], [size for _, size in things])
    for (left, right), ((_, one), (_, other)) in zip(pairwise(places), pairwise(things), strict=True):
        assert right - left >= (one + other) / 2 - 1e-6
