"""A rolling deployment: new replicas for old ones, a few at a time, as Kubernetes' Deployment controller brings them.

Canaries and blue-green are in `release.py`.

Not modelled: `progressDeadlineSeconds`, going back.
"""

from __future__ import annotations

from sim.models.fleet import THERE, Fleet


class Rollout:
    """The replicas that were there when it began go, as new ones come.

    There are never more than wanted and `surge` (those that drain do not count), and never fewer are ready than wanted
    less `unavailable`.
    """

    looks_after_both = False

    def __init__(self, fleet: Fleet, surge: int, unavailable: int):
        self.fleet = fleet
        self.surge = surge
        self.unavailable = unavailable
        self.old = {slot.replica.index for slot in fleet.of(*THERE)}

    @property
    def is_over(self) -> bool:
        """Whether all that were there have gone."""
        return not self.old

    def go_on(self) -> None:
        """Something has become ready, or has gone: what may be done now?"""
        fleet = self.fleet
        there = fleet.of(*THERE)
        self.old &= {slot.replica.index for slot in there}
        ready = sum(slot.is_ready for slot in there)
        spare = ready - (fleet.wanted - self.unavailable)
        # First those that serve nobody, then the longest in service.
        leaving = sorted(
            (slot for slot in there if slot.replica.index in self.old), key=lambda its: (its.is_ready, its.ready_at)
        )
        for slot in leaving:
            if slot.is_ready:
                if spare <= 0:
                    break
                spare -= 1
            self.old.discard(slot.replica.index)
            fleet.drain(slot)
        new = len(fleet.of(*THERE)) - len(self.old)
        room = fleet.wanted + self.surge - len(fleet.of(*THERE))
        fleet.start_more(min(fleet.wanted - new, room), fleet.version)
