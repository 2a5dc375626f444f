"""Whether time goes on: a system that turns round and round at one instant would be simulated for ever, and is told
instead.

An engine looks now and then. So much may honestly happen at one instant (all users begin, an outage ends) that the
bounds are far above what a system can need, and are counted, not timed: the same run fails at the same simulated time
on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from sim.errors import TimeStandsStill
from sim.spec.actions import Repeats
from sim.spec.policy import CallPolicy, Retry
from sim.spec.scenario import Scenario
from sim.spec.step import Call, Publish
from sim.spec.walk import visits
from sim.units import show_duration
from sim.vocabulary import Outcome

INSTANT = 1e-9  # s; what happens within is of one instant
SENT, SENT_EACH = 50_000, 20  # requests that closed users together, and each of them, may make at one instant
TURNS = 500_000  # turns of tasks and events that need no reason
MOST_TRIES = 100_000


@dataclass(frozen=True)
class Turning:
    """Who was found at it: the component whose turn it is, for a request of which traffic; where and how the last
    request ended (-1: nobody knows).
    """

    component: str = ""
    traffic: str = ""
    where: str = ""
    outcome: int = -1


class Stillness:
    """The instant that an engine is at, and how much has happened there."""

    def __init__(self, scenario: Scenario) -> None:
        self._users = [traffic.arrivals.population for traffic in scenario.traffic.values()]
        self._names = list(scenario.traffic)
        self._each = _turns_of_a_request(scenario)
        self._began, self._turns, self._unfinished = 0.0, 0, 0
        self._sent = [0] * len(self._names)

    def goes_on(self, now: float, turns: int, sent: Sequence[int], unfinished: int) -> bool:
        """Whether nothing is wrong after so many more turns, with so many requests sent by each traffic and so many
        that have not ended.
        """
        if now - self._began > INSTANT:
            self._began, self._turns, self._sent, self._unfinished = now, 0, list(sent), unfinished
            return True
        self._turns += turns
        made = self._made(sent)
        reasons = self._unfinished + sum(users or requests for users, requests in zip(self._users, made, strict=True))
        return self._turning_users(made) is None and self._turns <= TURNS + self._each * reasons

    def error(self, sent: Sequence[int], turning: Turning) -> TimeStandsStill:
        """What is told when it does not go on: who keeps turning, at what time, and what to change."""
        made = self._made(sent)
        place, when = self._turning_users(made), show_duration(self._began)
        if place is None:
            who = (turning.component or "a component") + (
                f", with requests of traffic.{turning.traffic}" if turning.traffic else ""
            )
            words = f"{who}: {self._turns:,} turns without any time passing; something in its loop has to take time"
            return TimeStandsStill(
                f"time stands still at {when}: {words}: a pause between tries, a timeout, a poll interval, a wait, work"
            )
        users = f"{self._users[place]:,} user{'s' if self._users[place] > 1 else ''}"
        traffic = f"traffic.{self._names[place]}"
        sent_how = f"{made[place]:,} requests at one instant, since every answer comes at once{_how(turning)}"
        words = f"{traffic}: its {users} sent {sent_how}"
        change = (
            f"give {traffic}.arrivals.closed.think a time (at least 1ms, say), or let whoever answers at once take some"
        )
        return TimeStandsStill(f"time stands still at {when}: {words}; {change}")

    def _made(self, sent: Sequence[int]) -> list[int]:
        return [now - before for now, before in zip(sent, self._sent, strict=True)]

    def _turning_users(self, made: Sequence[int]) -> int | None:
        """The traffic whose users have sent more than can be of one instant."""
        places = [place for place, users in enumerate(self._users) if users and made[place] > SENT + SENT_EACH * users]
        return max(places, key=made.__getitem__, default=None)


def _how(turning: Turning) -> str:
    """How the last of them ended, and where."""
    if turning.outcome < 0:
        return ""
    return f" ({Outcome(turning.outcome).word}{f' at {turning.where}' if turning.where else ''})"


def _turns_of_a_request(scenario: Scenario) -> int:
    """How many turns one request may take at one instant: a few for each step there is, as often as all who retry can
    try it again, and as often as it is repeated.
    """
    steps = [visit.step for visit in visits(scenario)]
    policies = [
        *scenario.policies.values(),
        *(step.policy for step in steps if isinstance(step, (Call, Publish)) and isinstance(step.policy, CallPolicy)),
    ]
    retries: list[Retry | None] = [policy.retry for policy in policies] + [
        traffic.retry for traffic in scenario.traffic.values()
    ]
    tries = min(prod(retry.max_attempts for retry in retries if retry is not None), MOST_TRIES)
    repeats = prod(
        max(1, len(action.times.tails))
        for step in steps
        for action in step.actions or ()
        if isinstance(action, Repeats)
    )
    return 10 * (1 + len(steps)) * tries * min(repeats, MOST_TRIES)
