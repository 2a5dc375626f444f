"""Every kind of page, written as the commands write them, and a browser to look at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim import cli
from tests.browser.driver import Browser, find_browser

SHOP = """
# Two <kitchens>, one slow: who is quicker, & who waits?
version: 1
duration: 60s
warmup: 5s
traffic: {guests: {sends: POST /dishes, arrivals: {poisson: 6/s}, timeout: 3s}}
gateway: {workers: 8, routes: {POST /dishes: {to: kitchen.cook, completes_with: [served]}}}
services:
  kitchen: {workers: 4, cost: 0.10/h, endpoints: {cook: [{work: {exponential: 100ms}}, {call: oven.bake, policy: patient}, {effect: served}]}}
  oven: {workers: 2, endpoints: {bake: [{work: {exponential: 60ms}}]}}
policies: {patient: {timeout: 400ms, retry: {max_attempts: 2}}}
faults: [{name: oven out, at: 20s, for: 10s, outage: oven}]
variants: {one: {}, a kitchen with a rather long name: {services: {kitchen: {workers: 8}}}, slow: {services: {oven: {workers: 1}}}}
expect: [p99(response) < 2s, availability >= 50%]
"""
ORDINARY = ["--replications", "3", "--jobs", "1", "--engine", "simpy", "--quiet"]
COMMANDS = {
    "compare": [],
    "run": ["--variant", "slow"],
    "explain": [],
    "stability": [
        "--stressor",
        "outage:oven:3s",
        "--loads",
        "0.5,1,2",
        "--watch",
        "65s",
        "--dwell",
        "10s",
        "--precision",
        "0",
    ],
    "sweep": ["--over", "services.kitchen.workers=2,4,8", "--variants", "one,slow"],
    "capacity": ["--variants", "one,slow", "--resolution", "20%"],
}


@pytest.fixture(scope="session")
def browser(tmp_path_factory) -> Iterator[Browser]:
    program = find_browser()
    if not program:
        pytest.skip("there is no Chromium: apt-get install chromium")
    found = Browser(program, tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory) -> dict[str, Path]:
    """Verb -> its page."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "shop.yaml").write_text(SHOP)
    found = {}
    for verb, options in COMMANDS.items():
        assert cli.answer([verb, str(folder / "shop.yaml"), *options, *ORDINARY, "--out", str(folder / verb)]) in (0, 1)
        found[verb] = folder / verb / "index.html"
    return found
