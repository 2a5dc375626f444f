"""Who publishes to a log, on both engines: systems made at random of keys of one's own, partitions in turn and sizes."""

import pytest

from sim.spec import load_document
from tests.compiled.same import differences
from tests.models.random_systems.producers import producer_system

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each


def check(seed, producing):
    from sim import compiled, models

    (scenario,) = load_document(producer_system(seed, producing)).variants.values()
    one = compiled.simulate(scenario)
    assert differences(models.simulate(scenario), one) == []
    return one


def test_some_systems_without_a_producer_made_at_random():
    records = [check(seed, producing=False) for seed in range(3)]
    assert all(len(one.messages) > 100 for one in records)


@pytest.mark.long
def test_many_systems_without_a_producer_made_at_random():
    for seed in range(3, 60):
        check(seed, producing=False)
