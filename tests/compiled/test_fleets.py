"""Replicas that come and go, on both engines: scaled, deployed, restarted, broken down by chance, with all steps in the midst of that."""

import pytest

import sim
from sim import compiled, models
from sim.vocabulary import EventKind
from tests.compiled.same import differences
from tests.models.random_systems.elastic import Elastic

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each


def check(seed):
    (scenario,) = sim.load_text(Elastic(seed).text()).variants.values()
    one, other = models.simulate(scenario), compiled.simulate(scenario)
    assert differences(one, other) == [], seed
    return {EventKind(kind) for kind in one.events["kind"]}


def test_some_systems_made_at_random():
    seen = set().union(*(check(seed) for seed in range(6)))
    assert {EventKind.SCALED, EventKind.REPLICA_DRAINING, EventKind.REPLICA_STOPPED, EventKind.FAULT_ENDED} <= seen


@pytest.mark.long
def test_many_systems_made_at_random():
    for seed in range(6, 80):
        check(seed)
