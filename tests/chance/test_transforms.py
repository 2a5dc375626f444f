"""Each distribution against its own mean and variance, against scipy, and against the other engine's way to it."""

import math

import numpy as np
import pytest
from scipy import special, stats

from sim.chance import shared, transforms
from sim.chance.keyed import stream_key, uniforms
from sim.chance.sampler import sampler, uniform_sampler
from sim.chance.table import DrawTable, draws
from sim.errors import UsageError
from sim.spec import distribution as spec
from sim.spec import measured, phases

COUNT = 200_000
SIGNIFICANCE = 1e-4  # of each test, at a fixed seed

DATA = (0.003, 0.001, 0.002, 0.002, 0.01)
INNER = measured.Mixture(
    weights=(1, 3), parts=(spec.Uniform(low="1ms", high="2ms"), phases.HyperExponential(mean="9ms", cv=1.5))
)
KINDS = {
    "constant": (spec.Constant(value="5ms"), None),
    "exponential": (spec.Exponential(mean="10ms"), stats.expon(scale=0.01)),
    "lognormal": (
        spec.LogNormal(mean="40ms", cv=1.2),
        stats.lognorm(math.sqrt(math.log1p(1.44)), scale=0.04 / math.sqrt(2.44)),
    ),
    "uniform": (spec.Uniform(low="5ms", high="15ms"), stats.uniform(0.005, 0.01)),
    "gamma": (spec.Gamma(shape=2.5, scale="4ms"), stats.gamma(2.5, scale=0.004)),
    "gamma below 1": (spec.Gamma(shape=0.3, scale="4ms"), stats.gamma(0.3, scale=0.004)),
    "gamma of 1": (spec.Gamma(shape=1, scale="4ms"), stats.gamma(1, scale=0.004)),
    "erlang": (phases.Erlang(phases=4, mean="20ms"), stats.gamma(4, scale=0.005)),
    "erlang of many": (phases.Erlang(phases=5000, mean="20ms"), stats.gamma(5000, scale=0.02 / 5000)),
    "pareto": (spec.Pareto(alpha=4.5, minimum="2ms"), stats.pareto(4.5, scale=0.002)),
    "weibull": (spec.Weibull(shape=0.7, scale="10ms"), stats.weibull_min(0.7, scale=0.01)),
    "hyperexponential": (phases.HyperExponential(mean="10ms", cv=2), None),
    "empirical": (measured.Empirical(data=DATA), None),
    "replay": (measured.Replayed(data=DATA), None),
    "mixture": (
        measured.Mixture(
            weights=(9, 0, 1),
            parts=(spec.Constant(value="2ms"), spec.Constant(value="9s"), spec.Exponential(mean="80ms")),
        ),
        None,
    ),
    "nested mixture": (measured.Mixture(weights=(1, 1), parts=(spec.Gamma(mean="5ms", cv=0.5), INNER)), None),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def sample(distribution, stream="work", attempt=0, count=COUNT):
    table = DrawTable()
    row = table.add(distribution, stream)
    return draws(*table.arrays(1, 0), row, np.arange(count, dtype=np.int64), attempt)


@pytest.mark.long
@every_kind
def test_moments_are_those_the_spec_tells(kind):
    distribution, _ = KINDS[kind]
    values = sample(distribution)
    deviations = values - distribution.mean
    assert abs(deviations.mean()) <= 4.5 * values.std() / math.sqrt(COUNT) + 1e-12
    squares = deviations**2
    assert (
        abs(squares.mean() - distribution.scv * distribution.mean**2) <= 4.5 * squares.std() / math.sqrt(COUNT) + 1e-15
    )


@pytest.mark.parametrize("kind", [kind for kind, (_, reference) in KINDS.items() if reference is not None])
def test_the_whole_distribution_is_that_of_scipy(kind):
    distribution, reference = KINDS[kind]
    for attempt in (0, 3):
        assert stats.kstest(sample(distribution, attempt=attempt), reference.cdf).pvalue > SIGNIFICANCE


@pytest.mark.parametrize("kind", ["exponential", "lognormal", "uniform", "pareto", "weibull"])
def test_inversion_gives_the_quantile_of_its_uniform(kind):
    """So a greater uniform is a longer time in each of them, and scenarios with different distributions stay paired."""
    distribution, reference = KINDS[kind]
    u = uniforms(stream_key(1, 0, "work"), np.arange(5000), 0)
    assert sample(distribution, count=5000) == pytest.approx(reference.ppf(u), rel=1e-9)


def test_the_normal_quantile_is_accurate_in_body_and_tails():
    points = [10.0**-k for k in range(1, 16)] + [
        2.0**-53,
        0.075,
        0.0749999,
        0.5,
        0.925,
        0.9250001,
        1 - 2.0**-53,
        *np.linspace(0.001, 0.999, 999),
    ]
    for u in points:
        assert transforms.normal_quantile(u) == pytest.approx(special.ndtri(u), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("branches", [phases.HyperExponential(mean="10ms", cv=3)])
def test_a_hyperexponential_is_a_mixture_of_exponentials(branches):
    def cdf(x):
        return sum(p * -np.expm1(-x / mean) for p, mean in zip(branches.probabilities, branches.means, strict=True))

    assert stats.kstest(sample(branches), cdf).pvalue > SIGNIFICANCE


def test_an_empirical_distribution_gives_each_value_its_share():
    values, counts = np.unique(sample(measured.Empirical(data=DATA)), return_counts=True)
    assert values.tolist() == sorted(set(DATA))
    assert stats.chisquare(counts, np.array([1, 2, 1, 1]) / 5 * COUNT).pvalue > SIGNIFICANCE


def test_a_mixture_gives_each_part_its_share_and_its_own_luck():
    mixture, _ = KINDS["mixture"]
    values = sample(mixture)
    constant = values == 0.002
    assert abs(constant.mean() - 0.9) < 4.5 * math.sqrt(0.9 * 0.1 / COUNT)
    assert stats.kstest(values[~constant], stats.expon(scale=0.08).cdf).pvalue > SIGNIFICANCE


def test_the_kth_entity_takes_the_kth_row_of_a_replay_and_every_attempt_the_same():
    replay = sampler(measured.Replayed(data=DATA), 99)
    for source in (0, 0x7FFFFF << 40, 0xFFFFFF << 40):
        assert [replay(source + k, k % 3) for k in range(12)] == [DATA[k % 5] for k in range(12)]


@every_kind
def test_a_sampler_and_the_table_give_the_same_bits(kind, monkeypatch):
    distribution, _ = KINDS[kind]
    table = DrawTable()
    table.add(spec.Exponential(mean="1s"), "another before it")
    row = table.add(distribution, "work")
    rows, data = table.arrays(7, 3)
    samplers = [sampler(distribution, stream_key(7, 3, "work"))]
    monkeypatch.setattr(shared, "_worth_it", True)
    samplers.append(sampler(distribution, stream_key(7, 3, "work")))
    first = 0x123456 << 40
    for attempt in (0, 1, 2, 17):
        values = draws(rows, data, row, np.arange(first, first + 2000), attempt)
        for draw_one in samplers:
            assert [draw_one(entity, attempt) for entity in range(first, first + 2000)] == values.tolist()


def test_what_overflows_is_no_error_in_python_either():
    """Python raises where machine code goes on with infinity."""
    heaviest = spec.Pareto(alpha=0.001, minimum="1ms")
    draw_one = sampler(heaviest, stream_key(1, 0, "work"))
    assert [draw_one(entity, 0) for entity in range(3000)] == sample(heaviest, count=3000).tolist()


@every_kind
def test_another_row_in_the_table_moves_nobodys_luck(kind):
    distribution, _ = KINDS[kind]
    alone, among = DrawTable(), DrawTable()
    row = alone.add(distribution, "work")
    among.add(KINDS["nested mixture"][0], "other")
    among.add(distribution, "third")
    later = among.add(distribution, "work")
    entities = np.arange(500)
    assert (
        draws(*alone.arrays(1, 0), row, entities, 0).tolist() == draws(*among.arrays(1, 0), later, entities, 0).tolist()
    )


@pytest.mark.parametrize("kind", ["exponential", "gamma below 1", "hyperexponential", "nested mixture"])
def test_attempts_replications_seeds_and_streams_draw_anew(kind):
    distribution, _ = KINDS[kind]
    table = DrawTable()
    row, other = table.add(distribution, "work"), table.add(distribution, "other")
    entities = np.arange(50_000)
    ranks = [
        stats.rankdata(draws(*table.arrays(*where), which, entities, attempt))
        for where, which, attempt in (
            ((1, 0), row, 0),
            ((1, 0), row, 1),
            ((1, 1), row, 0),
            ((2, 0), row, 0),
            ((1, 0), other, 0),
        )
    ]
    correlations = np.corrcoef(ranks) - np.eye(5)
    assert abs(correlations).max() < 4.5 / math.sqrt(entities.size)


def test_plain_uniforms_are_the_generators_own():
    key = stream_key(1, 0, "coin")
    luck = uniform_sampler(key)
    table = DrawTable()
    row = table.add_uniform("coin")
    entities = np.arange(1000)
    assert (
        [luck(k, 2) for k in range(1000)]
        == uniforms(key, entities, 2).tolist()
        == draws(*table.arrays(1, 0), row, entities, 2).tolist()
    )


def test_the_heaviest_tails_stay_finite():
    heavy = sample(spec.Pareto(alpha=0.001, minimum="1ms"))
    assert np.isfinite(heavy).all()
    assert np.isfinite(sample(spec.Gamma(mean="1ms", cv=1e4))).all()
    assert np.isfinite(sample(spec.LogNormal(median="1ms", sigma=25))).all()


class Triangle(spec.Distribution):
    def quantile(self, u: float) -> float:
        return math.sqrt(u)


def test_a_plug_ins_distribution_is_drawn_by_its_quantile_and_has_no_row():
    key = stream_key(1, 0, "work")
    draw_one = sampler(Triangle(), key)
    assert [draw_one(k, 0) for k in range(10)] == [math.sqrt(uniform_sampler(key)(k, 0)) for k in range(10)]
    with pytest.raises(UsageError, match="triangle"):
        DrawTable().add(Triangle(), "work")


def test_a_recording_that_was_not_read_is_an_error():
    with pytest.raises(UsageError, match="has not been read"):
        sampler(measured.Replayed(file="times.csv"), 1)
