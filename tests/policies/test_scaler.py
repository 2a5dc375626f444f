"""How many replicas an autoscaler wants: the published cases of Kubernetes' own tests, and what is worked out by hand."""

import json
from pathlib import Path

import pytest

from sim.policies import scaler
from sim.policies.scaler import DOWN, UP, Memory, Pace, Pods, Rules

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "k8s_hpa_cases.json").read_text())
CALCULATED, LIMITED, STABILIZED = GOLDEN["cases"], GOLDEN["scaling_rules"]["cases"], GOLDEN["stabilization"]["cases"]
TOLERANCE = GOLDEN["tolerance"]
named = {"ids": lambda case: case["name"]}


def test_there_are_as_many_as_were_published():
    assert len(CALCULATED) + len(LIMITED) + len(STABILIZED) == 82


@pytest.mark.parametrize("case", CALCULATED, **named)
def test_replicas_are_those_of_the_controller(case):
    target, current, kind = case["target"], case["current"], case["kind"]
    if kind == "cpu_utilization_pct":
        ignored = {*case["unready_pods"], *case["within_cpu_init_period_pods"]}
        measured = tuple(float(value) for index, value in enumerate(case["per_pod"]) if index not in ignored)
        pods = Pods(measured, len(ignored), case["pods_without_metric"])
        assert scaler.by_utilization(pods, target, current, TOLERANCE) == case["expected"]
    elif kind == "pods_average":
        pods = Pods(tuple(float(value) for value in case["values"]))
        assert scaler.by_average(pods, target, current, TOLERANCE) == case["expected"]
    elif kind in ("object_value", "external_value"):
        ready = current - len(case["unready_pods"])
        assert scaler.by_value(case["values"][0], target, current, ready, TOLERANCE) == case["expected"]
    else:
        assert kind in ("object_average_value", "external_average_value")
        assert scaler.by_total(case["values"][0], target, current, TOLERANCE) == case["expected"]


def rules(said, default):
    if said is None:
        return default
    paces = [Pace(said["pods_period"], replicas=said["pods"])] if said["pods_period"] else []
    paces += [Pace(said["percent_period"], share=said["percent"] / 100)] if said["percent_period"] else []
    return Rules(said["stabilization"], tuple(paces))


@pytest.mark.parametrize("case", LIMITED, **named)
def test_the_pace_is_that_of_the_controller(case):
    now = 1000.0
    added, removed = (
        [(now - 60.0, change) for change in case[f"recent_scale_{way}_events_in_last_120s"] or ()]
        for way in ("up", "down")
    )
    both = rules(case["scale_up"], UP), rules(case["scale_down"], DOWN)
    memory = Memory([], added, removed)
    found = scaler.limited(memory, now, case["current"], case["desired_by_metric"], (case["min"], case["max"]), both)
    assert found == case["expected"]


@pytest.mark.parametrize("case", STABILIZED, **named)
def test_recent_wishes_steady_it_as_in_the_controller(case):
    now = 10_000.0
    memory = Memory([(now - age, value) for value, age in case["recommendations_value_and_age_s"]])
    up, down = Rules(case["scale_up_window_s"], ()), Rules(case["scale_down_window_s"], ())
    found = scaler.stabilized(memory, now, case["current"], case["new_recommendation"], up, down)
    assert found == case["expected"]
    assert memory.wanted[-1] == (now, case["new_recommendation"])  # what is remembered is the wish, not what came of it


def test_from_three_to_fifty_it_goes_in_four_periods():
    """Four, or as many again, in each 15 s: 3, 7, 14, 28, 50 (semantics.md 14.1, 13)."""
    memory, current, seen = Memory(), 3, []
    for period in range(5):
        now = 15.0 * period
        wanted = scaler.stabilized(memory, now, current, 50, UP, DOWN)
        after = scaler.limited(memory, now, current, wanted, (1, 100), (UP, DOWN))
        if after != current:
            memory.changed(now, current, after, 15.0)
        current = after
        seen.append(current)
    assert seen == [7, 14, 28, 50, 50]


def test_within_the_tolerance_nothing_changes():
    """54 % of 50 % are 1.08; 56 % are 1.12, and four become five (semantics.md 14.1, 12)."""
    assert scaler.by_utilization(Pods((54.0,) * 4), 50, 4, 0.1) == 4
    assert scaler.by_utilization(Pods((56.0,) * 4), 50, 4, 0.1) == 5


def test_where_nothing_is_measured_nothing_is_proposed():
    assert scaler.by_utilization(Pods((), ignored=3), 50, 3, 0.1) is None


def test_from_none_there_is_no_tolerance_and_nothing_to_multiply():
    assert scaler.by_total(35.0, 10.0, 0, 0.1) == 4
    assert scaler.by_value(35.0, 10.0, 0, 0, 0.1) == 4
