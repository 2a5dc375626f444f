"""Settings of resilience4j in a Spring application: instances with the defaults of `CircuitBreakerConfig`,
`RetryConfig` and so on.

By resilience4j's documentation: `maxAttempts` 3 counts the first, `waitDuration` 500 ms, an exponential back-off
multiplies by 1.5, a randomized wait is within 50 % of it; a bulkhead has 25 places and no queue; a time limiter
ends a call after 1 s. An instance starts from its `baseConfig`, else from the config `default`. Which call uses an
instance is said in the code; one that is called like a service is taken for calls of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.importing.durations import written
from sim.importing.parts import Part
from sim.importing.relaxed import setting
from sim.spec.document import Data

MODULES = ("circuitbreaker", "retry", "ratelimiter", "timelimiter", "threadpoolbulkhead", "bulkhead")
_NUMBERS = ("failure_rate_threshold", "slow_call_rate_threshold")
_COUNTS = ("sliding_window_size", "minimum_number_of_calls", "permitted_number_of_calls_in_half_open_state")
_TIMES = ("slow_call_duration_threshold", "wait_duration_in_open_state", "max_wait_duration_in_half_open_state")
_LISTS = ("record-exceptions", "ignore-exceptions", "record-failure-predicate", "record-result-predicate")
_WIDTHS = {"sliding_window_size": 100_000, "permitted_number_of_calls_in_half_open_state": 100_000}


class Instances:
    """All instances of all modules, by name."""

    def __init__(self, root: Part) -> None:
        """`root` is what stands under `resilience4j`."""
        self._modules = {name: setting(root, name) for name in MODULES}

    def names(self) -> list[str]:
        """Of the instances, in the order of the file."""
        found = [
            name
            for part in self._modules.values()
            for group in ("instances", "backends")
            for name, _ in setting(part, group).entries()
        ]
        return list(dict.fromkeys(found))

    def place(self, name: str) -> Part:
        """Where an instance stands first."""
        return next(its for part in self._modules.values() for its in self._of(part, name))

    def policy(self, name: str, modules: tuple[str, ...] = MODULES) -> dict[str, Data]:
        """The fields of a policy that an instance of this name is."""
        fields: dict[str, Data] = {}
        for module in modules:
            levels = list(self._levels(self._modules[module], name))
            if levels:
                fields.update(_READERS[module](levels))
        return fields

    def _of(self, module: Part, name: str) -> Iterator[Part]:
        for group in ("instances", "backends"):
            its = setting(module, group)
            if isinstance(its.value, dict) and name in its.value:
                yield its[name]

    def _levels(self, module: Part, name: str) -> Iterator[Part]:
        """The settings of an instance, the nearest first."""
        for its in self._of(module, name):
            base = setting(its, "base-config").text() or "default"
            yield its
            configs = setting(module, "configs")
            if isinstance(configs.value, dict) and base in configs.value:
                yield configs[base]


def _first(levels: list[Part], name: str) -> Part:
    return next(
        (part for level in levels if (part := setting(level, name))), Part(None, levels[0].at, name, levels[0].notes)
    )


def _breaker(levels: list[Part]) -> dict[str, Data]:
    fields: dict[str, Data] = {}
    for name in _NUMBERS:
        value = _first(levels, name).number()
        if value is not None and 0 < value <= 100:
            fields[name] = value
    for name in _COUNTS:
        count = _first(levels, name).whole(1, _WIDTHS.get(name, 2**31 - 1))
        if count is not None:
            fields[name] = count
    for name in _TIMES:
        if text := written(_first(levels, name), "ms"):
            fields[name] = text
    fields |= _growth(levels, "exponential-max-wait-duration-in-open-state")
    if "exponential_backoff_multiplier" not in fields:
        fields |= _spread(levels)
    automatic = "automatic_transition_from_open_to_half_open_enabled"
    if _first(levels, automatic).is_true(default=False):
        fields[automatic] = True
    for name in _LISTS:
        if part := _first(levels, name):
            part.leave_out(f"{name} of a circuit breaker", "exceptions have no outcome here; see `records`, `ignores`")
    kind = _first(levels, "sliding_window_type").text().lower()
    if kind in ("time_based", "time-based", "timebased"):
        fields["sliding_window_type"] = "time_based"
    return {"circuit_breaker": {"resilience4j": fields}}


def _retry(levels: list[Part]) -> dict[str, Data]:
    attempts = _first(levels, "max-attempts").whole(1, 1000) or 3
    pause = written(_first(levels, "wait-duration"), "ms") or "500ms"
    interval = _growth(levels, "exponential-max-wait-duration") | _spread(levels)
    backoff: dict[str, Data] = (
        {"resilience4j": {"wait_duration": pause, **interval}} if interval else {"constant": pause}
    )
    return {"retry": {"max_attempts": attempts, "backoff": backoff}}


def _spread(levels: list[Part]) -> dict[str, Data]:
    """What is said of waits that are drawn; nothing where they are not."""
    if not _first(levels, "enable-randomized-wait").is_true(default=False):
        return {}
    factor = _first(levels, "randomized-wait-factor")
    share = factor.number()
    if share is not None and share >= 1.0:
        factor.wrong("a share below 1, as the library does")
        share = None
    return {"randomized_wait_factor": f"{100 * (0.5 if share is None else share):g}%"}


def _growth(levels: list[Part], most: str) -> dict[str, Data]:
    """What is said of waits that grow; nothing where they do not. `most` is the setting of their cap."""
    if not _first(levels, "enable-exponential-backoff").is_true(default=False):
        return {}
    factor = _first(levels, "exponential-backoff-multiplier")
    number = factor.number()
    if number is not None and number < 1.0:
        factor.wrong("1 or more, as the library does")
        number = None
    longest = written(_first(levels, most), "ms")
    grown: dict[str, Data] = {"exponential_backoff_multiplier": f"{1.5 if number is None else number:g}x"}
    return {**grown, **({most.replace("-", "_"): longest} if longest else {})}


def _limiter(levels: list[Part]) -> dict[str, Data]:
    return {"timeout": written(_first(levels, "timeout-duration"), "ms") or "1s"}


def _bulkhead(levels: list[Part]) -> dict[str, Data]:
    most = _first(levels, "max-concurrent-calls").whole(1, 2**31 - 1) or 25
    waits = written(_first(levels, "max-wait-duration"), "ms")
    return {"bulkhead": {"max_concurrent_calls": most, **({"max_wait": waits} if waits else {})}}


def _thread_pool(levels: list[Part]) -> dict[str, Data]:
    """Without sizes as many threads as there are processors, which no setting says: 4."""
    core = _first(levels, "core-thread-pool-size").whole(1, 100_000)
    most = _first(levels, "max-thread-pool-size").whole(1, 100_000)
    room = _first(levels, "queue-capacity").whole(0, 1_000_000)
    core = core or most or 4
    fields: dict[str, Data] = {"core_thread_pool_size": core}
    fields |= {"max_thread_pool_size": most} if most is not None and most > core else {}
    return {"bulkhead": {"thread_pool": {**fields, **({"queue_capacity": room} if room is not None else {})}}}


def _rate(levels: list[Part]) -> dict[str, Data]:
    fields: dict[str, Data] = {}
    permits = _first(levels, "limit-for-period").whole(1, 2**31 - 1)
    if permits is not None:
        fields["limit_for_period"] = permits
    for theirs, ours in (("limit-refresh-period", "limit_refresh_period"), ("timeout-duration", "timeout_duration")):
        if text := written(_first(levels, theirs), "ms"):
            fields[ours] = text
    return {"rate_limit": {"resilience4j": fields}}


_READERS = {
    "circuitbreaker": _breaker,
    "retry": _retry,
    "ratelimiter": _rate,
    "timelimiter": _limiter,
    "threadpoolbulkhead": _thread_pool,
    "bulkhead": _bulkhead,
}
