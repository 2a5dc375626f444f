"""Who waits for the test call of cockatiel is killed, given up, frozen and woken alike on both engines."""

import itertools

import pytest

from sim import compiled, models
from sim.spec import load_document
from sim.vocabulary import Stage
from tests.compiled.same import differences

pytestmark = pytest.mark.xdist_group("compiled")

BESIDE = {
    "alone": {},
    "limited": {"total_timeout": "300ms"},
    "hedged": {"hedge": {"after": "60ms", "max": 2}},
    "again": {"timeout": "200ms", "on_timeout": "cancel", "retry": {"backoff": {"constant": "50ms"}}},
    "narrow": {"bulkhead": {"max_concurrent_calls": 3, "max_wait": "100ms"}, "total_timeout": "400ms"},
    "pooled": {"pool": {"size": 2, "acquire_timeout": "100ms"}, "deadline": "propagate", "total_timeout": "350ms"},
}
HARM = {
    "frozen": {"outage": {"of": "a", "how": "hang"}, "at": "8s", "for": "2s"},
    "dead": {"crash": {"of": "a"}, "at": "8s", "restart_after": "2s"},
}
VARIANTS = list(itertools.product(BESIDE, ("replica", "service"), HARM))


@pytest.mark.parametrize(("beside", "scope", "harm"), VARIANTS[::3])
def test_waiting_for_the_test_call(beside, scope, harm):
    breaker = {"cockatiel": {"half_open_after": "300ms", "consecutive": 2}}
    document = {
        "version": 1,
        "duration": "15s",
        "record": {"spans": "all"},
        "traffic": {"clients": {"sends": "a.ask", "arrivals": {"poisson": "40/s"}, "timeout": "700ms"}},
        "policies": {"p": {**BESIDE[beside], "scope": scope, "circuit_breaker": breaker}},
        "services": {
            "a": {"replicas": 2, "workers": 50, "endpoints": {"ask": [{"call": "b.tell", "policy": "p"}]}},
            "b": {"workers": 8, "endpoints": {"tell": [{"wait": {"exponential": "120ms"}}, {"fail": "35%"}]}},
        },
        "faults": [HARM[harm], {"errors": {"of": "b", "share": "80%"}, "at": "12s", "for": "2s"}],
    }
    (scenario,) = load_document(document).variants.values()
    one = models.simulate(scenario)
    assert differences(one, compiled.simulate(scenario)) == []
    assert (one.stages["kind"] == Stage.OTHER).sum() > 20  # waits for a test call
