"""Times on paper: closed forms against integrals of the tail, sums and maxima against draws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.experiments.on_paper.attempts import Ends, attempts, tries
from sim.experiments.on_paper.tails import limited_mean, survival
from sim.experiments.on_paper.times import NEVER, Times, any_of, coarse, law_of, longest
from sim.spec.distribution import (
    Constant,
    Distribution,
    Exponential,
    Gamma,
    LogNormal,
    Pareto,
    Uniform,
    Weibull,
)
from sim.spec.measured import Empirical, Mixture
from sim.spec.phases import Erlang, HyperExponential
from sim.spec.policy import CallPolicy, Retry

FAMILIES: list[Distribution] = [
    Constant(value="20ms"),
    Exponential(mean="20ms"),
    LogNormal(mean="40ms", p99="300ms"),
    LogNormal(median="20ms", sigma=0),
    Uniform.model_validate(["5ms", "15ms"]),
    Uniform.model_validate(["5ms", "5ms"]),
    Gamma(mean="20ms", cv=2),
    Erlang(phases=4, mean="20ms"),
    Pareto(alpha=1.5, mean="30ms"),
    Pareto(alpha=1, minimum="1ms"),
    Weibull(shape=0.6, mean="20ms"),
    HyperExponential(mean="20ms", cv=3),
    Mixture.model_validate([{"weight": "99%", "constant": "10ms"}, {"weight": "1%", "exponential": "9s"}]),
    Empirical(data=(0.001, 0.002, 0.002, 0.5)),
]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)
def test_the_mean_of_what_a_limit_leaves_is_the_integral_of_the_tail(family):
    for limit in (0.003, 0.02, 0.1, 2.0):
        grid = np.linspace(0.0, limit, 200_001)
        middle = (grid[:-1] + grid[1:]) / 2
        integral = float(survival(family, middle).mean()) * limit
        assert float(limited_mean(family, np.array([limit]))[0]) == pytest.approx(integral, rel=2e-4)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "family",
    [
        Exponential(mean="1e-305s"),
        LogNormal(mean="1e-305s", cv=1),
        Uniform.model_validate(["0s", "1e-305s"]),
        Gamma(mean="1e-305s", cv=2),
        Erlang(phases=4, mean="1e-305s"),
        Pareto(alpha=2.5, mean="1e-305s"),
        Weibull(shape=4, mean="1e-100s"),
        HyperExponential(mean="1e-305s", cv=3),
    ],
    ids=lambda family: type(family).__name__,
)
def test_a_limit_beyond_all_scales_cuts_nothing(family):
    assert survival(family, np.array([1e8]))[0] == pytest.approx(0.0, abs=1e-300)
    assert limited_mean(family, np.array([1e8]))[0] == pytest.approx(family.mean, rel=1e-9)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)
def test_as_points_a_distribution_keeps_its_mean_and_nearly_its_tail(family):
    law = law_of(family)
    assert law.mass.sum() == pytest.approx(1.0)
    assert law.mean == pytest.approx(family.mean, rel=1e-6) if math.isfinite(family.mean) else math.isinf(law.mean)
    for limit in (0.003, 0.0199, 0.101, 2.0):
        assert law.above(limit) == pytest.approx(float(survival(family, np.array([limit]))[0]), abs=1e-3)
        assert law.limited(limit) == pytest.approx(float(limited_mean(family, np.array([limit]))[0]), rel=1e-3)


def test_a_sum_of_several_is_as_draws_have_it():
    total = (
        Times(1.0, 0.005)
        .then(Exponential(mean="20ms"))
        .then(Gamma(mean="20ms", cv=2))
        .then(LogNormal(mean="40ms", cv=1))
    )
    luck, n = np.random.default_rng(5), 1_000_000
    sigma = math.sqrt(math.log(2))
    drawn = (
        0.005
        + luck.exponential(0.02, n)
        + luck.gamma(0.25, 0.08, n)
        + np.exp(math.log(0.04) - sigma**2 / 2 + sigma * luck.standard_normal(n))
    )
    assert total.mean == pytest.approx(0.085)
    for limit in (0.03, 0.1, 0.4):
        assert total.above(limit) == pytest.approx(float((drawn > limit).mean()), abs=0.003)
        assert total.limited(limit) == pytest.approx(float(np.minimum(drawn, limit).mean()), rel=0.003)
    assert total.in_time(0.1).mean == pytest.approx(float(drawn[drawn <= 0.1].mean()), rel=0.005)
    assert total.percentile(0.99) == pytest.approx(float(np.quantile(drawn, 0.99)), rel=0.02)


def test_the_longest_of_two_exponentials_is_half_as_long_again():
    one = Times().then(Exponential(mean="10ms"))
    assert longest([one, one]).mean == pytest.approx(0.015, rel=0.02)
    assert longest([Times(1.0, 0.03), Times(1.0, 0.01)]).mean == 0.03


def test_one_of_several_has_their_shares():
    both = any_of([Times(0.2, 1.0), Times(0.6, 3.0), NEVER])
    assert both.share == pytest.approx(0.8)
    assert both.mean == pytest.approx(2.5)
    assert both.above(2.0) == pytest.approx(0.75)


def policy(**fields):
    return CallPolicy.model_validate(fields)


def test_attempts_that_time_out_are_made_again_with_their_probability():
    """Half of the attempts take 10 ms, the others 90 s: of three, after 5 ms each, 1 + 1/2 + 1/4 are made, and 1/8 of the calls fail."""
    answer = Ends(any_of([Times(0.5, 0.01), Times(0.5, 90.0)]))
    called = tries(answer, policy(timeout="1s", retry={"max_attempts": 3, "backoff": {"constant": "5ms"}}))
    assert called.attempts == pytest.approx(1.75)
    assert called.held == pytest.approx(1.75 * (0.5 * 0.01 + 0.5 * 1.0))
    assert called.ends.ok.share == pytest.approx(7 / 8)
    assert called.ends.failed.share == pytest.approx(1 / 8)
    assert called.ends.failed.mean == pytest.approx(3.01)
    assert called.ends.expected == pytest.approx(called.held + 0.005 * 0.75)


def test_a_budget_pays_for_its_share_of_retries():
    answer = Ends(Times(0.5, 0.01), failed=Times(0.5, 0.01))
    called = tries(answer, policy(retry={"max_attempts": 4, "budget": 0.2}))
    assert called.attempts == pytest.approx(1.2, rel=1e-4)


def test_nothing_is_tried_again_that_the_policy_does_not_name():
    answer = Ends(Times(0.5, 0.01), failed=Times(0.5, 0.01))
    assert tries(answer, policy(retry={"max_attempts": 4, "on": ["timeout"]})).attempts == 1.0
    assert tries(Ends(refused=Times(1.0, 0.01)), policy(retry={"max_attempts": 4})).attempts == 1.0


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        ({"max_attempts": 3}, 1 + 0.7 + 0.49),
        ({"max_attempts": 3, "on": ["timeout"]}, 1 + 0.4 + 0.16),
        ({"max_attempts": 4, "on": ["error"]}, 1 + 0.3 + 0.09 + 0.027),
        ({"max_attempts": 4, "budget": 0.2}, 1.2),
    ],
)
def test_how_many_attempts_there_are_needs_no_times(retry, expected):
    """Of 30 % that fail in time and 40 % that time out; as the whole reckoning has it."""
    assert attempts(0.3, 0.4, Retry(**retry)) == pytest.approx(expected, rel=1e-6)
    answer = Ends(any_of([Times(0.3, 0.01), Times(0.4, 90.0)]), failed=Times(0.3, 0.02))
    assert tries(answer, policy(timeout="1s", retry=retry)).attempts == pytest.approx(expected, rel=1e-6)


def test_what_differs_in_its_share_alone_has_one_sum():
    """Convolving is what takes time on paper: without this, `sim check` of some random systems took two minutes."""
    times = Times().then(Exponential(mean="10ms")).then(Uniform(low="0s", high="30ms"))
    assert times.of(0.5).parts is times.parts is times.plus(Times(0.5, 1.0)).parts is Times(0.5, 1.0).plus(times).parts
    assert times.of(0.5).parts.sum is times.parts.sum


def test_coarse_laws_have_the_same_mean_and_nearly_the_same_tail():
    exact = (
        Times().then(Exponential(mean="10ms")).then(Exponential(mean="10ms"))
    )  # above t: (1 + t / 10 ms) exp(-t / 10 ms)
    with coarse():
        rough = Times().then(Exponential(mean="10ms")).then(Exponential(mean="10ms"))
        assert rough.parts.sum.law.at.size <= 50
        assert rough.law.mean == pytest.approx(0.02, rel=1e-6)
        assert rough.above(0.05) == pytest.approx(6 * math.exp(-5), rel=0.1)
    assert exact.above(0.05) == pytest.approx(6 * math.exp(-5), rel=0.02)


def test_the_total_timeout_ends_a_call_in_the_middle_of_its_attempts():
    called = tries(
        Ends(Times(1.0, 90.0)),
        policy(timeout="1s", total_timeout="2.5s", retry={"max_attempts": 9, "backoff": {"constant": "0s"}}),
    )
    assert called.ends.failed.mean == pytest.approx(2.5)
    assert called.attempts == pytest.approx(3.0)


def test_a_cancelled_callee_is_done_sooner():
    answer = Ends(any_of([Times(0.5, 0.01), Times(0.5, 90.0)]))
    assert tries(answer, policy(timeout="1s", on_timeout="cancel")).saved == pytest.approx(0.5 * 89.0)
