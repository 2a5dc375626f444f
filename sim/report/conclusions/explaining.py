"""What an explanation comes to: what slow requests spend most of their time on, variant by variant."""

from __future__ import annotations

from sim.experiments.replicating.explaining import Explanation, VariantExplanation
from sim.report.conclusions.comparing import harms
from sim.report.conclusions.conclusion import Conclusion
from sim.report.explanation import phrase_of, rows_of, saturation, sentences
from sim.report.frame.blocks import Line
from sim.report.words import show


def conclude_explanation(explanation: Explanation) -> Conclusion:
    """The largest part of the slowest requests that were looked at, the other parts of them, and what was full first in
    the run.
    """
    variants = explanation.variants
    said = [text for variant in variants.values() if (text := _mostly(variant))]
    points = [*harms(explanation.comparison)]
    for name, variant in variants.items():
        points += [Line(sentence) for sentence in sentences(variant)[-1:]]
        points += [
            Line(f"{name}: {line}." if len(variants) > 1 else f"{line[:1].upper()}{line[1:]}.")
            for line in saturation(variant)[-1:]
        ]
    if not said:
        return Conclusion("No such request was answered, so there is no time to explain.", points)
    sentence = "; ".join(said)
    return Conclusion(f"{sentence[:1].upper()}{sentence[1:]}.", points)


def _mostly(variant: VariantExplanation) -> str:
    """`of the p99 of sync, 71% waits for a thread of orders`; '' where nothing was answered."""
    if not variant.quantiles:
        return ""
    explained = list(variant.quantiles.values())[-1]
    first = next(iter(rows_of(explained).items()), None)
    if first is None:
        return f"the {explained.name} of {variant.name} takes no time at all"
    row, share = first
    return (
        f"of the {explained.name} {variant.clock} of {variant.name}, {show(share, 'share')} {phrase_of(variant, row)}"
    )
