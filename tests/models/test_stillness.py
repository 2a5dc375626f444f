"""Time that stands still is told, with who keeps turning and since when, by both engines; what is only busy at one instant is not."""

import pytest

from sim import compiled, models, testing
from sim.errors import TimeStandsStill
from sim.models.stillness import SENT, SENT_EACH, TURNS, Stillness
from sim.spec import load_document
from tests.compiled.same import differences

USERS = {"closed": {"users": 3, "think": "0s"}}
WORK = {"workers": 1, "endpoints": {"e": [{"work": "5ms"}]}}
TOPIC = {"k": {"kind": "log", "topics": {"t": {}}}}


def scenario_of(arrivals, services, sends="a.e", **more):
    traffic = {"u": {"sends": sends, "arrivals": arrivals, **more.pop("client", {})}}
    document = {"version": 1, "duration": "10s", "traffic": traffic, "services": services, **more}
    return next(iter(load_document(document).variants.values()))


LOOPS = {  # the scenario, and what is told of it: when, who, how they are answered
    "a refusal": (
        scenario_of(USERS, {"a": {"workers": 1, "endpoints": {"e": [{"refuse": "100%"}]}}}),
        ("at 0s", "traffic.u", "3 users", "refused at a.e", "traffic.u.arrivals.closed.think"),
    ),
    "a full queue": (
        scenario_of({"closed": {"users": 8, "think": "0s"}}, {"a": {**WORK, "queue": {"capacity": 5}}}),
        ("at 0s", "traffic.u", "8 users", "shed at a.e"),
    ),
    "nobody there": (
        scenario_of(USERS, {"a": WORK}, faults=[{"at": "6s", "for": "1s", "outage": "a", "how": "refuse"}]),
        ("at 6s", "traffic.u", "unreachable at a.e"),
    ),
    "an open breaker": (  # three attempts time out one after the other, each after 10 ms
        scenario_of(
            USERS,
            {
                "a": {"workers": 1, "endpoints": {"e": [{"call": "b.f", "policy": "p"}]}},
                "b": {"workers": 1, "endpoints": {"f": [{"work": "20ms"}]}},
            },
            policies={"p": {"timeout": "10ms", "circuit_breaker": {"failures": 3, "within": "1s", "open_for": "1s"}}},
        ),
        ("at 30ms", "traffic.u", "breaker_open at b.f"),
    ),
    "a limiter": (
        scenario_of(
            USERS,
            {"a": WORK},
            "r",
            gateway={
                "workers": 4,
                "rate_limits": [{"per": "all", "rate": "1/s", "burst": 1}],
                "routes": {"r": {"to": "a.e"}},
            },
        ),
        ("at 0s", "traffic.u", "rate_limited at gateway"),
    ),
    "a pause that floats cannot tell from none": (
        scenario_of(
            {"closed": {"users": 3, "think": "0.00000000001ns"}},
            {"a": {"workers": 1, "endpoints": {"e": [{"fail": "100%"}]}}},
        ),
        ("traffic.u", "error at a.e"),
    ),
    "no time in all the system": (
        scenario_of(
            USERS,
            {"a": {"workers": 5, "endpoints": {"e": [{"call": "b.f"}]}}, "b": {"workers": 5, "endpoints": {"f": []}}},
        ),
        ("at 0s", "traffic.u"),
    ),
    "no patience": (
        scenario_of(
            USERS, {"a": WORK}, client={"timeout": "0s", "retry": {"max_attempts": 1000, "backoff": {"constant": "0s"}}}
        ),
        ("at 0s", "a, with requests of traffic.u", "a pause between tries"),
    ),
    "retries of retries of retries": (
        scenario_of(
            {"deterministic": "1/s"},
            {
                name: {"workers": 1, "endpoints": {"e": [{"call": f"{after}.e", "policy": "p"}]}}
                for name, after in ("ab", "bc", "cd")
            }
            | {"d": {"workers": 1, "endpoints": {"e": [{"fail": "100%"}]}}},
            policies={"p": {"retry": {"max_attempts": 1000, "backoff": {"constant": "0s"}}}},
        ),
        ("at 1s", "requests of traffic.u"),
    ),
}
ENGINES = {"simpy": models.simulate, "compiled": compiled.simulate}


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_takes_no_time_is_told_with_its_place_and_its_time(engine, loop):
    scenario, words = LOOPS[loop]
    with pytest.raises(TimeStandsStill) as caught:
        ENGINES[engine](scenario)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.long
def test_a_consumer_that_fails_at_once_and_is_never_given_up_is_told():
    """Ten pending messages of 32,767 deliveries each turn 327,670 times; so do a hundred, ten times as often."""
    failing = {"workers": 1, "consumes": {"t": {"group": "g", "max_deliveries": 32_767, "do": [{"fail": "100%"}]}}}
    publishing = {"workers": 1000, "endpoints": {"e": [{"publish": "t"}]}}
    told = []
    for users in (10, 100):
        scenario = scenario_of(
            {"closed": {"users": users, "think": "6s"}}, {"a": publishing, "c": failing}, brokers=TOPIC
        )
        for simulate in ENGINES.values():
            try:
                told.append(len(simulate(scenario).messages))
            except TimeStandsStill as error:
                told.append("c, with requests of traffic.u" in str(error))
    assert told == [10, 10, True, True]


def test_a_user_who_may_be_unlucky_many_times_at_once_is_no_loop():
    """Nine of ten pauses are none, and a full queue refuses at once: thousands of requests at some instants, yet time goes on."""
    think = {"mixture": [{"weight": "90%", "constant": "0s"}, {"weight": "10%", "constant": "10ms"}]}
    scenario = scenario_of(
        {"closed": {"users": 30, "think": think}}, {"a": {**WORK, "queue": {"capacity": 3}}}
    ).model_copy(update={"duration": 2.0})
    simpy, fast = (simulate(scenario) for simulate in ENGINES.values())
    assert differences(simpy, fast) == []
    assert len(simpy.requests) > 30_000


def test_all_users_may_begin_at_one_instant_and_each_take_its_way_through_the_system():
    """A million users, thirty turns each."""
    scenario = scenario_of(
        {"closed": {"users": 1, "think": "0s"}},
        {"a": {"workers": 1, "endpoints": {"e": [{"work": "1ms"}, {"work": "1ms"}, {"work": "1ms"}]}}},
    )
    users = 1_000_000
    arrivals = scenario.traffic["u"].arrivals.model_copy(update={"users": users})
    traffic = scenario.traffic["u"].model_copy(update={"arrivals": arrivals})
    still = Stillness(scenario.model_copy(update={"traffic": {"u": traffic}}))
    assert all(still.goes_on(0.0, users, [users], users) for _ in range(30))
    assert still.goes_on(0.0, 1, [SENT + SENT_EACH * users], users)
    assert not still.goes_on(0.0, 1, [SENT + SENT_EACH * users + 1], users)


def test_what_is_counted_is_of_one_instant():
    still = Stillness(scenario_of({"poisson": "1/s"}, {"a": WORK}))
    assert all(still.goes_on(second * 1e-6, TURNS, [0], 0) for second in range(1, 100))
    assert still.goes_on(1.0, TURNS, [0], 0)
    assert still.goes_on(1.0 + 1e-12, TURNS, [0], 0)
    assert not still.goes_on(1.0 + 2e-12, 1, [0], 0)


def test_a_recording_may_have_all_its_requests_at_one_instant():
    scenario = scenario_of({"poisson": "1/s"}, {"a": WORK})
    still = Stillness(scenario)
    assert still.goes_on(0.0, 1_000_000, [100_000], 100_000), "ten turns each"
    assert not still.goes_on(0.0, 100_000_000, [100_000], 100_000)


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_checks_of_many_replicas_in_one_instant_are_no_loop(engine):
    """At 10 s 200 replicas are checked at once, when 6,000 requests have ended: of each check the rows that were there were counted as turns."""
    text = """
    duration: 11s
    services: {a: {replicas: 200, workers: 1, health_checks: {interval: 10s}, endpoints: {x: [{work: 1ms}]}}}
    """
    run = testing.play(text, [i / 600 for i in range(6000)], engine=engine)
    assert run.outcomes() == ["ok"] * 6000
