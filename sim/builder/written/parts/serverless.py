"""Parts of a scenario in Python, as `sim/spec/serverless.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def scaling(
    *, starts: Mapping[str, Any] | int | str | None = None, per: Literal[0] | Mapping[str, Any] | str | None = None
) -> Part:
    """How many instances may be started: so many at once, refilled evenly in `per`, and never more than that.

    starts: So many new ones.
    per: In so long.
    """
    return part(locals())


def serverless(
    *,
    cold_start: Mapping[str, Any] | str,
    idle_timeout: Literal[0] | Mapping[str, Any] | str,
    concurrency: Mapping[str, Any] | int | str | None = None,
    limit: Mapping[str, Any] | int | str | None = None,
    scaling: Mapping[str, Any] | str | None = None,
) -> Part:
    """`serverless: {cold_start: 400ms, idle_timeout: 10m}`: a request has an instance to itself, as on AWS Lambda;
    or up to `concurrency` share one, as Knative's containerConcurrency has it.

    cold_start: From the request that starts an instance until that can work.
    idle_timeout: How long an instance stays that nobody uses.
    concurrency: Requests that share an instance at once.
    limit: The most instances: the quota of concurrent executions.
    scaling: How fast there may be more of them.
    """
    return part(locals())
