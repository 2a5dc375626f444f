"""A scenario under the load that was measured.

Its traffic replaced by the arrivals of a trace, or by the rate or users of a summary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sim.errors import UsageError
from sim.experiments.replicating.arms import arms_of, named
from sim.fitting.matching import Matched
from sim.measured import Distribution, Requests
from sim.spec.base import body_of, word_of
from sim.spec.document import Data, plain
from sim.spec.patching import merge_variant
from sim.spec.scenario import Scenario
from sim.spec.shape import shape_of
from sim.spec.study import Study

_SHAPE = shape_of(Scenario)
WARMUP_AT_MOST = 0.25  # of the measurement
_MOST_REPLAYED = 5_000_000  # rows that a document embeds


@dataclass(frozen=True)
class Loaded:
    """The document of one variant under the measured load."""

    document: dict[str, Any]
    replays: bool  # whether the very arrivals are replayed
    said: tuple[str, ...]  # what was replaced by what


def document_of(study: Study, variant: str | None) -> tuple[str, dict[str, Any]]:
    """The name of a variant (the first where none is named), and its document without variants and expectations."""
    arms = arms_of(study)
    (arm,) = named(arms, [variant if variant is not None else next(iter(arms))])
    patches: dict[str, Data] = arm.document.get("variants") or {}
    whole: dict[str, Any] = plain(merge_variant(arm.document, patches.get(arm.variant) or {}, _SHAPE))
    return arm.name, {key: value for key, value in whole.items() if key not in ("variants", "expect", "record")}


def window_of(requests: Requests, begin: float, until: float) -> Requests:
    """The requests that arrived in [begin, until), their arrivals counted from `begin`."""
    inside = requests.at((requests.arrival >= begin) & (requests.arrival < until))
    if not len(inside):
        raise UsageError(f"found no request from {begin:g} s to {until:g} s of the measurement, expected at least one")
    return Requests(
        inside.arrival - begin,
        inside.duration,
        inside.outcome,
        inside.status,
        inside.route,
        inside.user,
        inside.routes,
        inside.users,
    )


def spread(requests: Requests, resolution: float) -> Requests:
    """Arrivals that are known to the second only, anywhere within theirs, at random with a fixed seed.

    They did not come at once; those of one second keep the order that they have.
    """
    if not resolution:
        return requests
    arrival = requests.arrival / resolution
    arrival += 1e-9
    np.floor(arrival, out=arrival)
    arrival += np.random.default_rng(1).random(len(requests))
    arrival *= resolution
    arrival.sort()
    return replace(requests, arrival=arrival)


def under_trace(
    document: Mapping[str, Any], scenario: Scenario, matched: Matched, duration: float, warmup: float
) -> Loaded:
    """The document with the arrivals of a trace in the place of its open traffic; closed users stay who they are."""
    traffic, said = dict(document["traffic"]), []
    rows = _rows_by_traffic(scenario, matched)
    replays = False
    for name, requests in rows.items():
        spec = scenario.traffic[name]
        if spec.arrivals.population:
            said.append(
                f"traffic.{name}: its closed users are simulated, for they wait for their answers; nothing is replayed"
            )
            continue
        if not len(requests):
            said.append(f"traffic.{name}: nothing of it was measured; it stays as the scenario has it")
            continue
        if len(requests) > _MOST_REPLAYED:
            raise UsageError(
                f"found {len(requests):,} requests, expected at most {_MOST_REPLAYED:,}; take a part: --from, --until"
            )
        traffic[name] = _with_arrivals(document["traffic"][name], requests, matched.routed)
        replays = True
        said.append(
            f"traffic.{name}: {len(requests):,} measured arrivals are replayed, {len(requests) / duration:.4g}/s"
        )
    return Loaded(_timed({**document, "traffic": traffic}, duration, warmup), replays, tuple(said))


def _rows_by_traffic(scenario: Scenario, matched: Matched) -> dict[str, Requests]:
    """The requests of each traffic: those of the routes that it sends, or sends first."""
    names = list(scenario.traffic)
    if not matched.routed:
        if len(names) > 1:
            raise UsageError(
                "found no routes in the measurement and several traffics in the scenario, which cannot be told apart"
            )
        return {names[0]: matched.requests}
    owner: dict[str, int] = {}
    for name, traffic in scenario.traffic.items():
        for target in traffic.mix:
            owner.setdefault(target, names.index(name))
    owners = np.array([owner[target] for target in matched.requests.routes])[matched.requests.route]
    return {name: matched.requests.at(owners == index) for index, name in enumerate(names)}


def _with_arrivals(traffic: Mapping[str, Any], requests: Requests, routed: bool) -> dict[str, Any]:
    data: dict[str, Any] = {"values": requests.arrival.tolist(), "began": 0, "clock": "start", "unit": "s", "after": 0}
    replay: dict[str, Any] = {"timestamps": "arrival"}
    kept = {key: value for key, value in traffic.items() if key != "arrivals" and not (routed and key == "sends")}
    if routed:
        present = np.unique(requests.route)
        counts = np.bincount(requests.route, minlength=len(requests.routes))[present]
        place = np.zeros(len(requests.routes), dtype=np.int64)
        place[present] = np.arange(present.size)
        data["routes"] = [requests.routes[index] for index in present]
        data["shares"] = (counts / counts.sum()).tolist()
        data["route"] = place[requests.route].tolist()
        replay["route"] = "route"
    return {**kept, "arrivals": {"replay": {**replay, "data": data}}}


def _timed(document: dict[str, Any], duration: float, warmup: float) -> dict[str, Any]:
    return {**document, "duration": f"{duration:.9f}s", "warmup": f"{warmup:.9f}s"}


def under_summary(document: Mapping[str, Any], scenario: Scenario, table: Distribution, warmup: float) -> Loaded:
    """The document at the rate, or with the users, of a measurement that knows no single request."""
    if len(scenario.traffic) != 1:
        raise UsageError(
            "found a summary of all requests and several traffics in the scenario: nobody can tell which is whose"
        )
    ((name, spec),) = scenario.traffic.items()
    traffic, said = dict(document["traffic"][name]), []
    duration = table.span if math.isfinite(table.span) and table.span > 0 else scenario.duration
    rate = table.count / table.span if table.count and math.isfinite(table.span) and table.span > 0 else math.nan
    word, fields = word_of(spec.arrivals), type(spec.arrivals).model_fields
    body = body_of(type(spec.arrivals), traffic["arrivals"][word])
    if spec.arrivals.level is not None and "rate" in fields and math.isfinite(rate):
        traffic["arrivals"] = {word: {**body, "rate": f"{rate:.9g}/s"}}
        said.append(
            f"traffic.{name}: {word} arrivals at the measured rate, {rate:.4g}/s; single arrivals were not measured"
        )
    elif spec.arrivals.population and "users" in fields and table.users:
        traffic["arrivals"] = {word: {**body, "users": table.users}}
        said.append(f"traffic.{name}: {table.users} closed users, as measured")
    else:
        said.append(f"traffic.{name}: as the scenario has it; the measurement does not say how many requests came")
    whole = {**document, "traffic": {name: traffic}}
    return Loaded(_timed(whole, duration, min(warmup, WARMUP_AT_MOST * duration)), False, tuple(said))
