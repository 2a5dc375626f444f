"""The answer of anything that was asked, in words: what stands first on its page, last in the terminal, and as `answer`
in its JSON.
"""

from __future__ import annotations

from sim.experiments.replicating.explaining import Explanation
from sim.experiments.replicating.results import Comparison
from sim.experiments.searching.documents import Answer
from sim.experiments.stability.results import Stability
from sim.report.conclusions.comparing import conclude
from sim.report.conclusions.conclusion import Conclusion
from sim.report.conclusions.explaining import conclude_explanation
from sim.report.conclusions.searching import conclude_search
from sim.report.conclusions.stability import conclude_stability


def conclusion_of(found: Comparison | Explanation | Stability | Answer) -> Conclusion:
    """The sentence, and the points that it stands on."""
    if isinstance(found, Comparison):
        return conclude(found)
    if isinstance(found, Explanation):
        return conclude_explanation(found)
    return conclude_stability(found) if isinstance(found, Stability) else conclude_search(found)
