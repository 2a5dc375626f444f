"""The names of call sites, and the salts that keep two sites of one target apart."""

import pytest

from sim import testing
from sim.models.sites import salts, tried_again
from sim.spec import load_document
from sim.spec.base import register, unregister
from sim.spec.sites import named
from sim.spec.step import AnyStep, Step


def salts_of(services, sends="a.get", **more):
    document = {
        "version": 1,
        "duration": "1s",
        "traffic": {"t": {"sends": sends, "arrivals": {"poisson": "1/s"}}},
        "services": services,
        **more,
    }
    return salts(next(iter(load_document(document).variants.values())))


def service(**endpoints):
    return {"workers": "unlimited", "endpoints": endpoints}


WORK = [{"work": {"exponential": "100ms"}}]


def test_steps_are_named_by_kind_and_numbered_from_the_second_of_a_kind():
    document = {
        "version": 1,
        "duration": "1s",
        "traffic": {"t": {"sends": "a.get", "arrivals": {"poisson": "1/s"}}},
        "services": {"a": service(get=[*WORK, {"wait": "1s"}, *WORK, *WORK])},
    }
    steps = next(iter(load_document(document).variants.values())).services["a"].endpoints["get"].do
    assert [name for name, _ in named("a.get", steps)] == ["a.get.work", "a.get.wait", "a.get.work.2", "a.get.work.3"]


def test_the_first_site_of_a_target_has_salt_0_and_any_other_has_one_of_its_own():
    found = salts_of(
        {"a": service(get=[{"call": "b.get"}, {"call": "b.get"}, {"call": "b.get"}]), "b": service(get=WORK)}
    )
    assert found["a.get.call"] == 0
    assert 0 != found["a.get.call.2"] != found["a.get.call.3"] != 0


def test_a_site_that_no_traffic_reaches_takes_nobodys_luck():
    services = {"a": service(get=[{"call": "b.get"}]), "b": service(get=WORK)}
    alone = salts_of(services)
    assert salts_of({"unused": service(get=[{"call": "b.get"}]), **services}) == alone


def marked(services, traffic=None, **more):
    client = {"sends": "a.get", "arrivals": {"poisson": "1/s"}, **(traffic or {})}
    document = {"version": 1, "traffic": {"t": client}, "services": services, **more, "duration": "1s"}
    return tried_again(next(iter(load_document(document).variants.values())))


AGAIN = {"retry": {"max_attempts": 2}}
CHAIN = {"a": service(get=[{"call": "b.get"}]), "b": service(get=[{"call": "c.get"}]), "c": service(get=WORK)}


def test_a_request_need_not_remember_where_it_can_come_once_only():
    assert marked(CHAIN) == set()
    assert marked({**CHAIN, "a": service(get=[{"call": "b.get", "policy": {"retry": {"max_attempts": 1}}}])}) == set()


def test_calls_that_are_tried_again_are_marked_and_so_are_all_below_them():
    assert marked(CHAIN, {"retry": AGAIN["retry"]}) == {"a.get.call", "b.get.call"}
    assert marked({**CHAIN, "b": service(get=[{"call": "c.get", "policy": "p"}])}, policies={"p": AGAIN}) == {
        "b.get.call"
    }
    assert marked({**CHAIN, "a": service(get=[{"call": "b.get"}, {"call": "b.get", "policy": AGAIN}])}) == {
        "a.get.call.2",
        "b.get.call",
    }
    inner = {
        "parallel": [[{"perform": "a.other"}], [{"call": "c.get", "fallback": [{"call": "b.get", "policy": AGAIN}]}]]
    }
    assert marked({**CHAIN, "a": service(get=[inner], other=[{"call": "c.get"}])}) == {
        "a.get.parallel.1.call.fallback.call",
        "b.get.call",
    }


def test_calls_below_a_gateways_route_and_of_consumers_are_marked():
    gateway = {"workers": 1, "routes": {"GET /a": {"to": "a.get", "policy": AGAIN}, "GET /b": {"to": "b.get"}}}
    both = {"sends": {"GET /a": 0.5, "GET /b": 0.5}}
    assert marked(CHAIN, both, gateway=gateway) == {"gateway.GET /a.call", "a.get.call", "b.get.call"}
    assert marked(CHAIN, {"sends": "GET /b"}, gateway=gateway) == set()
    consumer = {
        **service(get=WORK),
        "consumes": {"events": {"group": "g", "do": [{"perform": "d.get"}, {"call": "b.get"}]}},
    }
    assert marked({**CHAIN, "a": service(get=[{"publish": "events"}]), "d": consumer}, **BROKER) == {
        "d/g/events.call",
        "b.get.call",
    }


BROKER = {"brokers": {"kafka": {"kind": "log", "topics": {"events": {"partitions": 4}}}}, "duration": "100s"}


def diamond(first, second):
    """a calls b and c, and both call d."""
    return {
        "duration": "100s",
        "services": {
            "a": service(get=[{"call": first}, {"call": second}]),
            "b": service(get=[{"call": "d.get"}]),
            "c": service(get=[{"call": "d.get"}]),
            "d": service(get=WORK),
        },
    }


def times_at(played, endpoint):
    return [round(attempt.ended - attempt.started, 9) for attempt in played.attempts(endpoint)]


def test_the_two_calls_of_a_diamond_draw_differently():
    played = testing.play(diamond("b.get", "c.get"), [k * 1.0 for k in range(30)], sends="a.get")
    times = times_at(played, "d.get")
    assert len(set(times)) == len(times) == 60


def test_calling_one_target_twice_draws_twice():
    played = testing.play(
        {"duration": "100s", "services": {"a": service(get=[{"call": "d.get"}] * 2), "d": service(get=WORK)}},
        [k * 1.0 for k in range(30)],
        sends="a.get",
    )
    assert len(set(times_at(played, "d.get"))) == 60


def test_a_retry_draws_a_wait_anew():
    wait = {"wait": {"exponential": "100ms"}}
    system = {
        "services": {
            "a": service(get=[{"call": "d.get", "policy": {"retry": {"max_attempts": 5}}}]),
            "d": service(get=[wait, {"fail": 1.0}]),
        }
    }
    assert len(set(times_at(testing.play(system, [0.0], sends="a.get"), "d.get"))) == 5


@pytest.mark.parametrize("via", ["broker", "outbox"])
def test_an_order_meets_the_same_luck_called_or_by_an_event(via):
    arrivals = [k * 1.0 for k in range(30)]
    sync = testing.play(
        {
            "duration": "100s",
            "services": {"a": service(get=[{"call": "d.get"}]), "d": service(get=[*WORK, {"effect": "done"}])},
            "traffic": {"t": {"sends": "a.get", "completes_with": ["done"]}},
        },
        arrivals,
    )
    consumer = {
        **service(get=[*WORK, {"effect": "done"}]),
        "consumes": {"events": {"group": "g", "auto_offset_reset": "earliest", "do": [{"perform": "d.get"}]}},
    }
    event = testing.play(
        {
            **BROKER,
            "services": {"a": service(get=[{"publish": "events", "via": via, "poll": "1ms"}]), "d": consumer},
            "traffic": {"t": {"sends": "a.get", "completes_with": ["done"]}},
        },
        arrivals,
    )
    called = [round(done, 6) for done in sync.completions()]
    consumed = [round(done, 6) for done in event.completions()]
    if via == "broker":
        assert called == consumed
    else:
        assert all(0.0 <= later - sooner <= 0.0011 for sooner, later in zip(called, consumed, strict=True))


def test_two_events_of_one_order_through_the_outbox_have_different_luck():
    """The second publishing site of a topic has a salt, as the second call of an endpoint has."""
    consumer = {
        **service(get=WORK),
        "consumes": {
            "events": {"group": "g", "auto_offset_reset": "earliest", "do": [{"perform": "d.get"}, {"effect": "done"}]}
        },
    }
    system = {
        **BROKER,
        "services": {
            "a": service(
                get=[
                    {"publish": "events", "via": "outbox", "poll": "1ms"},
                    {"wait": "400ms"},
                    {"publish": "events", "via": "outbox", "poll": "1ms"},
                ]
            ),
            "d": consumer,
        },
    }
    system["brokers"]["kafka"]["topics"]["events"]["partitions"] = 50
    ends = testing.play(system, [0.0], sends="a.get").records.messages
    lasted = [round(float(row["end"] - row["available"]), 6) for row in ends]
    assert len(lasted) == 2
    assert lasted[0] != lasted[1]


def test_adding_a_component_moves_nobody_elses_luck():
    arrivals = [k * 0.5 for k in range(100)]
    small = {"services": {"a": service(get=[*WORK, {"call": "b.get"}]), "b": service(get=WORK)}}
    large = {
        "services": {
            "new": service(get=WORK),
            "a": service(get=[*WORK, {"call": "b.get"}, {"call": "new.get"}]),
            "b": service(get=WORK),
        }
    }
    one, other = testing.play(small, arrivals, sends="a.get"), testing.play(large, arrivals, sends="a.get")
    assert times_at(one, "b.get") == times_at(other, "b.get")
    assert [attempt.started for attempt in one.attempts("b.get")] == [
        attempt.started for attempt in other.attempts("b.get")
    ]


def test_replications_have_different_luck():
    system = {"services": {"a": service(get=WORK)}}
    assert testing.play(system, [0.0, 5.0]).responses() != testing.play(system, [0.0, 5.0], replication=1).responses()
    assert testing.play(system, [0.0, 5.0]).responses() == testing.play(system, [0.0, 5.0]).responses()


def test_steps_that_a_plug_in_holds_are_sites_too():
    @register("step", "twice")
    class Twice(Step):
        positional = "first"
        first: tuple[AnyStep, ...]
        then: AnyStep | None = None

    try:
        step = {"twice": [{"call": "b.get"}], "then": {"call": "b.get"}}
        found = salts_of({"a": service(get=[step]), "b": service(get=[{"call": "c.get"}]), "c": service(get=WORK)})
    finally:
        unregister("step", "twice")
    assert found["a.get.twice.first.call"] == found["b.get.call"] == 0
    assert found["a.get.twice.then.call"] != 0
