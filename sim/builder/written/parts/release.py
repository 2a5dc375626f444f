"""Parts of a scenario in Python, as `sim/spec/release.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def abort(
    *,
    errors: Mapping[str, Any] | float | str | None = None,
    p99: Literal[0] | Mapping[str, Any] | str | None = None,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
    failure_limit: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """When a canary is given up: a measurement of the attempts that ended in the new version fails, and the old
    version comes back at once. Argo Rollouts' background analysis; an interval without attempts says nothing.

    errors: The largest share of attempts that may fail.
    p99: What the 99th percentile of the time of attempts may be at most.
    interval: How often it is measured, from the beginning on, and over how long; a minute as in Flagger.
    failure_limit: How many measurements may fail (failureLimit): with 0 the first one is too many.
    """
    return part(locals())


def blue_green(*, scale_down_delay: Literal[0] | Mapping[str, Any] | str | None = None) -> Part:
    """As many new replicas as wanted start beside the old ones, and nobody is sent to them; when all are ready, all
    are sent to them from one moment to the next, and the old ones go after a delay. Argo Rollouts' blue-green.

    scale_down_delay: How long the old ones stay for those who still send to them (scaleDownDelaySeconds).
    """
    return part(locals())


def canary(*, steps: Sequence[Mapping[str, Any] | str], abort: Mapping[str, Any] | str | None = None) -> Part:
    """Some replicas are new at first, then more, then all: Argo Rollouts' canary without a traffic router.

    steps: One after the other: `[{weight: 20%, pause: 5m}, {weight: 50%, pause: 5m}]`.
    abort: When it goes back; without it whatever happens is released.
    """
    return part(locals())


def canary_step(*, weight: Mapping[str, Any] | float | str, pause: Literal[0] | Mapping[str, Any] | str) -> Part:
    """A share of the replicas is new for a while.

    weight: Which share of the replicas is new (setWeight), and so of the requests, where callers choose evenly.
    pause: For how long, from when all of them are ready.
    """
    return part(locals())


def new_version(
    *, slow: Mapping[str, Any] | float | str | None = None, errors: Mapping[str, Any] | float | str | None = None
) -> Part:
    """How the replicas of a deployment differ from those before: a bad deployment is `{slow: 3x, errors: 10%}`.

    slow: How many times as long its work and waits take.
    errors: The share of its attempts that end at once with an error.
    """
    return part(locals())
