"""Preemptive priorities: who is interrupted, and that he goes on where he was."""

import pytest

from sim import testing
from sim.errors import ScenarioError

TEXT = """
duration: 1m
traffic: {high: {sends: b.high}, low: {sends: b.low}, other: {sends: b.other}}
services:
  b:
    workers: WORKERS
    queue: {discipline: priority, classes: {high: 0, low: 1}, preemptive: true}
    endpoints: {high: [{work: 100ms}], low: [LOW], other: [{work: 1s}]}
"""


def played(high=(), low=(), other=(), workers="1", steps="{work: 1s}"):
    text = TEXT.replace("WORKERS", workers).replace("LOW", steps)
    return testing.play(text, {"high": list(high), "low": list(low), "other": list(other)})


def times(run, traffic):
    return pytest.approx(run.responses(traffic))


def test_work_is_interrupted_and_goes_on_where_it_was():
    """The low one works 0.3 s, lets two high ones by, 0.2 s, and works its other 0.7 s."""
    run = played(high=[1.3, 1.35], low=[1.0])
    assert times(run, "high") == [0.1, 0.15]
    assert times(run, "low") == [1.2]


def test_who_was_interrupted_goes_on_before_others_of_his_class():
    run = played(high=[1.3], low=[1.0, 1.1])
    assert times(run, "low") == [1.1, 2.0]


def test_nobody_of_ones_own_class_is_interrupted():
    run = played(high=[1.0, 1.05])
    assert times(run, "high") == [0.1, 0.15]


def test_of_several_the_last_class_gives_way_and_there_who_began_last():
    """Three workers: low from 1.0, two others from 1.1 and 1.2 s. The first high one interrupts the latter other, which has 0.7 s left, the second the former,
    with 0.58 s left; that stands before it, goes on at 1.6 s, and the latter at 1.62 s."""
    run = played(high=[1.5, 1.52], low=[1.0], other=[1.1, 1.2], workers="3")
    assert times(run, "low") == [1.0]
    assert times(run, "other") == [1.08, 1.12]


def test_a_worker_that_waits_is_not_taken_away():
    run = played(high=[1.3], low=[1.0], steps="{wait: 1s}")
    assert times(run, "high") == [0.8]
    assert times(run, "low") == [1.0]


def test_shared_cores_have_it_too():
    """Two low ones on a core, each at half its speed, have done 0.2 s each at 1.4 s; the later one gives way to the high one, which shares the core until 1.6 s.
    The first low one has 0.7 s left then, the other 0.8 s: it goes on at 1.6 s; at 3.0 s the first has ended, at 3.1 s the other."""
    run = played(high=[1.4], low=[1.0, 1.0], workers="2\n    cores: 1")
    assert times(run, "high") == [0.2]
    assert times(run, "low") == [2.0, 2.1]


BESIDE = """
duration: 1m
traffic: {high: {sends: b.high}, low: {sends: b.low}}
services:
  b:
    workers: 1
    queue: {discipline: priority, classes: {high: 0, low: 1}, preemptive: true}
    endpoints: {high: [{work: 100ms}], low: [{parallel: [[{work: 1s}], [{work: 1s}]]}]}
"""


def test_without_cores_each_thread_has_one_of_its_own():
    """Two branches of one attempt work at once, 1 s each; the worker of who waits for them is not taken away."""
    run = testing.play(BESIDE, {"high": [1.5], "low": [1.0]})
    assert times(run, "low") == [1.0]
    assert times(run, "high") == [0.6]


def test_it_is_a_word_of_priorities():
    with pytest.raises(ScenarioError, match="`preemptive` is a word of priority"):
        testing.play(TEXT.replace("discipline: priority, classes: {high: 0, low: 1}, ", "").replace("WORKERS", "1"), {})
