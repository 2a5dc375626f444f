"""The best of k, with a guarantee."""

import numpy as np
import pytest

from sim.stats.selection import Race, h_squared


def raced(values: np.ndarray, indifference: float, first: int = 10) -> Race:
    """A race over rows of values, one row per system, until one stands or the values end."""
    names = [str(row) for row in range(len(values))]
    race = Race({name: values[row, :first] for row, name in enumerate(names)}, indifference)
    while len(race.standing) > 1 and race.n < values.shape[1]:
        race.add({name: values[int(name), race.n] for name in race.standing})
    return race


def slippage(generator: np.random.Generator, k: int, runs: int, correlation: float = 0.0) -> np.ndarray:
    """The hardest case: the first is better than all others by exactly the indifference of 1, and the spread is twice that."""
    common, own = generator.normal(0, 2.0, runs), generator.normal(0, 2.0, (k, runs))
    values = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    values[0] += 1.0
    return values


@pytest.mark.parametrize(("k", "first", "h2"), [(2, 10, 6.01), (5, 20, 9.02), (10, 20, 11.5)])
def test_the_constant_is_that_of_the_table(k, first, h2):
    assert h_squared(k, first, 0.95) == pytest.approx(h2, abs=0.05)


def test_a_plain_winner_is_selected_from_the_first_batch():
    generator = np.random.default_rng(1)
    race = raced(np.array([[0.0], [100.0], [50.0]]) + generator.normal(0, 1, (3, 50)), 1.0)
    assert (race.standing, race.leader, race.n) == (("1",), "1", 10)


def test_common_luck_ends_it_sooner():
    generator = np.random.default_rng(2)
    alone = np.mean([raced(slippage(generator, 5, 2000), 1.0).n for _ in range(30)])
    together = np.mean([raced(slippage(generator, 5, 2000, correlation=0.9), 1.0).n for _ in range(30)])
    assert together < alone / 2


def test_equals_end_with_the_first():
    luck = np.random.default_rng(3).normal(0, 1, 100)
    race = raced(np.array([luck, luck, luck - 5.0]), 0.5)
    assert race.standing == ("0",)
    assert race.n <= 11


def test_it_is_over_at_the_latest_when_it_says():
    generator = np.random.default_rng(4)
    for _ in range(50):
        values = generator.normal(0, 1, (3, 3000))
        names = ["a", "b", "c"]
        race = Race({name: values[row, :10] for row, name in enumerate(names)}, 0.5)
        most = race.most
        while len(race.standing) > 1:
            race.add({name: values[names.index(name), race.n] for name in race.standing})
        assert race.n <= most


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_the_best_is_selected_as_often_as_promised(correlation):
    """Three hundred races of three in the hardest case."""
    generator = np.random.default_rng(5)
    right = [raced(slippage(generator, 3, 2000, correlation), 1.0).leader == "0" for _ in range(300)]
    assert np.mean(right) >= 0.95


@pytest.mark.long
@pytest.mark.parametrize(("k", "correlation"), [(2, 0.0), (5, 0.0), (5, 0.5), (10, 0.0)])
def test_the_best_of_many_is_selected_as_often_as_promised(k, correlation):
    """Two thousand races; a binomial share of 0.95 would be below 0.94 once in forty times."""
    generator = np.random.default_rng([k, int(10 * correlation)])
    right = [raced(slippage(generator, k, 5000, correlation), 1.0).leader == "0" for _ in range(2000)]
    assert np.mean(right) >= 0.95
