"""What a look at stability comes to: whether the system comes back at the load of its scenario, and up to
which load.
"""

from __future__ import annotations

import math

from sim.experiments.stability.results import Stability
from sim.report.conclusions.conclusion import Conclusion
from sim.report.frame.blocks import Line
from sim.report.stability import rate_in_words, verdict


def conclude_stability(stability: Stability) -> Conclusion:
    """The answer, and every sentence of the verdict."""
    vulnerable = [point.vulnerable for point in stability.points]
    # the first sentence is the answer then
    said = verdict(stability)[1:] if all(vulnerable) or not any(vulnerable) else verdict(stability)
    points = [Line(sentence) for sentence in said]
    return Conclusion(_sentence(stability), points)


def _sentence(stability: Stability) -> str:
    who, load = f"after {stability.stressor} {stability.variant}", rate_in_words(stability.rate)
    if not any(point.vulnerable for point in stability.points):
        return f"Yes: {who} comes back at every load that was tried, up to {rate_in_words(stability.points[-1].rate)}."
    if all(point.vulnerable for point in stability.points):
        return f"No: {who} comes back at no load that was tried, from {rate_in_words(stability.points[0].rate)} on."
    low, high = stability.vulnerable.low, stability.vulnerable.high
    limit = rate_in_words(low if math.isnan(high) else high if math.isnan(low) else stability.vulnerable.value)
    if not math.isnan(low) and stability.rate <= low:
        return f"Yes, at the load of the scenario, {load}: {who} comes back below {limit}, and not above."
    if not math.isnan(high) and stability.rate >= high:
        return f"No, not at the load of the scenario, {load}: {who} comes back only below {limit}."
    return (
        f"On the edge: the load of the scenario, {load}, lies where it begins that {who} does not come back ({limit})."
    )
