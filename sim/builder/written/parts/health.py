"""Parts of a scenario in Python, as `sim/spec/health.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def health_checks(
    *,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
    unhealthy_interval: Literal[0] | Mapping[str, Any] | str | None = None,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    unhealthy_threshold: Mapping[str, Any] | int | str | None = None,
    healthy_threshold: Mapping[str, Any] | int | str | None = None,
    takes: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """`health_checks: {interval: 5s, timeout: 1s}`: callers learn by checks alone that a replica is gone, frozen or
    slow, and that it is back; without them they know at once who has crashed and who is back, and never who is
    frozen.

    interval: From the end of a check of a replica until the next one.
    unhealthy_interval: The same of one that is unhealthy; without it `interval`, as in Envoy. Kong has one for
        each.
    timeout: A check without an answer by then has failed.
    unhealthy_threshold: Checks in a row that must fail until nobody is sent to a replica.
    healthy_threshold: Checks in a row that must pass until it is sent somebody again.
    takes: Time until a replica that nothing slows answers a check, there and back. No worker is needed for it.
    """
    return part(locals())
