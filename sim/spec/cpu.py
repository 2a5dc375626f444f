"""A CPU limit, as Kubernetes and Docker set one: how much a replica may compute in each period."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from sim.spec.base import Duration, Leaves, Spec
from sim.units import show_duration, shown

MOST_CORES = 100_000
MILLI = 1000  # in a core
LEAST_QUOTA = 1e-3  # s, in a period: min_cfs_quota_period of the kernel
_MILLI = re.compile(r"\s*([0-9]{1,9})\s*m\s*")


def _cores(value: object) -> object:
    """`500m` and `0.5`."""
    found = _MILLI.fullmatch(value) if isinstance(value, str) else None
    number = int(found[1]) / 1000.0 if found is not None else value
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number <= MOST_CORES:
        raise ValueError(f"found {shown(value)}, expected cores such as 0.5, 2 or 500m, more than 0")
    return float(number)


Millicores = Annotated[
    float,
    BeforeValidator(_cores),
    WithJsonSchema(
        {
            "description": "cores, such as 0.5 or 500m",
            "anyOf": [
                {"type": "string", "pattern": r"^\s*[0-9]+\s*m\s*$"},
                {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_CORES},
            ],
        }
    ),
]


class CpuLimit(Spec):
    """CFS bandwidth control of Linux, which is what `limits.cpu` of Kubernetes and `docker run --cpus` set: in each
    period all threads of a replica together compute for `limit * period` core-seconds; then they stand still until the
    next period begins. Four threads use up a limit of one core in 25 ms of each 100 ms, and stand still for 75.

    They run on as many cores at once as `cores` says, where nothing is said each on its own: a node has more cores than
    its limit grants to one container.
    """

    leaves = Leaves(series=("throttled", "throttled_periods"))
    positional = "limit"
    limit: Millicores
    """How many cores it may use on average: `0.5`, or `500m` as Kubernetes writes it."""
    request: Millicores | None = None
    """What it asks a node for, and what `vertical_scaling` changes (requests.cpu); as Kubernetes has it, the limit
    where nothing is said.
    """
    period: Annotated[Duration, Field(ge=1e-3, le=1.0)] = 0.1
    """How often the quota begins anew: cpu.cfs_period_us, 100 ms by default, from 1 ms to 1 s."""

    @property
    def asked(self) -> float:
        """Cores that it asks for, the default included."""
        return self.limit if self.request is None else self.request

    @property
    def quota(self) -> float:
        """Core-seconds in each period."""
        return self.limit * self.period

    @model_validator(mode="after")
    def _asks_for_no_more(self) -> Self:
        if self.asked > self.limit:
            raise ValueError(f"found a request of {self.asked:g} cores, expected at most the limit, {self.limit:g}")
        return self

    @model_validator(mode="after")
    def _kernel_takes_it(self) -> Self:
        if self.quota < LEAST_QUOTA * (1.0 - 1e-9):
            found = f"{self.limit:g} cores in periods of {show_duration(self.period)}, {self.quota * 1e3:g}ms in each"
            raise ValueError(f"found {found}, expected at least 1ms: the kernel takes no less")
        return self
