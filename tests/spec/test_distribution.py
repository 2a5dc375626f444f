"""Distributions mean what their parameters say."""

import math
from statistics import NormalDist

import pytest

from sim.errors import ScenarioError
from sim.spec import load_text
from sim.spec.distribution import (
    Constant,
    Exponential,
    Gamma,
    LogNormal,
    Pareto,
    Uniform,
    Weibull,
)
from sim.spec.measured import Empirical, Mixture, Replayed
from sim.spec.phases import Erlang, HyperExponential

HEAD = "version: 1\nduration: 1m\ntraffic: {t: {sends: a.b, arrivals: {poisson: 1/s}}}\nservices: {a: {workers: 1, endpoints: {b: [{work: "


def read(text):
    """The distribution of `work: TEXT`."""
    return load_text(f"{HEAD}{text}}}]}}}}}}\n").variants["base"].services["a"].endpoints["b"].do[0].time


@pytest.mark.parametrize(
    ("text", "kind", "mean", "scv"),
    [
        ("5ms", Constant, 0.005, 0),
        ("{constant: 5ms}", Constant, 0.005, 0),
        ("{exponential: 10ms}", Exponential, 0.01, 1),
        ("{exponential: {mean: 10ms}}", Exponential, 0.01, 1),
        ("{uniform: [5ms, 15ms]}", Uniform, 0.01, 1 / 12),
        ("{uniform: {low: 0s, high: 2s}}", Uniform, 1, 1 / 3),
        ("{gamma: {shape: 4, scale: 5ms}}", Gamma, 0.02, 0.25),
        ("{gamma: {mean: 20ms, cv: 0.5}}", Gamma, 0.02, 0.25),
        ("{gamma: {mean: 20ms, shape: 4}}", Gamma, 0.02, 0.25),
        ("{erlang: {phases: 4, mean: 20ms}}", Erlang, 0.02, 0.25),
        ("{pareto: {alpha: 3, minimum: 10ms}}", Pareto, 0.015, 1 / 3),
        ("{pareto: {alpha: 3, mean: 15ms}}", Pareto, 0.015, 1 / 3),
        ("{pareto: {alpha: 1.5, minimum: 10ms}}", Pareto, 0.03, math.inf),
        ("{pareto: {alpha: 1, minimum: 10ms}}", Pareto, math.inf, math.inf),
        ("{weibull: {shape: 1, scale: 10ms}}", Weibull, 0.01, 1),
        ("{weibull: {shape: 2, mean: 10ms}}", Weibull, 0.01, 4 / math.pi - 1),
        ("{hyperexponential: {mean: 10ms, cv: 2}}", HyperExponential, 0.01, 4),
        (
            "{hyperexponential: [{probability: 50%, mean: 10ms}, {probability: 0.5, mean: 30ms}]}",
            HyperExponential,
            0.02,
            1.5,
        ),
        ("{empirical: {data: [0.01, 0.03]}}", Empirical, 0.02, 0.25),
        ("{replay: {data: [0.01, 0.03]}}", Replayed, 0.02, 0.25),
        ("{mixture: [{constant: 10ms}, 30ms]}", Mixture, 0.02, 0.25),
        ("{mixture: [{weight: 75%, constant: 0s}, {weight: 25%, exponential: 40ms}]}", Mixture, 0.01, 7),
        ("{lognormal: {mean: 40ms, cv: 2}}", LogNormal, 0.04, 4),
    ],
)
def test_mean_and_scv_follow_from_the_parameters(text, kind, mean, scv):
    distribution = read(text)
    assert isinstance(distribution, kind)
    assert distribution.mean == pytest.approx(mean)
    assert distribution.scv == pytest.approx(scv)


def figures(distribution):
    """Every figure by which a lognormal may be given."""
    z95, z99 = NormalDist().inv_cdf(0.95), NormalDist().inv_cdf(0.99)
    mu, sigma = distribution.mu, distribution.sigma
    return {
        "mean": math.exp(mu + sigma**2 / 2),
        "cv": math.sqrt(math.expm1(sigma**2)),
        "median": math.exp(mu),
        "p95": math.exp(mu + z95 * sigma),
        "p99": math.exp(mu + z99 * sigma),
        "sigma": sigma,
    }


LOGNORMAL = {"mean": "40ms", "cv": 1.5, "median": "30ms", "p95": "100ms", "p99": "300ms", "sigma": 0.8}
PAIRS = [
    (one, other)
    for index, one in enumerate(LOGNORMAL)
    for other in list(LOGNORMAL)[index + 1 :]
    if {one, other} != {"cv", "sigma"}
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_any_two_figures_of_a_lognormal_are_met(one, other):
    distribution = LogNormal.model_validate({one: LOGNORMAL[one], other: LOGNORMAL[other]})
    for name in (one, other):
        wanted = LOGNORMAL[name]
        assert figures(distribution)[name] == pytest.approx(
            float(wanted.removesuffix("ms")) / 1000 if isinstance(wanted, str) else wanted
        )


def test_of_two_lognormals_the_smaller_sigma_is_taken():
    assert LogNormal.model_validate({"mean": "40ms", "p99": "300ms"}).sigma == pytest.approx(1.1507, abs=1e-4)
    assert LogNormal.model_validate({"mean": "40ms", "p99": "40ms"}).sigma == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "{lognormal: {mean: 40ms, p99: 2s}}",
            "no lognormal has mean 40ms and p99 2s: with this mean p99 is at most 599ms",
        ),
        ("{lognormal: {mean: 20ms, median: 40ms}}", "found mean 20ms below median 40ms"),
        ("{lognormal: {p95: 50ms, p99: 40ms}}", "found p99 40ms below p95 50ms"),
        ("{lognormal: {cv: 1, sigma: 2}}", "expected one of mean, median, p95, p99 beside one of them"),
        ("{lognormal: {mean: 1s}}", "found mean, expected exactly two"),
        ("{lognormal: {}}", "found none of the fields, expected exactly two"),
        ("{uniform: [5ms]}", "found a list of 1, expected two durations"),
        ("{uniform: [15ms, 5ms]}", "found low 15ms above high 5ms"),
        ("{gamma: {shape: 2}}", "found shape, expected shape and scale, or mean and cv, or mean and shape"),
        ("{erlang: {phases: 2.5, mean: 1s}}", "found 2.5, expected a whole number"),
        ("{pareto: {alpha: 0.9, mean: 1s}}", "has no mean; give its minimum"),
        ("{hyperexponential: {mean: 10ms, cv: 1}}", "found 1, expected more than 1"),
        ("{hyperexponential: [{probability: 50%, mean: 10ms}]}", "the probabilities sum to 0.5, expected 1"),
        ("{mixture: []}", "found an empty list, expected at least 1"),
        ("{mixture: [{weight: 0, constant: 1s}]}", "all weights are 0"),
        ("{mixture: [{weight: 1, constnt: 1s}]}", "unknown distribution 'constnt'; did you mean 'constant'?"),
        ("{empirical: {}}", "the field 'file' is missing"),
        ("{empirical: {file: rows.csv, data: []}}", "data: found no value, expected at least one"),
        (
            "{lognormal: {p95: 1ns, p99: 80ms}}",
            "found a spread so wide that the mean is",
        ),  # sigma is ln(8e7) / 0.68, nearly 27: e^362 times the median
        ("{lognormal: {median: 1s, sigma: 7}}", "the mean is 4e+10 s, expected a mean of at most ten years"),  # e^24.5
        ("{weibull: {shape: 0.05, scale: 1s}}", "the mean is 2e+18 s"),  # 20!
        ("{mixture: [{weibull: {shape: 0.05, scale: 1s}}, 5ms]}", "the mean is 2e+18 s"),
        ("{exponential: {men: 10ms}}", "unknown field 'men'; did you mean 'mean'?"),
        ("{exponential: -10ms}", "expected a duration"),
        ("5", "found 5, expected a duration"),
        ("{exponential: 5ms, constant: 5ms}", "found exponential and constant together"),
    ],
)
def test_what_makes_no_distribution_is_told(text, words):
    with pytest.raises(ScenarioError) as caught:
        read(text)
    assert words in str(caught.value)


def test_a_pareto_may_have_no_mean():
    assert read("{pareto: {alpha: 0.9, minimum: 1s}}").mean == math.inf


def test_weights_are_normalised():
    assert Mixture.model_validate([{"weight": 3, "constant": "1s"}, {"constant": "2s"}]).weights == (0.75, 0.25)


def test_balanced_means_share_the_load():
    two = HyperExponential.model_validate({"mean": "10ms", "cv": 3})
    assert sum(two.probabilities) == pytest.approx(1)
    assert two.probabilities[0] * two.means[0] == pytest.approx(two.probabilities[1] * two.means[1])
