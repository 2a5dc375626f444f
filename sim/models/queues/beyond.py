"""Nodes that a queue does not hear while the nodes of its broker are split, and what they keep for it."""

from __future__ import annotations

from sim.models.queues.letter import Letter


class Beyond:
    """What is beyond the reach of one queue."""

    def __init__(self) -> None:
        self.nodes: frozenset[int] = frozenset()
        self.kept: list[Letter] = []  # by the channels there, in the order in which it came

    def take_back(self) -> list[Letter]:
        """All that is kept: the queue hears everybody again."""
        self.nodes, kept, self.kept = frozenset(), self.kept, []
        return kept

    def take_of(self, node: int) -> list[Letter]:
        """What this node keeps, which is lost."""
        gone = [letter for letter in self.kept if letter.publication.node == node]
        self.kept = [letter for letter in self.kept if letter.publication.node != node]
        return gone
