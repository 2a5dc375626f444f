"""Words of the trade that the language lacks are answered with what comes nearest."""

from typing import get_args

import pytest

from sim.errors import ScenarioError
from sim.spec import load_text
from sim.spec.base import Kind, field_names, words
from sim.spec.not_modelled import INSTEAD, instead_of
from sim.spec.scenario import Scenario
from sim.spec.shape import specs_in

TEXT = """version: 1
duration: 1m
traffic: {t: {sends: a.b, arrivals: {poisson: 1/s}, TRAFFIC}}
services: {a: {workers: 1, SERVICE, endpoints: {b: [{work: {lognormal: {mean: 5ms, LOGNORMAL}}}, STEP]}}}
policies: {p: {timeout: 1s, POLICY}}
"""
# Of a back-off, an autoscaler, a budget, a limit that adapts, traffic: they may be looked for in other places.
ELSEWHERE = {"delay", "cpu", "pods", "max_retries", "max_concurrency", "min_replicas", "queue_size", "virtual_users"}
RIGHT = {
    "TRAFFIC": "timeout: 1s",
    "SERVICE": "replicas: 1",
    "LOGNORMAL": "p99: 9ms",
    "STEP": "{wait: 1ms}",
    "POLICY": "on_timeout: cancel",
}


def told(**wrong):
    text = TEXT
    for place, right in RIGHT.items():
        text = text.replace(place, wrong.get(place, right))
    with pytest.raises(ScenarioError) as caught:
        load_text(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("place", "text", "words"),
    [
        ("LOGNORMAL", "p50: 9ms", "unknown field 'p50'; it is `median`"),
        ("SERVICE", "hpa: {}", "unknown field 'hpa'; it is `autoscaling: {min: 2, max: 10"),
        ("SERVICE", "cpu_limit: 2", "unknown field 'cpu_limit'; it is `cpu` of a service: `cpu: 500m`"),
        ("SERVICE", "memory: 1GiB", "unknown field 'memory'; memory is not modelled; collections that stop"),
        ("SERVICE", "gc: {}", "unknown field 'gc'; collections that stop the world are `pauses: {every:"),
        ("SERVICE", "usl: {}", "unknown field 'usl'; the Universal Scalability Law is `contention: {serial: 3%"),
        (
            "SERVICE",
            "concurrency_limit: 5",
            "unknown field 'concurrency_limit'; what a service does at once is `workers`",
        ),
        ("SERVICE", "replicsa: 5", "unknown field 'replicsa'; did you mean 'replicas'?"),
        ("POLICY", "max_retries: 3", "unknown field 'max_retries'; it is `retry: {max_attempts: 3}`"),
        ("POLICY", "maxRetries: 3", "unknown field 'maxRetries'; it is `retry: {max_attempts: 3}`"),
        ("POLICY", "timeout_ms: 3", "unknown field 'timeout_ms'; a duration is written with its unit"),
        ("POLICY", "hedging: 3", "unknown field 'hedging'; it is `hedge: {after: p95, max: 1}` of a policy"),
        ("TRAFFIC", "rps: 3", "unknown field 'rps'; a rate is written with its unit"),
        ("TRAFFIC", "think_time: 3s", "unknown field 'think_time'; users who wait for their answer are"),
        ("STEP", "{compensate: []}", "unknown step 'compensate'; it is the step `saga: [{do: [...], undo: [...]}]`"),
        ("STEP", "{work: {normal: {mean: 5ms}}}", "unknown distribution 'normal'; a normal would be negative at times"),
    ],
)
def test_a_word_of_the_trade_is_answered_with_what_comes_nearest(place, text, words):
    assert words in told(**{place: text})


def test_a_word_that_the_language_has_needs_no_answer():
    """Whoever adds one of them to the language takes it out of the table."""
    waiting, classes = [Scenario, *(cls for kind in get_args(Kind) for cls in words(kind).values())], set()
    while waiting:
        cls = waiting.pop()
        if cls not in classes:
            classes.add(cls)
            waiting += specs_in(cls)
    language = {field for cls in classes for field in field_names(cls)} | {
        word for kind in get_args(Kind) for word in words(kind)
    }
    assert language & set(INSTEAD) == ELSEWHERE


def test_every_answer_is_found_by_the_word_itself():
    assert [word for word in INSTEAD if instead_of(word) != INSTEAD[word]] == []
