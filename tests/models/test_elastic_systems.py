"""Systems made at random of what comes and goes: whatever happens at once, their books balance, and luck is the same again."""

import pytest

import sim
from sim.models import simulate
from sim.vocabulary import Outcome
from tests.models.random_systems.elastic import Elastic

QUICK, MORE = 2, 80


def check(seed):
    (scenario,) = sim.load_text(Elastic(seed).text()).variants.values()
    records = simulate(scenario)  # which refuses to hand over records whose books do not balance
    assert len(records.requests) > 0
    assert set(records.requests["outcome"]) <= {int(outcome) for outcome in Outcome}
    again = simulate(scenario)
    assert records.requests.tobytes() == again.requests.tobytes()
    assert records.events.tobytes() == again.events.tobytes()
    levels = {
        f"{its.component}.{its.quantity}": column[-1]
        for its, column in zip(records.series, records.gauges.T, strict=True)
    }
    assert all(value >= 0 for value in levels.values())
    return scenario, records


@pytest.mark.parametrize("seed", range(QUICK))
def test_some(seed):
    check(seed)


@pytest.mark.long
def test_many():
    for seed in range(QUICK, MORE):
        check(seed)
