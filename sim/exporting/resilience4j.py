"""Policies of calls as settings of Spring Boot for resilience4j (application.yaml): an instance of each module for each
policy that says it.

Names are those of resilience4j-spring-boot3 (CommonCircuitBreakerConfigurationProperties and its sisters). Durations
are ISO 8601 or numbers with a unit, which Spring reads. The annotations nest as Retry( CircuitBreaker( RateLimiter(
TimeLimiter( Bulkhead( call ))))), the order of the simulator.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.errors import UsageError
from sim.exporting.settings_text import dumped, head, host_of, remarks
from sim.exporting.subject import Subject
from sim.spec.base import word_of
from sim.spec.library_backoffs import Resilience4jInterval
from sim.spec.policy import CallPolicy, CircuitBreaker, ConstantBackoff, ExponentialBackoff, Retry
from sim.spec.sites import call_sites
from sim.units import show_duration, show_rate

MODULES = ("circuitbreaker", "retry", "ratelimiter", "bulkhead", "thread-pool-bulkhead", "timelimiter")
_EXCEPTIONS = {"timeout": "java.util.concurrent.TimeoutException", "unreachable": "java.io.IOException"}


def write(subject: Subject) -> str:
    """The whole file; a UsageError where no call of the scenario is guarded by anything."""
    policies = _policies(subject)
    if not policies:
        raise UsageError(
            "found no policy in the scenario, expected at least one of a call, such as policies: {provider: {timeout: "
            "1s}}"
        )
    parts = [
        head(
            subject,
            "Settings of resilience4j",
            "Instances are named after the policies; annotate the calls of each with its name.",
        ),
        "resilience4j:\n",
    ]
    for module in MODULES:
        instances = {name: its for name, policy in policies.items() if (its := _SETTINGS[module](policy))}
        if instances:
            parts.append(f"  {module}:\n    instances:\n")
            for name, its in instances.items():
                parts.append(remarks(list(_UNSAID[module](policies[name])), "      ") + dumped({name: its}, "      "))
    return "".join(parts)


def _policies(subject: Subject) -> dict[str, CallPolicy]:
    """Name of the instance -> policy of the calls that say anything: those of the scenario, and those written where
    they are used.
    """
    found: dict[str, CallPolicy] = {}
    for site in call_sites(subject.scenario):
        if any(settings(site.policy) for settings in _SETTINGS.values()):
            found.setdefault(host_of(site.policy_name), site.policy)
    return found


def _time(seconds: float) -> str:
    """`250ms`: a text that Spring reads as a duration."""
    return f"{round(seconds * 1000)}ms" if round(seconds * 1000) % 1000 else f"{round(seconds)}s"


# ---- what each module is told


def _breaker(policy: CallPolicy) -> dict[str, Any]:
    breaker = policy.circuit_breaker
    if breaker is None:
        return {}
    its = breaker.resilience4j
    if its is None:
        return {
            "slidingWindowType": "TIME_BASED",
            "slidingWindowSize": max(1, round(breaker.within)),
            "minimumNumberOfCalls": breaker.failures,
            "failureRateThreshold": 50,
            "permittedNumberOfCallsInHalfOpenState": breaker.half_open_calls,
            "waitDurationInOpenState": _time(breaker.open_for),
        }
    settings = {
        "slidingWindowType": its.sliding_window_type.upper(),
        "slidingWindowSize": its.sliding_window_size,
        "minimumNumberOfCalls": its.minimum_number_of_calls,
        "failureRateThreshold": its.failure_rate_threshold,
        "slowCallRateThreshold": its.slow_call_rate_threshold,
        "slowCallDurationThreshold": _time(its.slow_call_duration_threshold),
        "permittedNumberOfCallsInHalfOpenState": its.permitted_number_of_calls_in_half_open_state,
        "waitDurationInOpenState": _time(its.wait_duration_in_open_state),
        "maxWaitDurationInHalfOpenState": _time(its.max_wait_duration_in_half_open_state),
        "automaticTransitionFromOpenToHalfOpenEnabled": its.automatic_transition_from_open_to_half_open_enabled,
    }
    settings |= _growth(its.exponential_backoff_multiplier)
    if (most := its.exponential_max_wait_duration_in_open_state) is not None:
        settings["exponentialMaxWaitDurationInOpenState"] = _time(most)
    if its.randomized_wait_factor is not None:
        settings |= {"enableRandomizedWait": True, "randomizedWaitFactor": its.randomized_wait_factor}
    return settings


def _retry(policy: CallPolicy) -> dict[str, Any]:
    retry = policy.retry
    if retry is None:
        return {}
    its: dict[str, Any] = {"maxAttempts": retry.max_attempts}
    if isinstance(retry.backoff, ConstantBackoff):
        its["waitDuration"] = _time(retry.backoff.delay)
    elif isinstance(retry.backoff, ExponentialBackoff):
        its |= {"waitDuration": _time(retry.backoff.base), **_growth(retry.backoff.multiplier)}
        its |= {"exponentialMaxWaitDuration": _time(retry.backoff.longest)} if retry.backoff.longest is not None else {}
    elif isinstance(retry.backoff, Resilience4jInterval):
        its |= _interval(retry.backoff)
    if isinstance(retry.jitter, float):
        its |= {"enableRandomizedWait": True, "randomizedWaitFactor": retry.jitter}
    exceptions = [_EXCEPTIONS[word] for word in retry.on if word in _EXCEPTIONS]
    return {**its, **({"retryExceptions": exceptions} if exceptions else {})}


def _interval(backoff: Resilience4jInterval) -> dict[str, Any]:
    """The settings that are meant by its words."""
    its = {"waitDuration": _time(backoff.wait_duration), **_growth(backoff.exponential_backoff_multiplier)}
    if backoff.exponential_max_wait_duration is not None:
        its["exponentialMaxWaitDuration"] = _time(backoff.exponential_max_wait_duration)
    if backoff.randomized_wait_factor is not None:
        its |= {"enableRandomizedWait": True, "randomizedWaitFactor": backoff.randomized_wait_factor}
    return its


def _growth(multiplier: float | None) -> dict[str, Any]:
    """Of waits that grow, in a retry and in a breaker; nothing where they do not."""
    if multiplier is None:
        return {}
    return {"enableExponentialBackoff": True, "exponentialBackoffMultiplier": multiplier}


def _rate_limiter(policy: CallPolicy) -> dict[str, Any]:
    limit = policy.rate_limit
    if limit is None or limit.adapts:
        return {}
    if (its := limit.resilience4j) is not None:
        period, permits = its.limit_refresh_period, its.limit_for_period
    else:
        permits = max(1, limit.burst)
        period = permits / limit.rate
    nanoseconds = f"{round(period * 1e9)}ns"
    return {"limitForPeriod": permits, "limitRefreshPeriod": nanoseconds, "timeoutDuration": _time(limit.longest)}


def _unsaid_of_rate_limiter(policy: CallPolicy) -> Iterator[str]:
    limit = policy.rate_limit
    if limit is not None and limit.resilience4j is None:
        yield f"{show_rate(limit.rate)}, one after the other: resilience4j lets a period's permits go at its beginning"


def _bulkhead(policy: CallPolicy) -> dict[str, Any]:
    bulkhead = policy.bulkhead
    if bulkhead is None or bulkhead.thread_pool is not None:
        return {}
    return {"maxConcurrentCalls": bulkhead.most, "maxWaitDuration": _time(bulkhead.max_wait)}


def _thread_pool(policy: CallPolicy) -> dict[str, Any]:
    pool = policy.bulkhead.thread_pool if policy.bulkhead is not None else None
    if pool is None:
        return {}
    threads = {"coreThreadPoolSize": pool.core_thread_pool_size, "maxThreadPoolSize": pool.most}
    return {**threads, "queueCapacity": pool.queue_capacity}


def _limiter(policy: CallPolicy) -> dict[str, Any]:
    if policy.timeout is None:
        return {}
    return {"timeoutDuration": _time(policy.timeout), "cancelRunningFuture": policy.on_timeout == "cancel"}


# ---- what it cannot be told


def _unsaid_of_bulkhead(policy: CallPolicy) -> Iterator[str]:
    if policy.bulkhead is not None and policy.bulkhead.algorithm:
        yield f"{policy.bulkhead.algorithm} sets the limit: that of resilience4j is fixed, here at the most"


def _unsaid_of_breaker(policy: CallPolicy) -> Iterator[str]:
    breaker = policy.circuit_breaker
    if isinstance(breaker, CircuitBreaker) and breaker.resilience4j is None:
        number = f"opens at {breaker.failures} failures within {show_duration(breaker.within)}"
        yield f"{number}; resilience4j judges shares of calls, not numbers: 50 is its default"
        if breaker.within != max(1, round(breaker.within)):
            yield "a window of resilience4j is whole seconds"
    if breaker is not None and (breaker.records is not None or breaker.ignores):
        yield "what it records and ignores: name the exceptions of the client (recordExceptions, ignoreExceptions)"
    if policy.scope == "service":
        yield "one breaker for all replicas: resilience4j has one in each"


def _unsaid_of_retry(policy: CallPolicy) -> Iterator[str]:
    retry = policy.retry
    if not isinstance(retry, Retry):
        return
    if not isinstance(retry.backoff, (ConstantBackoff, ExponentialBackoff, Resilience4jInterval)):
        yield f"a `{word_of(retry.backoff)}` back-off: an IntervalFunction in code (intervalFunction), no setting"
    if isinstance(retry.jitter, str) and retry.jitter != "none":
        yield (
            f"jitter: {retry.jitter}; resilience4j's enableRandomizedWait spreads a pause evenly around itself: "
            "decide on a randomizedWaitFactor"
        )
    if retry.budget is not None:
        yield "retry budget: resilience4j has none"
    if retry.honor_retry_after:
        yield "honor_retry_after: it reads no Retry-After; an IntervalBiFunction in code (intervalBiFunction) can"
    others = [word for word in retry.on if word not in _EXCEPTIONS]
    if others:
        yield f"tried again on {', '.join(others)}, too: name the exceptions of the client, or a resultPredicate"
    if policy.total_timeout is not None:
        yield (
            f"all attempts together end after {show_duration(policy.total_timeout)}: a TimeLimiter of its own "
            "around the Retry"
        )


def _nothing(_: CallPolicy) -> Iterator[str]:
    yield from ()


_SETTINGS = {
    "circuitbreaker": _breaker,
    "retry": _retry,
    "ratelimiter": _rate_limiter,
    "bulkhead": _bulkhead,
    "thread-pool-bulkhead": _thread_pool,
    "timelimiter": _limiter,
}
_UNSAID = {
    "circuitbreaker": _unsaid_of_breaker,
    "retry": _unsaid_of_retry,
    "ratelimiter": _unsaid_of_rate_limiter,
    "bulkhead": _unsaid_of_bulkhead,
    "thread-pool-bulkhead": _nothing,
    "timelimiter": _nothing,
}
