"""How long a call may take on paper: the longest that its own timeouts allow, and its percentiles without any queue."""

from __future__ import annotations

import math
from collections.abc import Iterable

from sim.experiments.on_paper.attempts import Ends
from sim.experiments.on_paper.flow import ROUNDS, Flow
from sim.experiments.on_paper.times import Times, any_of
from sim.spec.policy import CallPolicy, ConstantBackoff, ExponentialBackoff, LinearBackoff, Retry
from sim.spec.step import Call, Parallel, Perform, Step

_DEEPEST = 30  # calls within calls; a circle ends here


class Patience:
    """Answers about the endpoints of one scenario."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def longest_wait(self, endpoint: str) -> float:
        """The longest that an endpoint may wait for its own calls, all attempts and pauses included; 0 where no timeout says."""
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

    def flat_steps(self, endpoint: str, depth: int = 0) -> Iterable[Step]:
        """The steps of an endpoint with those that it performs in their place."""
        for step in self._flow.steps_of(endpoint):
            if isinstance(step, Perform) and depth < _DEEPEST:
                yield from self.flat_steps(step.target, depth + 1)
            else:
                yield step

    def _longest(self, steps: Iterable[Step], depth: int) -> float:
        if depth > _DEEPEST:
            return 0.0
        total = 0.0
        for step in steps:
            if isinstance(step, Call):
                policy = self._flow.policy(step.policy)
                once = policy.timeout if policy.timeout is not None else self._longest(self._flow.steps_of(step.target), depth + 1)
                total += _all_attempts(once, policy) + self._longest(step.fallback or (), depth + 1)
            elif isinstance(step, Perform):
                total += self._longest(self._flow.steps_of(step.target), depth + 1)
            elif isinstance(step, Parallel):
                total += max(self._longest(branch, depth + 1) for branch in step.branches)
        return total


def _all_attempts(once: float, policy: CallPolicy) -> float:
    longest = math.inf if policy.total_timeout is None else policy.total_timeout
    if once == 0.0 or policy.retry is None:
        return min(once, longest)
    pauses = sum(_pause(policy.retry, number) for number in range(1, min(policy.retry.max_attempts, ROUNDS)))
    return min(policy.retry.max_attempts * once + pauses, longest)


def _pause(retry: Retry, number: int) -> float:
    """The longest pause before retry `number`, from 1; a plug-in's back-off counts for nothing."""
    backoff = retry.backoff
    if isinstance(backoff, ConstantBackoff):
        return float(backoff.delay)
    if isinstance(backoff, LinearBackoff):
        pause = float(backoff.base * number)
    elif isinstance(backoff, ExponentialBackoff):
        pause = float(backoff.base * backoff.multiplier ** (number - 1))
    else:
        return 0.0
    return pause if backoff.longest is None else min(pause, backoff.longest)
