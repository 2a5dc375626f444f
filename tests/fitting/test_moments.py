"""The figures of a measurement, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.fitting.moments import Columns, Moment, chosen, values
from sim.vocabulary import Outcome


def columns(arrival, response, outcome=None):
    size = len(arrival)
    return Columns(
        np.array(arrival, dtype=float),
        np.array(response, dtype=float),
        np.full(size, Outcome.OK, dtype=np.int8) if outcome is None else np.array(outcome, dtype=np.int8),
        np.zeros(size, dtype=np.int64),
        ("shop.get",),
    )


def test_means_by_how_many_were_there_when_one_came():
    """At 1 s nobody is there; at 2 s the first, until 5 s; at 3 s both; at 5 s the first has just gone. Who is never
    answered stays, and is in no mean. The order of the rows does not matter.
    """
    found = values(
        columns([2.0, 1.0, 5.0, 3.0, 9.0], [6.0, 4.0, 2.0, math.nan, 1.0]),
        [Moment("mean", "", found=crowd) for crowd in ((0, 0), (1, 1), (2, 2), (3, math.inf))],
    )
    assert np.exp(found[:3]) == pytest.approx([4.0, (6.0 + 1.0) / 2, 2.0])
    assert math.isnan(found[3])


def test_they_are_asked_for_and_stand_on_enough_requests():
    """60 requests one after the other find nobody, and so do 60 pairs in half of their requests."""
    alone = np.arange(60.0)
    pairs = np.repeat(100.0 + np.arange(60.0), 2) + np.tile([0.0, 0.1], 60)
    busy = columns([*alone, *pairs], [0.5] * 180)
    assert [moment.name for moment in chosen(busy, crowds=True) if moment.found] == [
        "mean with 0 there",
        "mean with 1 there",
    ]
    assert [moment for moment in chosen(busy) if moment.found] == []
