"""Zipf, exactly."""

import numpy as np
import pytest
from scipy import stats

from sim.chance import shared
from sim.chance.keyed import stream_key
from sim.chance.popularity import LARGEST_TABLE, chooser, cumulative_weights, popularity_table, rank, stride
from sim.chance.shared import machine_code
from sim.spec.traffic import Popularity

KEY = stream_key(1, 0, "users")


def weights(count, exponent):
    share = np.arange(1, count + 1, dtype=float) ** -exponent
    return share / share.sum()


@pytest.mark.parametrize("exponent", [0, 0.5, 0.99, 1.0, 2.5, 10])
@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_ranks_have_exactly_their_share_of_the_uniforms(count, exponent):
    """Just below the end of a rank's share it is chosen, just above it the next one is."""
    ends = np.cumsum(weights(count, exponent))
    table = popularity_table(count, float(exponent))
    for index, end in enumerate(ends[:-1]):
        if index == 0 or end - ends[index - 1] > 1e-12:
            assert rank(end - 1e-13, count, float(exponent), 1, table, table.size) == index
        if ends[index + 1] - end > 1e-12:
            assert rank(end + 1e-13, count, float(exponent), 1, table, table.size) == index + 1
    assert rank(2.0**-53, count, float(exponent), 1, table, table.size) == 0
    assert 0 <= rank(1 - 2.0**-53, count, float(exponent), 1, table, table.size) < count


@pytest.mark.parametrize("exponent", [0, 0.9, 1.5])
def test_observed_frequencies_are_those_of_the_law(exponent):
    count, draws = 100, 200_000
    choose = chooser(Popularity(count=count, popularity={"zipf": exponent}), KEY)
    chosen = [choose(entity) for entity in range(draws)]
    assert stats.chisquare(np.bincount(chosen, minlength=count), weights(count, exponent) * draws).pvalue > 1e-3


def test_plain_python_and_machine_code_choose_the_same(monkeypatch):
    popularity = Popularity(count=50_000, popularity={"zipf": 0.9})
    plain = chooser(popularity, KEY)
    chosen = [plain(k) for k in range(5000)]
    monkeypatch.setattr(shared, "_worth_it", True)
    fast = chooser(popularity, KEY)
    assert [fast(k) for k in range(5000)] == chosen
    uniform = chooser(Popularity(count=10), KEY)
    assert {uniform(k) for k in range(1000)} == set(range(10))


@pytest.mark.parametrize("exponent", [0.3, 1.0, 3.0])
def test_a_table_of_every_64th_rank_chooses_as_the_whole_table_does(exponent):
    count = 1001
    whole, coarse = cumulative_weights(count, exponent, 1), cumulative_weights(count, exponent, 64)
    for u in np.concatenate([np.linspace(1e-9, 1 - 1e-9, 5000), whole[:-1] / whole[-1]]):
        assert rank(u, count, exponent, 1, whole, whole.size) == rank(u, count, exponent, 64, coarse, coarse.size)


@pytest.mark.parametrize("exponent", [0.3, 1.0, 3.0])
def test_weights_are_the_same_in_python_and_machine_code(exponent):
    assert (
        machine_code(cumulative_weights)(5000, exponent, 3).tolist() == cumulative_weights(5000, exponent, 3).tolist()
    )


def test_millions_of_users_need_a_small_table():
    count = 3 * LARGEST_TABLE + 5
    table = popularity_table(count, 0.8)
    assert stride(count) == 4
    assert table.size <= LARGEST_TABLE
    assert rank(1 - 2.0**-53, count, 0.8, 4, table, table.size) <= count - 1
    assert popularity_table(count, 0.8) is table
    half = float(np.searchsorted(np.cumsum(weights(count, 0.8)), 0.5))
    assert rank(0.5, count, 0.8, 4, table, table.size) == pytest.approx(half, abs=2)
