"""What a step tells of itself is known everywhere: on paper, in the drawing, to those who look for names, loops and bulkheads."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import sim
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check
from sim.report.wiring import wiring_of
from sim.spec.actions import Calls, Ends, Publishes, Runs, TakesTime, every_action, polls_of
from sim.spec.base import Share, register, unregister
from sim.spec.distribution import AnyDistribution, Constant
from sim.spec.named import named_things
from sim.spec.policy import ConstantBackoff, ExponentialBackoff, LinearBackoff
from sim.spec.sites import bulkheads
from sim.spec.step import AnyStep, Step

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
SHOP = """
version: 1
duration: 100s
traffic: {guests: {sends: front.ask, arrivals: {deterministic: 10/s}}}
services:
  front: {workers: 20, endpoints: {ask: [STEP]}}
  back: {workers: 20, endpoints: {answer: [{work: 100ms}]}}
policies: {guarded: {bulkhead: {max_concurrent_calls: 3}}}
"""


@pytest.fixture
def looks():
    """A step of somebody's own: 20 ms of work, then a call of an endpoint for a share of the attempts."""

    @register("step", "looks")
    class Looks(Step):
        positional = "target"
        target: str
        policy: str | None = None
        lasts: AnyDistribution = Constant(value="20ms")
        misses: Share = 1.0
        then: tuple[AnyStep, ...] = ()

        @property
        def actions(self):
            return (
                TakesTime(self.lasts, computes=True),
                Calls(self.target, self.policy, badges=("looks",)),
                Runs("then", self.then, self.misses),
            )

    yield Looks
    unregister("step", "looks")


def loaded(step):
    return sim.load_text(SHOP.replace("STEP", step))


def load_of(study, component):
    (load,) = check(study).loads.values()
    return next(station for station in load.stations if station.name == component)


def test_its_load_is_on_paper(looks):
    """Ten a second hold a thread of the front for 20 ms and the 100 ms of the callee: 1.2 of 20 workers, and one of the callee's."""
    study = loaded("{looks: back.answer}")
    assert load_of(study, "front").utilisation == pytest.approx(10 * 0.12 / 20)
    assert load_of(study, "back").utilisation == pytest.approx(10 * 0.1 / 20)


def test_steps_that_a_share_goes_through_weigh_that_share(looks):
    """Every second of them also works for 40 ms: 20 ms on average."""
    study = loaded("{looks: back.answer, misses: 50%, then: [{work: 40ms}]}")
    assert load_of(study, "front").utilisation == pytest.approx(10 * 0.14 / 20)


def test_its_calls_are_arrows_with_its_badge(looks):
    (scenario,) = loaded("{looks: back.answer}").variants.values()
    (arrow,) = [arrow for arrow in wiring_of(scenario).arrows if arrow.source == "service:front"]
    assert (arrow.target, "looks" in arrow.badges) == ("service:back", True)


def test_its_bulkhead_has_places_and_its_policy_and_callee_are_used(looks):
    (scenario,) = loaded("{looks: back.answer, policy: guarded}").variants.values()
    assert [(bulkhead.name, bulkhead.places) for bulkhead in bulkheads(scenario)] == [("front -> back", 3)]
    assert all(named.used for named in named_things(scenario))


def test_whom_it_calls_must_exist_and_the_error_stands_at_its_word(looks):
    with pytest.raises(ScenarioError, match=r"looks: .*unknown endpoint 'back\.anser'; did you mean 'back\.answer'"):
        loaded("{looks: back.anser}")


def test_a_loop_through_it_is_found(looks):
    with pytest.raises(ScenarioError, match=r"an endless loop: front\.ask calls front\.ask"):
        loaded("{looks: front.ask}")


def test_every_step_of_ours_tells_its_actions():
    ours = {word: cls for word, cls in sim.spec.base.words("step").items() if cls.__module__.startswith("sim.")}
    assert [word for word, cls in ours.items() if cls.actions is Step.actions] == []


def test_actions_inside_of_actions_are_found(looks):
    (scenario,) = loaded("{parallel: [{call: back.answer, fallback: [{fail: 10%}]}, {work: 5ms}]}").variants.values()
    found = list(every_action(scenario.services["front"].endpoints["ask"].do))
    assert [type(action).__name__ for action in found] == ["Branches", "Calls", "Ends", "TakesTime"]
    assert found[2] == Ends(0.1)


def test_only_an_outbox_is_polled():
    class Twice(Step):
        @property
        def actions(self):
            return (Publishes("events"), Publishes("events", poll=0.5))

    assert polls_of(Twice()) == (0.5,)


@pytest.mark.parametrize(
    ("backoff", "pauses", "most"),
    [
        (ConstantBackoff.model_validate("100ms"), [0.1, 0.1, 0.1], math.inf),
        (LinearBackoff.model_validate({"base": "100ms", "max": "250ms"}), [0.1, 0.2, 0.25], 0.25),
        (ExponentialBackoff.model_validate("100ms"), [0.1, 0.2, 0.4], math.inf),
    ],
)
def test_backoffs_tell_their_pauses(backoff, pauses, most):
    assert [backoff.pause(number) for number in (1, 2, 3)] == pytest.approx(pauses)
    assert backoff.most == most


def test_the_plugin_that_is_shipped_knows_one_door():
    """And is on paper: looking takes 1 ms of work of each request, and each is taken to miss."""
    text = SHOP.replace("STEP", "{cached_call: back.answer, ttl: 30s, lookup: 1ms}")
    source = SCENARIOS / "cache.py"
    assert {line.split()[1] for line in source.read_text().splitlines() if line.startswith("from ")} == {
        "__future__",
        "collections",
        "typing",
        "sim.plugin",
    }
    study = sim.load_text(text, plugins=[source])
    assert load_of(study, "back").utilisation == pytest.approx(10 * 0.1 / 20)
    assert load_of(study, "front").utilisation == pytest.approx(10 * 0.101 / 20)
    (scenario,) = study.variants.values()
    (arrow,) = [arrow for arrow in wiring_of(scenario).arrows if arrow.source == "service:front"]
    assert "cached 30 s" in arrow.badges
