"""Spells of refusals, as the event log tells of them: where they begin, and where it has been quiet since."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.models.recorder import Recorder
from sim.models.unnoticed import Late, end_of_spell
from sim.policies.base import passed
from sim.vocabulary import QUIET, EventKind


class Spell:
    """Refusals of one kind, by one who refuses."""

    def __init__(self, recorder: Recorder, began: EventKind, ended: EventKind, subject: str, about: str = ""):
        self.recorder = recorder
        self.began = began
        self.ended = ended
        self.subject = subject
        self.about = about
        self.last = -math.inf  # s; the last refusal
        self.going = False  # there has been one

    def note(self, now: float) -> None:
        """One more: after a quiet time it begins a new spell."""
        if passed(now, self.last + QUIET):
            if self.going:
                self.recorder.event(self.ended, self.subject, self.about, time=self.last)
            self.recorder.event(self.began, self.subject, self.about)
            self.going = True
        self.last = now

    def end(self, now: float) -> Iterator[Late]:
        """Its end, where it has been quiet for long enough when the clock stops."""
        return end_of_spell(self.ended, self.going, self.last, now, self.subject, self.about)
