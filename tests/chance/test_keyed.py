"""The generator: the same bits everywhere, numbers strictly between 0 and 1, streams that do not know one another."""

import math

import numpy as np
import pytest

from sim.chance.keyed import bits, derived_key, lot, stream_key, stream_number, uniform, uniforms, unit
from sim.chance.shared import machine_code

MASK = (1 << 64) - 1
PINNED_KEY, PINNED_UNIFORM = 5894026222732476272, 0.5292958194856915
EDGES = (0, 1, 2, 1 << 40, (1 << 63) - 1, 1 << 63, MASK)


def mix_of_ints(z):
    z &= MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def bits_of_ints(key, entity, attempt):
    return mix_of_ints(mix_of_ints(key + 0x9E3779B97F4A7C15 * entity) + key + 0x9E3779B97F4A7C15 * (attempt + 1))


def test_python_numpy_and_machine_code_give_the_same_bits():
    entities = np.arange(3000, dtype=np.int64) + (7 << 40)
    fast = machine_code(uniform)
    for key in (0, stream_key(1, 0, "orders.create.work"), MASK):
        for attempt in (0, 1, 5):
            by_ints = [((bits_of_ints(key, int(entity), attempt) >> 12) + 0.5) * 2.0**-52 for entity in entities]
            assert uniforms(key, entities, attempt).tolist() == by_ints
            assert [uniform(key, entity, attempt) for entity in entities.tolist()] == by_ints
            assert [fast(np.uint64(key), entity, attempt) for entity in entities[:50].tolist()] == by_ints[:50]


def test_the_whole_range_of_keys_entities_and_attempts_is_taken():
    fast, fast_lot = machine_code(bits), machine_code(lot)
    for key in EDGES:
        for entity in EDGES:
            assert lot(entity) == int(fast_lot(np.uint64(entity))) == mix_of_ints(entity + 0x9E3779B97F4A7C15) >> 1
            for attempt in EDGES[:5]:
                found = bits(key, entity, attempt)
                assert (
                    found
                    == int(fast(np.uint64(key), np.uint64(entity), np.uint64(attempt)))
                    == bits_of_ints(key, entity, attempt)
                )


def test_a_uniform_is_never_0_or_1():
    assert unit(0) == 2.0**-53
    assert unit(MASK) == 1.0 - 2.0**-53
    assert 1.0 - unit(0) < 1.0  # so that its logarithm is not 0 either


def test_keys_are_pinned():
    """Changing them would change the luck of every scenario ever run."""
    assert stream_number("orders.create.work") == 12086853527351168139
    assert stream_key(1, 0, "orders.create.work") == PINNED_KEY
    assert uniform(PINNED_KEY, 0, 0) == PINNED_UNIFORM


def test_seeds_and_replications_of_any_size_make_a_key():
    keys = {
        stream_key(seed, replication, name)
        for seed in (0, 1, -1, 10**30)
        for replication in (0, 1, 10**9)
        for name in ("a", "b")
    }
    assert len(keys) == 24
    assert all(0 <= key <= MASK for key in keys)
    assert derived_key(1, "stays") != derived_key(1, "part 0")


COUNT = 1 << 18
LIMIT = 4.5  # standard errors; about 60 correlations are looked at


def centred(key, attempt=0):
    return uniforms(key, np.arange(COUNT, dtype=np.int64), attempt) - 0.5


def correlation(x, y):
    """In standard errors."""
    return float(np.dot(x, y)) / len(x) * 12 * math.sqrt(len(x))


BASE = stream_key(1, 0, "work")


@pytest.mark.parametrize(
    "other",
    [
        *[pytest.param(lambda a=a: centred(BASE, a), id=f"attempt {a}") for a in range(1, 6)],
        *[pytest.param(lambda r=r: centred(stream_key(1, r, "work")), id=f"replication {r}") for r in range(1, 6)],
        *[pytest.param(lambda s=s: centred(stream_key(1 + s, 0, "work")), id=f"seed {1 + s}") for s in range(1, 6)],
        *[
            pytest.param(lambda n=n: centred(stream_key(1, 0, n)), id=f"stream {n}")
            for n in ("work1", "work2", "Work", "", "owrk")
        ],
        pytest.param(lambda: centred(derived_key(BASE, "part 0")), id="derived"),
    ],
)
def test_draws_that_differ_in_one_part_of_their_name_are_uncorrelated(other):
    assert abs(correlation(centred(BASE), other())) < LIMIT


def test_neighbouring_entities_are_uncorrelated():
    u = centred(BASE)
    assert max(abs(correlation(u[:-lag], u[lag:])) for lag in (1, 2, 3, 4, 5, 8, 16, 64, 256, 1000, 1024, 4096)) < LIMIT


@pytest.mark.parametrize("shift", [52, 26, 12, 0])
def test_bits_fill_their_range_evenly_alone_and_in_pairs(shift):
    random = np.array([bits_of_ints(BASE, entity, 0) for entity in range(40_000)], np.uint64) >> np.uint64(shift)
    for cells, size in ((random % 256, 256), (random[:-1] % 16 * 16 + random[1:] % 16, 256)):
        expected = len(cells) / size
        chi2 = float(((np.bincount(cells.astype(np.int64), minlength=size) - expected) ** 2 / expected).sum())
        assert abs(chi2 - (size - 1)) < LIMIT * math.sqrt(2 * (size - 1))


def test_the_first_draws_of_many_streams_are_even():
    """The usual use: many streams of which each draws little."""
    firsts = np.array(
        [bits_of_ints(stream_key(1, 0, f"service {n}"), entity, 0) for n in range(5000) for entity in range(4)],
        np.uint64,
    )
    counts = np.bincount((firsts >> np.uint64(56)).astype(np.int64), minlength=256)
    expected = len(firsts) / 256
    assert abs(float(((counts - expected) ** 2 / expected).sum()) - 255) < LIMIT * math.sqrt(2 * 255)
