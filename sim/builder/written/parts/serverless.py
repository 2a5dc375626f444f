"""Parts of a scenario in Python, as `sim/spec/serverless.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def billing(
    *,
    request: Mapping[str, Any] | float | str | None = None,
    run: Mapping[str, Any] | str | None = None,
    provisioned: Mapping[str, Any] | str | None = None,
    run_provisioned: Mapping[str, Any] | str | None = None,
) -> Part:
    """What a function costs, as AWS Lambda counts: by requests, by the time for which an instance has one, cold
    start included, and by the time for which an instance is provisioned.

    request: The price of a request.
    run: The price of an instance that works, by time.
    provisioned: The price of a provisioned instance, whatever it does, by time.
    run_provisioned: The price of a provisioned instance that works, by time, beside that.
    """
    return part(locals())


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
    reserved: Mapping[str, Any] | int | str | None = None,
    provisioned: Mapping[str, Any] | int | str | None = None,
    billing: Mapping[str, Any] | str | None = None,
    scaling: Mapping[str, Any] | str | None = None,
) -> Part:
    """`serverless: {cold_start: 400ms, idle_timeout: 10m}`: a request has an instance to itself, as on AWS Lambda;
    or up to `concurrency` share one, as Knative's containerConcurrency has it.

    cold_start: From the request that starts an instance until that can work.
    idle_timeout: How long an instance stays that nobody uses.
    concurrency: Requests that share an instance at once.
    limit: The most instances: the quota of concurrent executions.
    reserved: So many are for it alone, and it has no more (reserved concurrency); in the place of `limit`.
    provisioned: So many are always ready (provisioned concurrency).
    billing: What it costs by what it does, in the place of the service's `cost`.
    scaling: How fast there may be more of them.
    """
    return part(locals())
