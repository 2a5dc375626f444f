"""Parts of a scenario in Python, as `sim/spec/concurrency.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def aimd_limit(
    *,
    windowed: Mapping[str, Any] | str | None = None,
    initial_limit: Mapping[str, Any] | int | str | None = None,
    min_limit: Mapping[str, Any] | int | str | None = None,
    max_limit: Mapping[str, Any] | int | str | None = None,
    backoff_ratio: Mapping[str, Any] | float | str | None = None,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Netflix's AIMDLimit: one more after an answer where half of the places are in use, a tenth less after a drop.

    windowed: Windows, in the place of each answer.
    initial_limit: At the beginning.
    min_limit: Never less.
    max_limit: Never more.
    backoff_ratio: What is left after a drop.
    timeout: What took longer counts as a drop.
    """
    return part(locals())


def concurrency_limit_params(
    *,
    concurrency_update_interval: Literal[0] | Mapping[str, Any] | str,
    max_concurrency_limit: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """How often Envoy sets the limit, and how high.

    concurrency_update_interval: How often it is set.
    max_concurrency_limit: Never more.
    """
    return part(locals())


def envoy_gradient(
    *,
    concurrency_limit_params: Mapping[str, Any] | str,
    min_rtt_calc_params: Mapping[str, Any] | str,
    sample_aggregate_percentile: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """Envoy's adaptive concurrency filter, with its gradient controller.

    concurrency_limit_params: How often the limit is set, and how high.
    min_rtt_calc_params: How the time without load is measured.
    sample_aggregate_percentile: Which time of those measured stands for all.
    """
    return part(locals())


def gradient2_limit(
    *,
    windowed: Mapping[str, Any] | str | None = None,
    initial_limit: Mapping[str, Any] | int | str | None = None,
    min_limit: Mapping[str, Any] | int | str | None = None,
    max_concurrency: Mapping[str, Any] | int | str | None = None,
    smoothing: Mapping[str, Any] | float | str | None = None,
    queue_size: Mapping[str, Any] | int | str | None = None,
    rtt_tolerance: Mapping[str, Any] | float | str | None = None,
    long_window: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """Netflix's Gradient2Limit: the limit falls as answers take longer than they do in the long run.

    windowed: Windows, in the place of each answer.
    initial_limit: At the beginning.
    min_limit: Never less.
    max_concurrency: Never more.
    smoothing: How much of a new limit is taken over.
    queue_size: By how much it grows while nothing waits.
    rtt_tolerance: How many times as long as in the long run an answer may take.
    long_window: Answers of the long run.
    """
    return part(locals())


def min_rtt_calc_params(
    *,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
    fixed_value: Literal[0] | Mapping[str, Any] | str | None = None,
    request_count: Mapping[str, Any] | int | str | None = None,
    jitter: Mapping[str, Any] | float | str | None = None,
    min_concurrency: Mapping[str, Any] | int | str | None = None,
    buffer: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """How Envoy measures the time of an answer without load.

    interval: How often it is measured; a millisecond at least.
    fixed_value: The time itself, in whole microseconds, where it is not measured: then nothing is but how long
        answers take.
    request_count: Answers that it takes.
    jitter: By how much an interval is longer at most.
    min_concurrency: The limit meanwhile, and never less.
    buffer: By how much answers may take longer than without load.
    """
    return part(locals())


def vegas_limit(
    *,
    windowed: Mapping[str, Any] | str | None = None,
    initial_limit: Mapping[str, Any] | int | str | None = None,
    max_concurrency: Mapping[str, Any] | int | str | None = None,
    smoothing: Mapping[str, Any] | float | str | None = None,
    probe_multiplier: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """Netflix's VegasLimit, after TCP Vegas: it estimates how many wait, from the least time that an answer took.

    windowed: Windows, in the place of each answer.
    initial_limit: At the beginning.
    max_concurrency: Never more.
    smoothing: How much of a new limit is taken over.
    probe_multiplier: After so many times the limit, or half of that, the least time is measured anew.
    """
    return part(locals())


def windowed_limit(
    *,
    window: Literal[0] | Mapping[str, Any] | str | None = None,
    window_size: Mapping[str, Any] | int | str | None = None,
    min_rtt_threshold: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Netflix's WindowedLimit: the algorithm hears the mean of a window, and the most that were under way in it.

    window: How long one is, at least; it ends with an answer (minWindowTime, maxWindowTime).
    window_size: Answers without which a window tells nothing.
    min_rtt_threshold: What took less is left out.
    """
    return part(locals())
