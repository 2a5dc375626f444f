"""What the parts of one system know of one another: who may call whom, who publishes what to whom, and how much comes of one request."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck
from tests.models.random_systems.policies import policy

SHAPES = {"graph": 4, "chain": 2, "diamond": 1, "star": 1, "events": 2, "layers": 1}
SIZES = {"graph": (2, 5), "chain": (4, 6), "diamond": (4, 4), "star": (3, 6), "events": (3, 5), "layers": (6, 9)}
MOST_LOAD = 40.0  # attempts and deliveries that one request may come to: no step is added that leads beyond
EFFECTS = ("made", "paid", "sent")


class Plan:
    """The services s0, s1 ... of which each calls only later ones, and the topics, each read only by services behind those that publish to it."""

    def __init__(self, luck: Luck):
        self.shape = luck.word("shape", SHAPES)
        self.names = [f"s{index}" for index in range(luck.number("services", *SIZES[self.shape]))]
        self.endpoints = ("a", "b", "c") if luck.maybe("third endpoint", 0.2) else ("a", "b")
        topics = luck.number("topics", 1, 3) if self.shape == "events" else luck.number("topics of others", 0, 2)
        self.readers_from = {
            f"t{index}": luck.number(f"readers of t{index}", 1, len(self.names) - 1) for index in range(topics)
        }
        brokers = ["kafka", "pulsar"] if topics > 1 and luck.maybe("two brokers", 0.25) else ["kafka"]
        self.brokers = (
            {broker: list(self.readers_from)[place :: len(brokers)] for place, broker in enumerate(brokers)}
            if topics
            else {}
        )
        self.policies = {
            f"p{index}": policy(luck.at(f"policies/p{index}")) for index in range(luck.number("policies", 3, 5))
        }
        self.load: dict[str, float] = dict.fromkeys(
            self.readers_from, 0.0
        )  # of an endpoint, and of a message of a topic
        self.replicas: dict[str, int] = {}
        busy = luck.maybe("busy", 0.25)  # then there is hardly a moment without a queue
        chances = [0.05 if not busy else 1.0 if index == 0 else 0.4 for index in range(len(self.names))]
        self.crowded = {
            index for index, chance in enumerate(chances) if luck.maybe(f"crowded {index}", chance)
        }  # slow, few workers, queues

    @property
    def last(self) -> int:
        """The number of the service that calls nobody."""
        return len(self.names) - 1

    def callees(self, index: int) -> list[int]:
        """Whom a service may call."""
        if self.shape == "chain":
            return [index + 1][: self.last - index]
        if self.shape == "diamond":
            return [[1, 2], [3], [3], []][index]
        if self.shape == "layers":
            layer = (index + 2) // 3  # one service, then three in each layer
            return list(range(3 * layer + 1, min(3 * layer + 4, len(self.names))))
        if self.shape == "star":
            return [] if index else list(range(1, len(self.names)))
        return list(range(index + 1, len(self.names)))

    def must_call(self, index: int) -> list[int]:
        """Whom its endpoint `a` calls in any case, so that chains are as long and diamonds as wide as they are meant to be."""
        if self.shape == "layers":
            return self.callees(index)[:1]
        return self.callees(index) if self.shape in ("chain", "diamond") else []

    def topics(self, index: int) -> list[str]:
        """What a service may publish to."""
        return [topic for topic, first in self.readers_from.items() if index < first]

    def named_policy(self, name: str | dict[str, Any] | None) -> dict[str, Any] | None:
        """What a policy says, by its name or written in place."""
        return self.policies[name] if isinstance(name, str) else name

    def components(self, gateway: bool) -> list[str]:
        """Between which there are links."""
        return [*self.names, *(["gateway"] if gateway else []), *self.brokers]
