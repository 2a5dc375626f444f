"""Whose routes are whose: the names of a measurement and those that the traffic of a scenario asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.errors import UsageError, did_you_mean
from sim.measured import Requests
from sim.spec.scenario import Scenario

_PLACEHOLDER = re.compile(r"\{[^/}]*\}|:\w+|\*")


@dataclass(frozen=True)
class Matched:
    """The measured requests under the names of the scenario."""

    requests: Requests  # those that have a partner; `routes` are names of the scenario
    routed: bool  # whether the measurement tells routes; where it does not the scenario's own mix is taken
    pairs: Mapping[str, str]  # measured name -> that of the scenario
    left_out: Mapping[str, int]  # measured name -> requests that have no partner

    def told(self) -> list[str]:
        """What is said of it: names that differ, and what was left out."""
        lines = [f"measured '{name}' is {target}" for name, target in self.pairs.items() if name != target]
        lines += [
            f"left out: {count:,} requests of '{name}', which the scenario does not know"
            for name, count in self.left_out.items()
        ]
        return lines


def targets_of(scenario: Scenario) -> list[str]:
    """What the traffic of a scenario asks for, in its order."""
    return list(dict.fromkeys(target for traffic in scenario.traffic.values() for target in traffic.mix))


def match(requests: Requests, scenario: Scenario, said: Mapping[str, str] | None = None) -> Matched:
    """The partner of every measured route: as `said`, by name, by form (`/orders/{id}`), or the only one there is.

    Raises UsageError where no route has a partner, or a name that was said does not exist.
    """
    targets = targets_of(scenario)
    _refuse_unknown(said or {}, requests.routes, targets)
    if not requests.routes:
        if len(targets) == 1:
            return Matched(_renamed(requests, (), targets), True, {}, {})
        return Matched(requests, False, {}, {})
    found = {name: (said or {}).get(name) or partner(name, targets) for name in requests.routes}
    pairs = {name: target for name, target in found.items() if target is not None}
    if not pairs and not said and len(targets) == 1:
        pairs = dict.fromkeys(requests.routes, targets[0])
    if not pairs:
        measured = ", ".join(repr(name) for name in requests.routes[:5])
        raise UsageError(
            f"found the routes {measured}, expected {', '.join(targets[:5])}; say which is which: --route 'THEIRS=OURS'"
        )
    names = [pairs.get(name, "") for name in requests.routes]
    counts = np.bincount(requests.route[requests.route >= 0], minlength=len(names))
    left = {
        name: int(count)
        for name, target, count in zip(requests.routes, names, counts, strict=True)
        if not target and count
    }
    nameless = int(np.count_nonzero(requests.route < 0))
    left |= {"": nameless} if nameless else {}
    return Matched(_renamed(requests, names, targets), True, pairs, left)


def partner(name: str, targets: Sequence[str]) -> str | None:
    """The target that a measured name means; None where none or several could be meant."""
    for same in (_same_word, _same_form, _same_path, _same_end):
        found = [target for target in targets if same(name, target)]
        if len(found) == 1:
            return found[0]
    return None


def _same_word(name: str, target: str) -> bool:
    return name.lower() == target.lower()


def _same_form(name: str, target: str) -> bool:
    """`GET /orders/{id}` and `GET /orders/:order`."""
    ours, theirs = (_PLACEHOLDER.sub("{}", word.lower()).rstrip("/") for word in (name, target))
    return "/" in name and ours == theirs


def _same_path(name: str, target: str) -> bool:
    """The same path, where one of the two does not say the method."""
    words = [word.partition("/") for word in (name, target)]
    return "/" in name and (not words[0][0] or not words[1][0]) and _same_form(f"/{words[0][2]}", f"/{words[1][2]}")


def _same_end(name: str, target: str) -> bool:
    """`create` and `orders.create`."""
    return "." in target and name.lower() == target.rpartition(".")[2].lower()


def _refuse_unknown(said: Mapping[str, str], routes: Sequence[str], targets: Sequence[str]) -> None:
    for name, target in said.items():
        if name not in routes:
            raise UsageError(f"--route: the measurement has no route '{name}'{did_you_mean(name, routes)}")
        if target not in targets:
            raise UsageError(f"--route: the traffic of the scenario sends no '{target}'{did_you_mean(target, targets)}")


def _renamed(requests: Requests, names: Sequence[str], targets: Sequence[str]) -> Requests:
    """The requests that have a target, under its name; without `names` all have the only one."""
    if not names:
        return replace(requests, route=np.zeros(len(requests), dtype=np.int32), routes=(targets[0],))
    numbers = np.array([targets.index(name) if name else -1 for name in names] + [-1], dtype=np.int32)
    route = numbers[requests.route]
    return replace(requests, route=route, routes=tuple(targets)).at(route >= 0)
