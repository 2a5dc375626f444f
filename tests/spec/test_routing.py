"""Which route takes a request, and on paper how many come to each: rules of Kong's traditional router, shares by hand."""

import re

import pytest

from sim.errors import ScenarioError
from sim.spec.loading import load_text
from sim.spec.routing import conditions, narrower

TEXT = """
version: 1
name: shop
duration: 1m
traffic:
  shoppers:
    sends: GET /
    arrivals: {poisson: 10/s}
    headers: {x-tier: {Gold: 20%, free: 80%}, host: {eu.shop.example: 25%, shop.example: 75%}, x-app: {ios: 50%, web: 50%}}
gateway:
  workers: 4
  routes:
    GET /: {to: shop.all}
ROUTES
services: {shop: {workers: 4, endpoints: {all: [{work: 1ms}]}}}
"""
GOLD, EU, WILD = "headers: {x-tier: gold}", "hosts: eu.shop.example", "hosts: '*.shop.example'"
TWO_HEADERS = "headers: {x-tier: gold, x-app: [ios, web]}"


def scenario(**routes):
    lines = (f"    {name}: {{matches: GET /, to: shop.all, {asked}}}" for name, asked in routes.items())
    return load_text(TEXT.replace("ROUTES", "\n".join(lines))).variants["base"]


def shares(**routes):
    return scenario(**routes).arriving("shoppers")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (f"{GOLD}, {EU}", TWO_HEADERS),  # two kinds before one of two headers
        (EU, TWO_HEADERS),  # of one kind hosts first
        (EU, WILD),
        (f"{GOLD}, {EU}", f"{TWO_HEADERS}, {WILD}"),  # whole hosts before more headers
        (TWO_HEADERS, GOLD),
    ],
)
def test_who_asks_for_more_is_asked_first(first, then):
    assert narrower(scenario(a=first, b=then).gateway) == {"GET /": ("a", "b")}
    assert narrower(scenario(a=then, b=first).gateway) == {"GET /": ("b", "a")}


def test_of_equals_the_first_in_the_file_is():
    assert narrower(scenario(a=GOLD, b="headers: {x-tier: free}").gateway) == {"GET /": ("a", "b")}


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("shop.example", {"shop.example", "SHOP.example"}),
        ("*.shop.example", {"eu.shop.example", "a.b.shop.example"}),
        ("eu.*", {"eu.shop.example", "www.eu.org"}),  # nothing holds the pattern to the beginning
    ],
)
def test_hosts_with_wildcards(host, accepted):
    """The regular expressions of marshall_route in Kong: `.+\\.shop\\.example$` and `eu\\..+$`, found anywhere."""
    (asked,) = conditions(scenario(a=f"hosts: '{host}'").gateway.routes["a"])
    hosts = {"shop.example", "SHOP.example", "eu.shop.example", "a.b.shop.example", "www.eu.org", "shopXexample", ""}
    assert {name for name in hosts if asked.accepts(name)} == accepted


def test_shares_are_those_of_the_headers():
    assert shares(gold=GOLD) == pytest.approx({"GET /": 0.8, "gold": 0.2})
    assert shares(eu=WILD, gold=GOLD) == pytest.approx({"eu": 0.25, "gold": 0.75 * 0.2, "GET /": 0.75 * 0.8})
    both = f"{GOLD}, {WILD}"
    assert shares(gold=GOLD, both=both) == pytest.approx({"both": 0.05, "gold": 0.15, "GET /": 0.8})


def test_what_comes_to_a_route_has_the_headers_that_it_asks_for():
    """Of the rest 0.75 x 0.2 = 15 of 75 parts are gold where hosts decide, and of 95 parts 15 where both do."""
    found = scenario(eu=WILD).parts_of("shoppers")
    assert found["eu"].traffic.values_of("x-tier") == pytest.approx({"Gold": 0.2, "free": 0.8})
    assert found["eu"].traffic.values_of("host") == pytest.approx({"eu.shop.example": 1.0, "shop.example": 0.0})
    rest = scenario(both=f"{GOLD}, {WILD}").parts_of("shoppers")["GET /"]
    assert rest.traffic.values_of("x-tier") == pytest.approx({"Gold": 0.15 / 0.95, "free": 0.8 / 0.95})


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ("headers: {x-teir: gold}", "unknown header 'x-teir'"),
        ("headers: {x-tier: golden}", "unknown value of x-tier 'golden'"),
        ("hosts: shop.org", "unknown value of host 'shop.org'"),
        ("hosts: 'a.*.example'", "expected a name in which `*` stands for the first labels or for the last"),
        ("headers: {Host: a}", "expected it in `hosts`"),
        ("timeout: 1s", "belong together"),
    ],
)
def test_what_is_not_sent_cannot_be_asked_for(route, words):
    with pytest.raises(ScenarioError, match=re.escape(words)):
        scenario(a=route)


def test_a_part_is_of_a_whole_and_nobody_sends_to_it():
    with pytest.raises(ScenarioError, match="which `matches` itself; expected 'GET /'"):
        load_text(
            TEXT.replace(
                "ROUTES", f"    a: {{matches: GET /, to: shop.all, {GOLD}}}\n    b: {{matches: a, to: shop.all, {EU}}}"
            )
        )
    with pytest.raises(ScenarioError, match="takes part of what is sent to 'GET /'"):
        load_text(
            TEXT.replace("ROUTES", f"    a: {{matches: GET /, to: shop.all, {GOLD}}}").replace(
                "sends: GET /", "sends: a"
            )
        )
    with pytest.raises(ScenarioError, match="13 routes that match"):
        scenario(**{f"r{number}": GOLD for number in range(13)})
