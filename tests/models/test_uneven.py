"""Faults of some replicas: one that is slow, one that fails, and that the others are not touched."""

import pytest

from sim import testing
from sim.errors import ScenarioError

TEXT = """
duration: 1m
traffic: {clients: {sends: a.get}}
services: {a: {replicas: 3, workers: unlimited, endpoints: {get: [{STEP: 100ms}]}}}
faults: [FAULT]
"""


def played(fault, times, step="wait"):
    return testing.play(TEXT.replace("FAULT", fault).replace("STEP", step), times)


@pytest.mark.parametrize("step", ["wait", "work"])
def test_one_slow_replica_of_three_answers_every_third_request_late(step):
    run = played(
        "{slow: {of: a, replicas: 1, by: 10x}, at: 1s, for: 10s}", [2.0, 2.0, 2.0, 2.0, 20.0, 20.0, 20.0], step
    )
    assert sorted(run.responses()[:4]) == [0.1, 0.1, 1.0, 1.0]
    assert {attempt.replica for attempt in run.attempts() if attempt.ended - attempt.arrived > 0.5} == {0}
    assert run.responses()[4:] == [0.1] * 3


def test_slowdowns_of_all_and_of_one_multiply():
    faults = "{name: one, slow: {of: a, replicas: 1, by: 2x}, at: 1s}, {name: all, slow: {of: a, by: 3x}, at: 1s}"
    assert sorted(played(faults, [2.0, 2.0, 2.0]).responses()) == [0.3, 0.3, 0.6]


def test_errors_of_one_replica_leave_the_others_alone():
    run = played("{errors: {of: a, replicas: 1, share: 100%}, at: 1s, for: 10s}", [2.0, 2.0, 2.0, 20.0])
    assert sorted(run.outcomes()[:3]) == ["error", "ok", "ok"]
    assert run.outcomes()[3] == "ok"


def test_a_fault_of_more_replicas_than_there_are_is_told():
    with pytest.raises(ScenarioError, match="found 4 replicas, expected at most 3"):
        played("{slow: {of: a, replicas: 4, by: 2x}, at: 1s}", [2.0])
