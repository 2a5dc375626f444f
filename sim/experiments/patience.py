"""How long a call may take on paper: the longest that its own timeouts allow, and its percentiles without any queue."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sim.experiments.flow import ROUNDS, Flow
from sim.spec.distribution import Distribution
from sim.spec.policy import CallPolicy, ConstantBackoff, ExponentialBackoff, LinearBackoff, Retry
from sim.spec.step import Call, Parallel, Perform, Step, Take, Wait, Work

SAMPLES = 4000  # 40 of them above a 99th percentile
_DEEPEST = 30  # calls within calls; a circle ends here

Times = NDArray[np.float64]


class Patience:
    """Answers about the endpoints of one scenario."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._samples: dict[tuple[str, bool], Times] = {}

    def longest_wait(self, endpoint: str) -> float:
        """The longest that an endpoint may wait for its own calls, all attempts and pauses included; 0 where no timeout says."""
        return self._longest(self._flow.steps_of(endpoint), 0)

    def percentile(self, endpoint: str, share: float) -> float:
        """Of the time that an endpoint takes when nobody waits and nothing fails."""
        return float(np.quantile(self._times_of(endpoint), share))

    def share_above(self, endpoint: str, limit: float) -> float:
        """The share of runs that take longer than this, when nobody waits and nothing fails."""
        return float((self._times_of(endpoint) > limit).mean())

    def share_kept_above(self, endpoint: str, limit: float) -> float:
        """The share of requests that bring more to do with them than this: whoever tries again meets it again."""
        return float((self._times_of(endpoint, kept=True) > limit).mean())

    def share_of_records_above(self, service: str, topic: str, limit: float) -> float:
        """The same of one record at a consumer."""
        steps = self._flow.scenario.services[service].consumes[topic].do
        return float((self._times(steps, service, f"{service} < {topic}", 0) > limit).mean())

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

    def _times_of(self, endpoint: str, depth: int = 0, kept: bool = False) -> Times:
        if (endpoint, kept) not in self._samples:
            service = endpoint.partition(".")[0]
            self._samples[endpoint, kept] = self._times(self._flow.steps_of(endpoint), service, endpoint, depth, kept)
        return self._samples[endpoint, kept]

    def _times(self, steps: Iterable[Step], service: str, stream: str, depth: int, kept: bool = False) -> Times:
        """Times of all steps; of those that are `kept` for their request only, without the network."""
        total = np.zeros(SAMPLES)
        for index, step in enumerate(steps):
            here = f"{stream}.{index}"
            if isinstance(step, (Work, Wait)):
                total += draws(step.time, here) if not kept or step.per == "request" else 0.0
            elif isinstance(step, Take) and not kept and step.options.check_to_write is not None:
                total += draws(step.options.check_to_write, here)
            elif isinstance(step, Perform) and depth < _DEEPEST:
                total += self._times(self._flow.steps_of(step.target), service, step.target, depth + 1, kept)
            elif isinstance(step, Parallel):
                total += np.max([self._times(branch, service, f"{here}.{number}", depth, kept) for number, branch in enumerate(step.branches)], axis=0)
            elif isinstance(step, Call) and depth < _DEEPEST:
                hops = 0.0 if kept else 2.0 * self._flow.latency(service, step.target.partition(".")[0])
                answer = self._times_of(step.target, depth + 1, kept) + hops
                limit = self._flow.policy(step.policy).timeout
                total += answer if limit is None else np.minimum(answer, limit)
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


def draws(distribution: Distribution, stream: str) -> Times:
    """Draws of a distribution on a stream of their own, the same at every check."""
    from sim.chance.keyed import stream_key
    from sim.chance.sampler import sampler

    draw = sampler(distribution, stream_key(0, 0, f"check {stream}"))
    return np.fromiter((draw(entity, 0) for entity in range(SAMPLES)), float, SAMPLES)
