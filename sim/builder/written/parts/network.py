"""Parts of a scenario in Python, as `sim/spec/network.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def link(
    *, latency: Mapping[str, Any] | str | None = None, loss: Mapping[str, Any] | float | str | None = None
) -> Part:
    """One direction of a hop.

    latency: Of one direction.
    loss: The share of messages that never arrive.
    """
    return part(locals())


def link_between(
    *,
    latency: Mapping[str, Any] | str | None = None,
    loss: Mapping[str, Any] | float | str | None = None,
    between: Sequence[Any],
) -> Part:
    """The link between two named components (services, `gateway`, brokers), both directions alike.

    latency: Of one direction.
    loss: The share of messages that never arrive.
    between: The two components: services, `gateway`, brokers.
    """
    return part(locals())


def network(
    *,
    default: Mapping[str, Any] | str | None = None,
    between_zones: Literal[0] | Mapping[str, Any] | str | None = None,
    links: Sequence[Mapping[str, Any] | str] | None = None,
) -> Part:
    """All links; without a `default` they are instantaneous.

    default: Every link that is not listed.
    between_zones: Is added to one direction of each message between two replicas in different `zones`.
    links: Links that differ from it.
    """
    return part(locals())
