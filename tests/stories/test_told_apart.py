"""Routes that take part of what is sent to another, by the headers of each request."""

import pytest

from sim import testing

TEXT = """
duration: 20s
traffic: {a: {sends: GET /, USERS headers: {x-tier: {gold: 20%, free: 80%}, host: {eu.shop: 50%, shop: 50%}}}}
gateway:
  workers: unlimited
  routes:
    GET /: {to: shop.all}
    gold: {matches: GET /, headers: {x-tier: gold}, to: shop.gold}
    eu: {matches: GET /, hosts: eu.*, to: shop.eu, LIMITS}
services: {shop: {workers: unlimited, endpoints: {all: [{work: 1ms}], gold: [{work: 10ms}, LAST], eu: [{work: 100ms}]}}}
"""
TIMES = [index * 0.01 for index in range(1000)]
LIMIT = "rate_limits: [{per: all, rate: 10/s}]"


def played(users="", limits="timeout: 9s", last="{work: 0ms}", text=TEXT, times=TIMES):
    return testing.play(text.replace("USERS", users).replace("LIMITS", limits).replace("LAST", last), {"a": times})


def routes(run):
    return list(run.requests["route"])


def test_each_request_takes_the_route_that_asks_for_what_it_carries():
    """Hosts before headers: half of all, a fifth of the other half, and the rest; three standard errors are 5 %."""
    run = played()
    taken = routes(run)
    assert {name: taken.count(name) / len(taken) for name in set(taken)} == pytest.approx(
        {"eu": 0.5, "gold": 0.1, "GET /": 0.4}, abs=0.05
    )
    times = {"GET /": 0.001, "gold": 0.01, "eu": 0.1}
    assert run.responses("a") == pytest.approx([times[name] for name in taken])


def test_a_user_is_always_the_same_and_so_is_the_route():
    taken: dict[int, set[str]] = {}
    run = played("users: {count: 40},")
    for user, route in zip(run.requests["user"], routes(run), strict=True):
        taken.setdefault(int(user), set()).add(route)
    assert len(taken) == 40
    assert {len(its) for its in taken.values()} == {1}


def test_limits_of_a_route_are_of_those_that_take_it():
    """A hundred a second come, some fifty of them by the host that the limit is for: in each second ten of these pass."""
    run = played(limits=LIMIT)
    passed = [outcome for outcome, route in zip(run.outcomes("a"), routes(run), strict=True) if route == "eu"]
    assert passed.count("ok") == 10 * 10
    assert {o for o, route in zip(run.outcomes("a"), routes(run), strict=True) if route != "eu"} == {"ok"}


def test_who_tries_again_takes_the_same_route():
    text = TEXT.replace("sends: GET /,", "sends: GET /, retry: {max_attempts: 3, backoff: {constant: 0s}},", 1)
    run = played(last="{fail: 100%}", text=text)
    failed = {route for outcome, route in zip(run.outcomes("a"), routes(run), strict=True) if outcome == "error"}
    assert failed == {"gold"}
    assert {"ok"} == {o for o, route in zip(run.outcomes("a"), routes(run), strict=True) if route != "gold"}


def test_a_visitor_is_one_user_with_one_route():
    """Visits of three requests: whoever began at a route goes on there."""
    text = TEXT.replace("sends: GET /,", "sends: GET /, visit: {requests: 3, think: 10ms},", 1)
    run = played("users: {count: 40},", text=text, times=TIMES[::3])
    taken: dict[int, set[str]] = {}
    for user, route in zip(run.requests["user"], routes(run), strict=True):
        taken.setdefault(int(user), set()).add(route)
    assert {len(its) for its in taken.values()} == {1}
