"""The pauses of one retry rule: by our own formulas, or as a library reckons them."""

from __future__ import annotations

from sim.policies import library_backoffs, retry
from sim.policies.retry_row import OURS
from sim.spec.policy import Retry


class Pauses:
    """One retry rule, and what is remembered from one pause to the next."""

    def __init__(self, spec: Retry):
        self.rule = retry.new_retry(spec)
        self.steps = retry.new_steps(spec)

    def next(self, outcome: int, tries: int, luck: float, before: float) -> tuple[float, float]:
        """Seconds to pause after so many tries, the last of which ended so, and what the next pause asks for.

        `before` is that of the pause before; `rule.begin` for the first.
        """
        if self.rule.rule == OURS:
            pause = retry.backoff_after(self.rule, outcome, tries, luck, before)
            return pause, pause
        kept = library_backoffs.library_backoff(self.rule, self.steps, tries, luck, before)
        return library_backoffs.seconds_of(self.rule, before, kept), kept
