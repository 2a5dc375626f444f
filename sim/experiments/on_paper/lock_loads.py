"""What the most popular key of each lock is asked for on paper: a station with one place, held as long as the steps in
it take.

Whoever reaches a lock wants the most popular item, or user, as often as all traffic together does: which traffic
reaches it is not followed. Waits for locks and faults are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from sim.experiments.on_paper.partition_shares import popularity_shares, user_shares
from sim.experiments.on_paper.profile import Profile
from sim.experiments.on_paper.rates import Rates
from sim.spec.scenario import Scenario
from sim.spec.traffic import Traffic

Load = tuple[float, float, float]  # servers, visits per second, seconds held per visit


def lock_loads(
    scenario: Scenario, found: Rates, runs: Iterable[tuple[str, float, Profile]]
) -> dict[tuple[str, str], Load]:
    """(name of a lock, "lock") -> what its most popular key is asked for."""
    asked: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _, rate, profile in runs:
        for lock, (times, seconds) in profile.locks.items():
            asked.setdefault(lock, []).append((rate * times, rate * seconds))
    answer: dict[tuple[str, str], Load] = {}
    for (name, key), its in asked.items():
        rate, held = (math.fsum(column) for column in zip(*its, strict=True))
        answer[name, "lock"] = 1, rate * _hottest(scenario, found, key), held / rate if rate > 0.0 else 0.0
    return answer


def _hottest(scenario: Scenario, found: Rates, key: str) -> float:
    """The share of all requests that are about the most popular one."""
    total = math.fsum(found.sent.values())
    if key == "all" or total <= 0.0:
        return 1.0
    shares = {name: _most(traffic, key) * found.sent.get(name, 0.0) for name, traffic in scenario.traffic.items()}
    if key == "item":  # the same items for all
        return math.fsum(shares.values()) / total
    populations: dict[str, float] = {}
    for name, share in shares.items():
        population = scenario.traffic[name].population(name)
        populations[population] = populations.get(population, 0.0) + share
    return max(populations.values(), default=0.0) / total


def _most(traffic: Traffic, key: str) -> float:
    """What the most popular one gets of a traffic; of one that tells none apart all is one."""
    shares = popularity_shares(traffic.items) if key == "item" else user_shares(traffic)
    return max((share for share, _ in shares), default=1.0)
