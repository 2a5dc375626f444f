"""How long a call may take on paper: the longest that its own timeouts allow, and its percentiles without any queue."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from sim.experiments.on_paper.attempts import Ends
from sim.experiments.on_paper.flow import ROUNDS, Flow
from sim.experiments.on_paper.times import Times, any_of
from sim.spec.actions import Action, Branches, Calls, Chooses, Compensates, Locks, Performs, Repeats, Runs, every_action
from sim.spec.policy import CallPolicy, Retry
from sim.spec.step import Step

_DEEPEST = 30  # calls within calls; a circle ends here


class Patience:
    """Answers about the endpoints of one scenario."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def longest_wait(self, endpoint: str) -> float:
        """The longest that an endpoint may wait for its own calls, all attempts and pauses included; 0 where no timeout
        says.
        """
        return self._longest(self._flow.steps_of(endpoint), 0)

    def percentile(self, endpoint: str, share: float) -> float:
        """Of the time that an endpoint takes to answer when nobody waits, its own timeouts and retries included."""
        return self._answers(endpoint).percentile(share)

    def share_above(self, endpoint: str, limit: float) -> float:
        """The share of runs that take longer than this to answer, when nobody waits."""
        return self._answers(endpoint).above(limit)

    def share_kept_above(self, endpoint: str, limit: float) -> float:
        """The share of requests that bring more to do with them than this: whoever tries again meets it again."""
        ends = self._flow.endpoints[endpoint].answered if endpoint in self._flow.endpoints else Ends(Times())
        return ends.ok.kept.above(limit)

    def share_of_records_above(self, service: str, topic: str, limit: float) -> float:
        """The same of one record at a consumer, with all its deliveries."""
        ends = self._flow.consumers[service, topic].answered
        return any_of([ends.ok, ends.refused, ends.failed]).above(limit)

    def _answers(self, endpoint: str) -> Times:
        ends = self._flow.endpoints[endpoint].answered if endpoint in self._flow.endpoints else Ends(Times())
        return any_of([ends.ok, ends.refused, ends.failed])

    def calls_of(self, endpoint: str, depth: int = 0) -> Iterator[Calls]:
        """The calls of an endpoint and of those that it performs."""
        for action in every_action(self._flow.steps_of(endpoint)):
            if isinstance(action, Calls):
                yield action
            elif isinstance(action, Performs) and depth < _DEEPEST:
                yield from self.calls_of(action.endpoint, depth + 1)

    def _longest(self, steps: Iterable[Step], depth: int) -> float:
        if depth > _DEEPEST:
            return 0.0
        return sum((self._longest_of(action, depth + 1) for step in steps for action in step.actions or ()), start=0.0)

    def _longest_of(self, action: Action, depth: int) -> float:
        match action:
            case Calls(endpoint):
                policy = self._flow.policy(action.policy)
                once = (
                    policy.timeout
                    if policy.timeout is not None
                    else self._longest(self._flow.steps_of(endpoint), depth)
                )
                return _all_attempts(once, policy) + self._longest(action.fallback or (), depth)
            case Performs(endpoint):
                return self._longest(self._flow.steps_of(endpoint), depth)
            case Branches(branches):
                return max(self._longest(branch, depth) for branch in branches)
            case Runs(aside=True):
                return 0.0
            case Runs() | Locks():
                return self._longest(action.steps, depth)
            case Chooses(ways):
                return max(self._longest(steps, depth) for _, steps in ways)
            case Compensates(both):
                return sum((self._longest(steps, depth) for its in both for steps in its), start=0.0)
            case Repeats(steps, times, at_once):
                return self._longest(steps, depth) * (1.0 if at_once else len(times.tails))
        return 0.0


def _all_attempts(once: float, policy: CallPolicy) -> float:
    longest = math.inf if policy.total_timeout is None else policy.total_timeout
    if once == 0.0 or policy.retry is None:
        return min(once, longest)
    pauses = sum(_pause(policy.retry, number) for number in range(1, min(policy.retry.max_attempts, ROUNDS)))
    return min(policy.retry.max_attempts * once + pauses, longest)


def _pause(retry: Retry, number: int) -> float:
    """The longest pause before retry `number`, from 1; of a back-off that does not tell it none."""
    return retry.backoff.pause(number) or 0.0
