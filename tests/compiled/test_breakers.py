"""Who waits for the test call of cockatiel is killed, given up, frozen and woken alike on both engines; and how
resilience4j's breaker, which turns by itself, tells of it on both.
"""

import itertools

import pytest

from sim import compiled, models, testing
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


BY_ITSELF = """
duration: 20s
services:
  app: {workers: unlimited, endpoints: {get: [{call: bank.get, policy: p}]}}
  bank: {workers: unlimited, endpoints: {get: [{wait: 2600ms}]}}
policies:
  p:
    circuit_breaker:
      resilience4j:
        sliding_window_size: 1
        minimum_number_of_calls: 1
        wait_duration_in_open_state: 1s
        permitted_number_of_calls_in_half_open_state: 1
        automatic_transition_from_open_to_half_open_enabled: true
faults:
  - {at: 450ms, for: 250ms, errors: {of: bank, share: 100%}}
  - {at: 5s, for: 10s, outage: bank, how: blackhole}
"""
BOUNDED = BY_ITSELF.replace(
    "half_open_enabled: true", "half_open_enabled: true\n        max_wait_duration_in_half_open_state: 1s"
)


def states(system, arrivals):
    """When it was in which state, as both engines tell."""
    played = testing.play_on_both(system, arrivals, sends="app.get")
    events = [(event.time, event.kind) for event in played.events() if event.kind.startswith("breaker")]
    return [(pytest.approx(time), kind.removeprefix("breaker_")) for time, kind in events]


def test_a_breaker_that_has_turned_more_than_once_since_it_was_looked_at_tells_its_last_two_states():
    """Opened at 0.5 s, half-open at 1.5, 3.5, 5.5, 7.5 ... and open at 2.5, 4.5, 6.5, 8.5 ... s, each for a second.

    The probe of 6.0 s is lost in a black hole, the call of 9.0 s refused: both look at it, and so does the end at 9.2 s.
    """
    seen = [(0.5, "opened"), (4.5, "opened"), (5.5, "half_opened"), (7.5, "half_opened"), (8.5, "opened")]
    assert states(BOUNDED.replace("duration: 20s", "duration: 9200ms"), [0.5, 6.0, 9.0]) == seen
    assert states(BOUNDED.replace("duration: 20s", "duration: 9200ms"), [0.5, 6.0]) == seen, "the end alone looks at it"


def test_a_late_good_result_closes_a_breaker_that_was_half_open_by_itself():
    """The call of 0.4 s is answered at 3.0 s, where nobody has looked since the failure of 0.5 s."""
    assert states(BY_ITSELF, [0.4, 0.5]) == [(0.5, "opened"), (1.5, "half_opened"), (3.0, "closed")]


def test_a_constant_wait_is_cut_to_whole_milliseconds():
    """Duration.ofNanos(1_000_900_000).toMillis() is 1000: 500 us after the second it is over."""
    system = BY_ITSELF.replace("open_state: 1s", "open_state: 1000900us")
    assert states(system, [0.5]) == [(0.5, "opened"), (1.5, "half_opened")]
    asked = system.replace("half_open_enabled: true", "half_open_enabled: false")
    assert states(asked, [0.5, 1.5005]) == [(0.5, "opened"), (1.5005, "half_opened"), (4.1005, "closed")]
