"""Parts of a scenario in Python, as `sim/spec/cpu.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def cpu_limit(
    *,
    limit: Mapping[str, Any] | float | str,
    request: Mapping[str, Any] | float | str | None = None,
    period: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """CFS bandwidth control of Linux, which is what `limits.cpu` of Kubernetes and `docker run --cpus` set: in each
    period all threads of a replica together compute for `limit * period` core-seconds; then they stand still
    until the next period begins. Four threads use up a limit of one core in 25 ms of each 100 ms, and stand still
    for 75.

    limit: How many cores it may use on average: `0.5`, or `500m` as Kubernetes writes it.
    request: What it asks a node for, and what `vertical_scaling` changes (requests.cpu); as Kubernetes has it, the
        limit where nothing is said.
    period: How often the quota begins anew: cpu.cfs_period_us, 100 ms by default, from 1 ms to 1 s.
    """
    return part(locals())
