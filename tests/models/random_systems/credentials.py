"""Access tokens of callers, given by a provider that fails now and then and may go down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.models.random_systems.luck import Luck


def credentials(document: dict[str, Any], luck: Luck) -> None:
    """One call in two, and one route in three, need a token; the lives are so short that a run sees several. Of a token
    that callers share, each says what the first of them says.
    """
    calls = [(service, step) for service, its in document["services"].items() for step in _calls(its)]
    places = [(f"call {number}", service, step) for number, (service, step) in enumerate(calls)]
    needing = [(luck.at(name), service, step) for name, service, step in places if luck.maybe(name)]
    for name, route in (document.get("gateway") or {"routes": {}})["routes"].items():
        if luck.maybe(f"route {name}", 0.3):
            needing.append((luck.at(f"token {name}"), "gateway", route))
    if not needing:
        return
    said: dict[tuple[str, str | None], dict[str, Any]] = {}
    for own, whose, caller in needing:
        token = _token(sorted(document["policies"]), own)
        caller["token"] = dict(said.setdefault((whose, token.get("client")), token))
    share = luck.pick("share", (0.05, 0.4))
    wrong = luck.pick("wrong", ({"fail": share, "per": "attempt"}, {"refuse": share}))
    gives = [{"wait": luck.pick("takes", ("2ms", "40ms", {"exponential": "20ms"}))}]
    document["services"]["idp"] = {
        "workers": luck.number("workers", 1, 4),
        "queue": {"capacity": luck.number("capacity", 0, 5)},
        "endpoints": {"token": [*gives, wrong] if luck.maybe("goes wrong") else gives},
    }
    if luck.maybe("goes down"):
        at = f"{luck.number('at', 1, 150) / 10}s"
        how = luck.pick("how", ({"crash": "idp"}, {"outage": "idp", "how": "refuse"}, {"outage": "idp", "how": "hang"}))
        lasts = {"for": luck.pick("lasts", ("300ms", "2s"))}
        document["faults"].append({"name": "no tokens", "at": at, **lasts, **how})


def _token(policies: list[str], luck: Luck) -> dict[str, Any]:
    spec: dict[str, Any] = {"from": "idp.token", "lives": luck.pick("lives", ("100ms", "700ms", "5s"))}
    spec["refresh_before"] = luck.pick("before", ("0s", "50ms", "100ms", "2s"))
    if luck.maybe("guarded", 0.7):
        spec["policy"] = luck.pick("policy", (*policies, {"timeout": "30ms"}))
    if luck.maybe("says what if", 0.6):
        spec["if_refresh_fails"] = luck.pick("if", ("use_old", "fail"))
    if luck.maybe("coalesces"):
        spec["coalesce"] = True
    if luck.maybe("own", 0.3):
        spec["client"] = luck.pick("client", ("one", "two"))
    return spec


def _calls(value: Any) -> Iterator[dict[str, Any]]:
    """Every call of services, wherever it stands."""
    if isinstance(value, dict):
        if isinstance(value.get("call"), str):
            yield value
        for inner in value.values():
            yield from _calls(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _calls(inner)
