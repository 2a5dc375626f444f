"""Whether anything is random: said only where it is sure."""

from __future__ import annotations

from typing import Any

import pytest

from sim import load_text, simulate
from sim.spec import load_document
from sim.spec.certain import is_certain
from tests.models.any_scenario import any_scenario

CLOCKWORK = """\
version: 1
duration: 20s
traffic: {users: {sends: shop.buy, arrivals: {deterministic: 30/s}, timeout: 1s, retry: {max_attempts: 2, backoff: {constant: 100ms}}}}
services:
  shop: {replicas: 2, workers: 2, queue: {capacity: 5}, endpoints: {buy: [{work: 10ms}, {call: bank.pay, policy: careful}]}}
  bank: {workers: 1, endpoints: {pay: [{wait: 40ms}]}}
policies: {careful: {timeout: 200ms, retry: {max_attempts: 3, backoff: {constant: 0s}}, circuit_breaker: {failures: 5, within: 1s}}}
faults: [{name: dark, at: 5s, for: 2s, outage: bank}]
"""


def certain(*sets: str) -> bool:
    return is_certain(load_text(CLOCKWORK, sets=list(sets)).variants["base"])


def test_clockwork_is_certain():
    assert certain()


@pytest.mark.parametrize(
    "change",
    [
        "traffic.users.arrivals={poisson: 30/s}",
        "traffic.users.users={count: 10}",
        "traffic.users.items={count: 10}",
        "traffic.users.sends={shop.buy: 50%, bank.pay: 50%}",
        "traffic.users.retry.jitter=full",
        "policies.careful.retry.jitter=equal",
        "services.bank.endpoints.pay=[{wait: {exponential: 40ms}}]",
        "services.bank.endpoints.pay=[{wait: 40ms}, {fail: 0.001%}]",
        "services.bank.endpoints.pay=[{refuse: 1%}]",
        "services.shop.load_balancing=random",
        "network.default.loss=1%",
        "network.default.latency={uniform: [1ms, 2ms]}",
        "faults=[{name: dark, at: 5s, for: 2s, errors: {of: bank, share: 20%}}]",
        "brokers={kafka: {kind: log, topics: {orders: {partitions: 2}}}}",
    ],
)
def test_one_coin_anywhere_and_it_is_not(change):
    """Also one so rare that a hundred replications would not show it."""
    assert not certain(change)


def test_a_share_of_nobody_or_of_all_needs_no_coin():
    assert certain("services.bank.endpoints.pay=[{wait: 40ms}, {fail: 100%}]", "network.default.loss=0%")


@pytest.mark.long
def test_what_is_called_certain_is_the_same_in_every_replication():
    """Systems made at random, their luck taken out: wherever that is believed, the records of three replications are the same."""
    believed = 0
    for seed in range(120):
        scenario = next(iter(load_document(_calm(any_scenario(seed))).variants.values()))
        if is_certain(scenario):
            believed += 1
            assert len({simulate(scenario, replication=k).fingerprint() for k in (0, 1, 7)}) == 1, seed
    assert believed >= 10


DRAWN = {
    **dict.fromkeys(
        ("lognormal", "gamma", "erlang", "pareto", "weibull", "hyperexponential", "empirical", "mixture"), "12ms"
    ),
    **{kind: {"deterministic": "11/s"} for kind in ("mmpp", "profile")},
}


def _calm(value: Any) -> Any:
    """The document without draws: means in the place of distributions, whole shares, no jitter, one route, no users, items and brokers' luck."""
    if isinstance(value, list):
        return [_calm(item) for item in value]
    if not isinstance(value, dict):
        return value
    word, inner = next(iter(value.items()), ("", None))
    if word in DRAWN:
        return DRAWN[word]
    if word in ("exponential", "poisson", "uniform") and not isinstance(inner, dict):  # a back-off is exponential, too
        return {"deterministic": inner} if word == "poisson" else inner[1] if word == "uniform" else inner
    luck = {"jitter", "load_balancing", "invalid"} | ({"users", "items"} if "arrivals" in value else set())
    calm = {key: _calm(item) for key, item in value.items() if key not in luck}
    calm |= {key: "100%" for key in ("fail", "refuse", "loss") if key in calm}
    if isinstance(calm.get("sends"), dict):
        calm["sends"] = next(iter(calm["sends"]))
    return calm
