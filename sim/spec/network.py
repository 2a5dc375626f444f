"""Links between components: one-way latency and loss, drawn for each direction of each hop behind the client."""

from __future__ import annotations

from sim.spec.base import Duration, Share, Spec
from sim.spec.distribution import AnyDistribution


class Link(Spec):
    """One direction of a hop."""

    latency: AnyDistribution | None = None
    """Of one direction."""
    loss: Share = 0.0
    """The share of messages that never arrive."""


class LinkBetween(Link):
    """The link between two named components (services, `gateway`, brokers), both directions alike."""

    between: tuple[str, str]
    """The two components: services, `gateway`, brokers."""


class Network(Spec):
    """All links; without a `default` they are instantaneous."""

    default: Link = Link()
    """Every link that is not listed."""
    between_zones: Duration = 0.0
    """Is added to one direction of each message between two replicas in different `zones`."""
    links: tuple[LinkBetween, ...] = ()
    """Links that differ from it."""
