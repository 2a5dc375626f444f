"""What happened in a run, in the words of the vocabulary: how alive the frozen systems are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.records.tables import Records
from sim.spec.base import word_of
from sim.spec.scenario import Scenario
from sim.spec.sites import limit_name
from sim.vocabulary import EventKind, MessageEnd, Outcome, Stage

VOCABULARY = (
    *(f"outcome {outcome.word}" for outcome in Outcome),
    *(f"attempt {outcome.word}" for outcome in Outcome),
    *(f"message {end.word}" for end in MessageEnd),
    *(f"event {kind.word}" for kind in EventKind),
    *(f"stage {stage.word}" for stage in Stage),
)


def words(scenario: Scenario, records: Records) -> set[str]:
    """Outcomes of requests and attempts, ends of messages, events, stages; faults that began, and what limits, retries and consumers did."""
    return {*_ends(scenario, records), *_events(scenario, records), *_reactions(scenario, records)}


def _ends(scenario: Scenario, records: Records) -> Iterator[str]:
    for book in records.books:
        if book.component in scenario.services or book.component == "gateway":
            yield from (f"attempt {outcome}" for outcome in book.ended)
    for code in np.unique(records.requests["outcome"]):
        yield f"outcome {Outcome(code).word}"
    for code in np.unique(records.messages["how"]):
        yield f"message {MessageEnd(code).word}"
    for code in np.unique(records.stages["kind"]):
        yield f"stage {Stage(code).word}"


def _events(scenario: Scenario, records: Records) -> Iterator[str]:
    harms = {fault.name: fault for fault in scenario.faults}
    harms |= {fault.inner_name: fault.inner for fault in scenario.faults if fault.inner is not None}
    for code in np.unique(records.events["kind"]):
        yield f"event {EventKind(code).word}"
    for row in records.events[records.events["kind"] == EventKind.FAULT_BEGAN]:
        fault = harms[records.names[row["subject"]]]
        yield " ".join(("fault", word_of(fault), getattr(fault, "how", ""))).strip()


def _reactions(scenario: Scenario, records: Records) -> Iterator[str]:
    last = (
        {series.name: value for series, value in zip(records.series, records.gauges[-1], strict=True)}
        if len(records.gauges)
        else {}
    )
    for place, limit in enumerate(scenario.gateway.rate_limits if scenario.gateway is not None else ()):
        if last[f"gateway {limit_name(limit, place)}.turned_away"] > 0:
            yield f"limit {limit.algorithm} per {limit.per} of {limit.scope} refused"
    for quantity in ("redelivered", "turned_away", "work_wasted", "outbox"):
        if any(value > 0 for name, value in last.items() if name.endswith(f".{quantity}")):
            yield f"series {quantity}"
    if (records.requests["attempts"] > 1).any():
        yield "client tried again"
    if (records.requests["charges"] > 1).any():
        yield "charged twice"
    if np.isfinite(records.requests["completion"]).any():
        yield "order completed"
