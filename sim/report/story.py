"""What happened in a variant, in words: the event log of the first replication, told with its figures and without its
repetitions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from sim.experiments.replicating.results import Comparison, VariantResult
from sim.records.counted import last_end, orders
from sim.records.tables import Records
from sim.report.episodes import Episode, breaker_episodes, clusters, failing_spells, spells_between
from sim.report.scalings import scalings
from sim.report.words import clock, count_of, fault_kind, fault_name, lasting, service_of, show
from sim.spec.fault import Fault
from sim.vocabulary import GOOD, EventKind, Outcome

Mood = Literal["fault", "bad", "good", "plain"]
MOST_EPISODES = 3  # of one kind at one place; more are told in one sentence


@dataclass(frozen=True)
class _Refusal:
    """Something that begins to turn requests away, and stops."""

    began: EventKind
    ended: EventKind
    outcome: Outcome
    begins: str
    last: str


_SHEDDING = _Refusal(
    EventKind.SHEDDING_BEGAN,
    EventKind.SHEDDING_ENDED,
    Outcome.SHED,
    "begins to shed requests",
    "sheds its last request",
)
_OVERFLOW = _Refusal(
    EventKind.LISTEN_OVERFLOW_BEGAN,
    EventKind.LISTEN_OVERFLOW_ENDED,
    Outcome.UNREACHABLE,
    "has a full listen backlog, and begins to drop SYNs",
    "drops its last SYN",
)
_LIMITING = _Refusal(
    EventKind.LIMITING_BEGAN,
    EventKind.LIMITING_ENDED,
    Outcome.RATE_LIMITED,
    "begins to refuse requests above the rate limit",
    "refuses its last one",
)


@dataclass(frozen=True)
class Moment:
    """One sentence of the story, and when."""

    time: float
    text: str
    mood: Mood = "plain"

    def __str__(self) -> str:
        return f"{clock(self.time, fine=True)} {self.text}"


def stories(comparison: Comparison) -> dict[str, tuple[Moment, ...]]:
    """The story of every variant."""
    return {name: tell(variant) for name, variant in comparison.variants.items()}


def tell(variant: VariantResult) -> tuple[Moment, ...]:
    """The moments of one variant in the order of time, a dozen or so."""
    told = [
        *_faults(variant),
        *_failing(variant),
        *_breakers(variant),
        *_crashes(variant.records),
        *_refusals(variant, _SHEDDING),
        *_refusals(variant, _OVERFLOW),
        *_refusals(variant, _LIMITING),
        *_once(variant.records, EventKind.BUDGET_EXHAUSTED, "the retry budget of {place} is spent", "time"),
        *_once(variant.records, EventKind.STOCK_RAN_OUT, "the stock of {place} runs out", "item"),
        *_once(variant.records, EventKind.OVERSOLD, "{place} sells what is not there", "time"),
        *(Moment(time, text, "plain") for time, text in scalings(variant.records)),
        *_once(variant.records, EventKind.PUBLISHERS_BLOCKED, "{place} blocks whoever publishes", "time"),
        *_once(variant.records, EventKind.CONSUMER_TIMED_OUT, "a consumer in {place} does not acknowledge", "time"),
        *_rebalances(variant.records),
        *_lags(variant),
        *_end(variant),
    ]
    return tuple(sorted(told, key=lambda moment: moment.time))


def _faults(variant: VariantResult) -> Iterator[Moment]:
    duration = variant.scenario.duration
    for fault in variant.scenario.faults:
        name, kind = fault_name(fault), fault_kind(fault)
        if fault.at >= duration:
            continue
        yield Moment(fault.at, f"{name} begins ({kind}).", "fault")
        if fault.momentary:
            yield from _recovery(variant, name, fault.at, "beginning")
            continue
        end = duration if fault.lasts is None else fault.at + fault.lasts
        during = _during(variant, fault.at, min(end, duration))
        if end >= duration:
            if fault.lasts is not None or kind.partition(",")[0] != "crash":
                yield Moment(duration, f"{name} has not ended. {during}".strip(), "fault")
            continue
        yield Moment(end, f"{name} ends. {during}".strip(), "fault")
        yield from _recovery(variant, name, end)


def _during(variant: VariantResult, start: float, end: float) -> str:
    """How requests fared in a span of time, from the timeline: the answers that left in it against the requests that
    arrived.
    """
    frame = variant.timeline
    inside = frame[(frame.index >= start) & (frame.index < end)]
    if not len(inside) or "offered" not in frame.columns:
        return ""
    offered = float(inside["offered"].sum()) - _total(inside, "unauthorized")
    if offered <= 0:
        return ""
    well, degraded = (
        sum(_total(inside, outcome.word) for outcome in GOOD) / offered,
        _total(inside, "degraded") / offered,
    )
    words = f"While it lasted, {show(well, 'share')} as many requests were answered well as arrived"
    words += f", {show(degraded, 'share')} by a fallback" if degraded > 0.0005 else ""
    slowest = inside["response_p95"].max() if "response_p95" in inside.columns else math.nan
    return (
        f"{words}; the p95 of the response was {show(float(slowest), 's')} at its highest."
        if pd.notna(slowest)
        else f"{words}."
    )


def _total(frame: pd.DataFrame, column: str) -> float:
    return float(frame[column].sum()) if column in frame.columns else 0.0


def _recovery(variant: VariantResult, fault: str, end: float, edge: str = "end") -> Iterator[Moment]:
    """From the figures of this very replication, which count from the `end` of the fault, or its `beginning`."""
    for key, what in (
        (f"recovery_time({fault})", "success and p95 of the response are"),
        (f"recovery_time({fault}, completion)", "completion is"),
    ):
        time = _figure(variant, key)
        if math.isinf(time):
            yield Moment(
                variant.scenario.duration,
                f"{what} not back to what {'it was' if 'is' in what.split() else 'they were'} before {fault}.",
                "bad",
            )
        elif time > 0:
            yield Moment(end + time, f"{what} back to normal, {lasting(time)} after the {edge} of {fault}.", "good")
    drained = _figure(variant, f"drain_time({fault})")
    if math.isinf(drained):
        yield Moment(variant.scenario.duration, f"the backlog that {fault} left has not drained.", "bad")
    elif drained > 0:
        yield Moment(
            end + drained,
            f"the backlog of messages has drained, {lasting(drained)} after the {edge} of {fault}.",
            "good",
        )


def _failing(variant: VariantResult) -> Iterator[Moment]:
    """Spells in which most requests fail. Those that begin in a fault are told by its end and by the recovery from it.

    Who arrived a moment before the fault may fail by it.
    """
    records, faults = variant.records, variant.scenario.faults
    spells = [
        spell
        for spell in failing_spells(records)
        if not (_into_fault(faults, spell.start) or _into_fault(faults, spell.start + 2 * spell.bucket))
    ]
    begins = "more than half of the requests begin to fail"
    if len(spells) > MOST_EPISODES:
        ends = [spell.end if spell.end is not None else records.duration for spell in spells]
        total = sum(end - spell.start for spell, end in zip(spells, ends, strict=True))
        yield Moment(
            spells[0].start, f"{begins}; {len(spells)} spells up to {clock(ends[-1])}, {lasting(total)} in all.", "bad"
        )
        return
    for spell in spells:
        yield Moment(spell.start, f"{begins}, mostly by {spell.outcome.word.replace('_', ' ')}.", "bad")
        if spell.end is None:
            words = (
                f"most requests still fail, {lasting(records.duration - spell.start)} after that began: "
                f"{show(spell.share, 'share')} since then."
            )
            yield Moment(records.duration, words, "bad")
        else:
            words = (
                f"most requests are answered again, after {lasting(spell.end - spell.start)} in which "
                f"{show(spell.share, 'share')} failed."
            )
            yield Moment(spell.end, words, "good")


def _figure(variant: VariantResult, key: str) -> float:
    frame = variant.per_replication
    return float(frame[key].iloc[0]) if key in frame.columns and len(frame) else math.nan


def _breakers(variant: VariantResult) -> Iterator[Moment]:
    for (caller, callee), episodes in breaker_episodes(variant.records).items():
        pair = f"{caller} → {callee}"
        if len(episodes) > MOST_EPISODES:
            yield _many(pair, episodes, variant.records.duration)
            continue
        for episode in episodes:
            yield from _episode(variant, pair, episode)


def _many(pair: str, episodes: Sequence[Episode], duration: float) -> Moment:
    first, last = episodes[0], episodes[-1]
    total = sum(episode.end - episode.start for episode in episodes)
    text = (
        f"breakers {pair} open for the first time; up to {clock(last.end)} there are {len(episodes)} spells of open "
        "breakers, "
        f"{count_of(sum(episode.opened for episode in episodes), 'opening')} in all, together "
        f"{show(total / duration, 'share')} of the run."
    )
    return Moment(first.start, text, "bad")


def _episode(variant: VariantResult, pair: str, episode: Episode) -> Iterator[Moment]:
    """An opening, the tries in between, and the closing."""
    since = _into_fault(variant.scenario.faults, episode.start)
    if episode.breakers == 1:
        yield Moment(episode.start, f"the breaker {pair} opens{since}.", "bad")
    else:
        spread = f" within {lasting(episode.spread)}" if episode.spread > 0 else ""
        yield Moment(episode.start, f"{count_of(episode.breakers, 'breaker')} {pair} open{spread}{since}.", "bad")
    if episode.tries and episode.reopened:
        tries, again = count_of(episode.tries, "time"), count_of(episode.reopened, "time")
        who = "the breaker" if episode.breakers == 1 else "breakers"
        yield Moment(
            episode.first_try,
            f"{who} {pair}: half open for the first time; {tries} up to {clock(episode.end)}, and open again {again}.",
        )
    if episode.closed:
        which = f"the breaker {pair} is" if episode.breakers == 1 else f"all breakers {pair} are"
        yield Moment(episode.end, f"{which} closed again, after {lasting(episode.end - episode.start)}.", "good")
    else:
        yield Moment(
            variant.records.duration, f"breakers {pair} are still open or half open at the end of the run.", "bad"
        )


def _into_fault(faults: Sequence[Fault], time: float) -> str:
    """`, 1.1 s into payments outage`"""
    running = [fault for fault in faults if fault.at <= time < fault.end]
    return f", {lasting(time - running[-1].at)} into {fault_name(running[-1])}" if running else ""


def _crashes(records: Records) -> Iterator[Moment]:
    kinds: tuple[tuple[EventKind, str, Mood], ...] = (
        (EventKind.REPLICA_CRASHED, "down", "bad"),
        (EventKind.REPLICA_RESTARTED, "up again", "good"),
    )
    for kind, word, mood in kinds:
        for service, times in _by_place(records, kind).items():
            groups = clusters(times, 2.0)
            for group in groups[:MOST_EPISODES]:
                yield Moment(
                    group[0],
                    f"{count_of(len(group), 'replica')} of {service} {'is' if len(group) == 1 else 'are'} {word}.",
                    mood,
                )
            if len(groups) > MOST_EPISODES:
                rest = sum(len(group) for group in groups[MOST_EPISODES:])
                yield Moment(
                    groups[MOST_EPISODES][0],
                    f"replicas of {service} are {word} {count_of(rest, 'more time')} up to {clock(times[-1])}.",
                    mood,
                )


def _refusals(variant: VariantResult, refusal: _Refusal) -> Iterator[Moment]:
    """Shedding and limiting: spells with a beginning and mostly an end."""
    for place, spells in spells_between(variant.records, refusal.began, refusal.ended).items():
        told = [
            (start, end if end is not None else _last_of(variant.records, refusal.outcome, start))
            for start, end in spells
        ]
        start, since = told[0][0], _into_fault(variant.scenario.faults, told[0][0])
        if len(told) > MOST_EPISODES:
            total, last = sum(end - start for start, end in told if end is not None), told[-1][1]
            until = f" up to {clock(last)}" if last is not None else ""
            yield Moment(
                start, f"{place} {refusal.begins}{since}; {len(told)} spells{until}, {lasting(total)} in all.", "bad"
            )
            continue
        for start, end in told:
            yield Moment(start, f"{place} {refusal.begins}{_into_fault(variant.scenario.faults, start)}.", "bad")
            if end is not None:
                yield Moment(end, f"{place} {refusal.last}, after {lasting(end - start)}.", "good")


def _last_of(records: Records, outcome: Outcome, start: float) -> float | None:
    """When the last request with this outcome was told so; None where none was, or where it goes on to the end."""
    last = last_end(records, outcome)
    return last if start <= last < 0.99 * records.duration else None


def _once(records: Records, kind: EventKind, text: str, noun: str) -> Iterator[Moment]:
    """The first of many alike, with how many there were."""
    for place, times in _by_place(records, kind).items():
        more = f" ({count_of(len(times), noun)} up to {clock(times[-1])})" if len(times) > 1 else ""
        yield Moment(times[0], f"{text.format(place=place)}{more}.", "bad")


def _rebalances(records: Records) -> Iterator[Moment]:
    """Assignments of partitions after the first one."""
    for group, times in _by_place(records, EventKind.PARTITIONS_ASSIGNED).items():
        later = [cluster for cluster in clusters(times, 1.0) if cluster[0] > 1.0]
        for cluster in later[:MOST_EPISODES]:
            yield Moment(cluster[0], f"the partitions of {group} are assigned anew.")
        if len(later) > MOST_EPISODES:
            yield Moment(
                later[MOST_EPISODES][0],
                f"and {count_of(len(later) - MOST_EPISODES, 'more time')} up to {clock(times[-1])}: {group} is "
                "rebalanced.",
            )


def _lags(variant: VariantResult) -> Iterator[Moment]:
    """The peak of a backlog of messages, where it stands out of what is usual."""
    frame = variant.records.gauge_frame()
    frame = frame[frame.index >= variant.records.warmup]
    for column in frame.columns:
        group, dot, quantity = str(column).rpartition(".")
        if dot and quantity == "lag":
            series = frame[column].dropna()
            if len(series) and float(series.max()) > max(20.0, 10 * float(series.quantile(0.1))):
                time = float(series.index[int(series.argmax())])
                yield Moment(
                    time,
                    f"{_reader(group)} lags furthest behind: {count_of(float(series.max()), 'message')}.",
                    "bad",
                )


def _reader(component: str) -> str:
    """`group topic` -> `group on topic`; a queue is told of as it is called."""
    return component if component.startswith("queue ") else component.replace(" ", " on ", 1)


def _end(variant: VariantResult) -> Iterator[Moment]:
    """What was promised and is not done when the clock stops."""
    all_orders = orders(variant.records)
    pending = all_orders.total(all_orders.promised & all_orders.pending)
    lost = all_orders.total(all_orders.promised) - pending
    if lost:
        more = f", {pending:,} may still be" if pending else ""
        yield Moment(
            variant.records.duration,
            f"the run ends; {count_of(lost, 'order')} answered well can never be completed{more}.",
            "bad",
        )
    elif pending:
        yield Moment(
            variant.records.duration,
            f"the run ends; {count_of(pending, 'order')} answered well {'is' if pending == 1 else 'are'} not complete "
            "yet.",
        )


def _by_place(records: Records, kind: EventKind) -> dict[str, list[float]]:
    """Times of the events of a kind by subject, replicas of one service together; by caller and callee where both are
    named.
    """
    names = (*records.names, "")
    found: dict[str, list[float]] = {}
    for row in records.events[records.events["kind"] == kind]:
        subject, other = service_of(names[row["subject"]]), names[row["object"]]
        found.setdefault(
            f"{subject} → {other}" if other and kind == EventKind.BUDGET_EXHAUSTED else subject, []
        ).append(float(row["time"]))
    return found
