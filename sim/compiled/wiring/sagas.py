"""Sagas, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows import sagas as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.found import Filled, Found

if TYPE_CHECKING:
    from sim.compiled.program import Label
    from sim.models.saga import Saga, Sagas


class SagaTables:
    """Their rows."""

    def __init__(self) -> None:
        self.counts, self.sagas = Found(rows.SagaCounts), Found(rows.Saga)
        self.place_of: dict[Sagas, int] = {}  # what is told of those of a service
        self._asides: list[tuple[int, Label]] = []

    def saga(self, step: Saga, aside: Label) -> int:
        """One; `aside` is where the program of who undoes all in the background will stand."""
        if step.told not in self.place_of:
            self.place_of[step.told] = self.counts.add()
        place = self.sagas.add(
            counts=self.place_of[step.told],
            salt=step.salt,
            attempts=step.step.undo_attempts,
            pause=step.step.undo_pause,
            aside=NOBODY,
        )
        if step.step.answers_first:
            self._asides.append((place, aside))
        return place

    def tables(self) -> Filled:
        """As they are at time 0; all programs have been written."""
        for place, aside in self._asides:
            self.sagas.rows[place]["aside"] = aside.place
        yield rows.ledgers, rows.Ledger.zeros(1)
        yield rows.saga_counts, self.counts.array()
        yield rows.sagas, self.sagas.array()
