"""The answer of anything that was asked, in words: what stands first on its page, last in the terminal, and as `answer`
in its JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.experiments.replicating.results import Comparison
from sim.report.conclusions.comparing import conclude
from sim.report.conclusions.conclusion import Conclusion

if TYPE_CHECKING:
    from sim.experiments.replicating.explaining import Explanation
    from sim.experiments.searching.documents import Answer
    from sim.experiments.stability.results import Stability


def conclusion_of(found: Comparison | Explanation | Stability | Answer) -> Conclusion:
    """The sentence, and the points that it stands on.

    A comparison is told without importing what the others need: `sim run` answers at once.
    """
    if isinstance(found, Comparison):
        return conclude(found)
    from sim.experiments.replicating.explaining import Explanation
    from sim.experiments.stability.results import Stability

    if isinstance(found, Explanation):
        from sim.report.conclusions.explaining import conclude_explanation

        return conclude_explanation(found)
    if isinstance(found, Stability):
        from sim.report.conclusions.stability import conclude_stability

        return conclude_stability(found)
    from sim.report.conclusions.searching import conclude_search

    return conclude_search(found)
