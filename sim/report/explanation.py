"""Where the time of requests went, told: sentences, tables and JSON of an explanation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from sim.experiments.envelope import head, written
from sim.experiments.replicating.explaining import Busy, Explained, Explanation, VariantExplanation
from sim.experiments.replicating.results import undecided
from sim.report.story import tell
from sim.report.words import clock, count_of, listed, show, show_between, show_interval
from sim.spec.scenario import Scenario
from sim.stats.interval import Interval
from sim.units import show_duration

AGAIN = "earlier attempts"
SMALL = 0.01  # of the response: less is told together
_TOLD = 4  # parts of a sentence
_ENOUGH = 0.9  # of the time; a sentence ends there
_MOSTLY = 0.99  # of the requests answered well: fewer are told of

LABELS: dict[str, str] = {
    "queue": "wait for a worker",
    "work": "work",
    "cores": "wait for a core or other threads",
    "wait": "waits of its own",
    "thread": "wait for an event-loop thread",
    "bulkhead": "wait for the bulkhead",
    "lock": "wait for a lock",
    "frozen": "frozen",
    "replication": "replication",
    "network": "network",
    "outbox": "wait in an outbox",
    "lag": "wait for a consumer",
    "retry topic": "wait in a retry topic",
    "backoff": "back-off",
    AGAIN: AGAIN,
    "other": "other waits",
}
_SENTENCES: dict[str, str] = {
    "queue": "waits for a {worker} of {place}",
    "work": "is work of {place}",
    "cores": "waits for a core or other threads of {place}",
    "wait": "passes in waits of {place} itself",
    "thread": "waits for an event-loop thread of {place}",
    "bulkhead": "waits for a place in the bulkhead before {place}",
    "lock": "waits in {place} for a lock that another one holds",
    "frozen": "stands still with {place}",
    "replication": "waits for the replication of {place}",
    "network": "is travel to and from {place}",
    "outbox": "waits in the outbox of {place}",
    "lag": "waits for a consumer of {place}",
    "retry topic": "waits in a retry topic of {place}",
    "backoff": "pauses before {place} is tried again",
    AGAIN: "went into earlier attempts at {place}",
    "other": "goes into other waits at {place}",
}

Row = tuple[str, str]  # place, a key of LABELS


def rows_of(explained: Explained) -> dict[Row, float]:
    """(place, what) -> share of the response, largest first; what an attempt did that was made again is one row of its
    place.
    """
    found: dict[Row, float] = {}
    for portion in explained.portions:
        row = (portion.place, AGAIN if portion.again else portion.what)
        found[row] = found.get(row, 0.0) + portion.share
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def sentences(variant: VariantExplanation) -> list[str]:
    """`p99 of sync, 458 ms: 71% of the time waits for a thread of orders, 20% went into earlier attempts at
    payments.`
    """
    return [_sentence(variant, explained) for explained in variant.quantiles.values()]


def arrived(explanation: Explanation, variant: VariantExplanation) -> str:
    """How many requests are explained at most."""
    records, requests, orders = (
        variant.result.records,
        *(_number(explanation, variant, of) for of in ("requests", "orders")),
    )
    what = (
        f"{count_of(requests, 'request')}, {count_of(orders, 'order')} among them,"
        if orders
        else count_of(requests, "request")
    )
    return f"{what} arrived from {clock(records.warmup)} to {clock(records.duration)}, on average."


def _number(explanation: Explanation, variant: VariantExplanation, of: str) -> float:
    """How many requests, or orders, arrived in the window."""
    return variant.result.metrics[f"{of}({explanation.route})" if explanation.route else of].value


def left_out(explanation: Explanation, variant: VariantExplanation) -> Iterator[str]:
    """Requests that are not among those explained."""
    key = f"availability({explanation.route})" if explanation.route else "availability"
    bounds = undecided(variant.result.metrics, key)
    available = variant.result.metrics[key].value if key in variant.result.metrics else math.nan
    if not variant.quantiles:
        done = "answered" if variant.clock == "response" else "completed, or can still be,"
        yield f"No such request was {done} after the warm-up."
    elif variant.clock == "completion":
        yield _of_other(variant)
    elif bounds is not None:
        yield (
            f"The end of the run left the fate of many requests open: {show_between(bounds, 'share')} of them are "
            "answered well. These are explained."
        )
    elif not explanation.failures and available < _MOSTLY:
        yield f"Only {show(available, 'share')} of the requests were answered well; --all explains the others too."


def _of_other(variant: VariantExplanation) -> str:
    """What the clock of the response shows, for whoever looks at that alone."""
    told = ", ".join(f"{name} {show_interval(its.value, 's')}" for name, its in variant.other.items())
    return (
        f"That is the clock of completion; answers come earlier ({told}): --clock response explains those."
        if told
        else "Nothing was answered."
    )


def phrase_of(variant: VariantExplanation, row: Row) -> str:
    """`waits for a thread of orders`"""
    place, what = row
    return _SENTENCES[what].format(place=place, worker=_worker(variant.result.scenario, place))


def _sentence(variant: VariantExplanation, explained: Explained) -> str:
    told, words = 0.0, list[str]()
    for row, share in rows_of(explained).items():
        if words and (told >= _ENOUGH or len(words) == _TOLD or share < SMALL):
            break
        phrase = phrase_of(variant, row)
        words.append(f"{show(share, 'share')} {'of the time ' if not words else ''}{phrase}")
        told += share
    clock = "the completion of " if variant.clock == "completion" else ""
    value = f"{'> ' if explained.open else ''}{show_interval(explained.value, 's')}"
    return f"{explained.name} of {clock}{variant.name}, {value}: {', '.join(words) if words else 'no time at all'}."


def _worker(scenario: Scenario, place: str) -> str:
    station = scenario.gateway if place == "gateway" else scenario.services.get(place)
    return "thread" if station is not None and station.concurrency == "threads" else "worker"


def saturation(variant: VariantExplanation) -> list[str]:
    """Which station is full first: on paper, and in the run."""
    lines = []
    station, load = variant.load.bottleneck, variant.load.capacity
    if station is not None:
        when = "never, since limits hold the load back" if math.isinf(load) else f"at {load:.3g} times this load"
        lines.append(
            f"first full on paper: {station.name} ({station.resource}), {when}; now "
            f"{show(station.utilisation, 'share')}"
        )
    filled, busiest = variant.filled, variant.busiest
    if filled:
        lines.append(
            "first full in the run: "
            f"{', then '.join(f'{_named(busy)} from {clock(busy.full_at)}' for busy in filled[:4])}"
        )
    elif busiest is not None:
        lines.append(
            f"no station was full in the run; the busiest, {_named(busiest)}, was "
            f"{show(busiest.utilisation.value, 'share')} busy"
        )
    return lines


def _named(busy: Busy) -> str:
    return f"{busy.station} ({busy.resource})"


def render_explanation(explanation: Explanation) -> str:
    """All of it as plain text: per variant sentences, the parts, the USE table, what was full first, and what
    happened.
    """
    blocks = []
    for name, variant in explanation.variants.items():
        parts = [
            name,
            *(
                f"  {sentence}"
                for sentence in (arrived(explanation, variant), *sentences(variant), *left_out(explanation, variant))
            ),
            "",
        ]
        parts += [
            *_indented(parts_table(variant)),
            "",
            *_indented(use_table(variant)),
            "",
            *(f"  {line}" for line in saturation(variant)),
        ]
        story = [f"    {moment}" for moment in tell(variant.result)]
        blocks.append("\n".join([*parts, *(["  what happened, in the first replication"] if story else []), *story]))
    return "\n\n".join(blocks) + "\n"


def parts_table(variant: VariantExplanation) -> list[list[str]]:
    """Rows of cells, the first one of heads and the last one of sums: a row per place and what it did, two columns per
    quantile.
    """
    explained = list(variant.quantiles.values())
    shares = [rows_of(its) for its in explained]
    every = sorted(
        dict.fromkeys(row for its in shares for row in its), key=lambda row: -max(its.get(row, 0.0) for its in shares)
    )
    shown = [row for row in every if any(its.get(row, 0.0) >= SMALL for its in shares)]
    lines = [["where the time went", "", *(cell for its in explained for cell in (its.name, "share"))]]
    for place, what in shown:
        cells = (_cells(found.get((place, what), 0.0), its) for its, found in zip(explained, shares, strict=True))
        lines.append([place, LABELS[what], *(text for pair in cells for text in pair)])
    rest = [sum(share for row, share in its.items() if row not in shown) for its in shares]
    if any(share > 0 for share in rest):
        lines.append(
            ["all else", "", *(cell for its, share in zip(explained, rest, strict=True) for cell in _cells(share, its))]
        )
    total = [cell for its in explained for cell in (show(its.response.value, "s"), "100%")]
    return [*lines, ["together", f"{_count(explained)} requests each" if explained else "", *total]]


def _cells(share: float, explained: Explained) -> tuple[str, str]:
    return (show(share * explained.response.value, "s"), f"{share * 100:.1f}%") if share > 0 else ("", "")


def _count(explained: Sequence[Explained]) -> str:
    counts = dict.fromkeys(f"{its.requests:,.0f}" for its in explained)
    return listed(list(counts))


def use_table(variant: VariantExplanation) -> list[list[str]]:
    """Rows of cells, the first one of heads: utilisation, saturation and errors of everything that can be full."""
    head = ["station", "resource", "utilisation", "at most", "queue", "at most", "full from", "errors"]
    return [head, *([*_use_cells(busy)] for busy in variant.use)]


def _use_cells(busy: Busy) -> Iterator[str]:
    yield busy.station
    yield busy.resource
    yield show_interval(busy.utilisation, "share")
    yield show(busy.utilisation_max.value, "share")
    yield show(busy.queue_mean.value, "1")
    yield show(busy.queue_max.value, "1")
    yield clock(busy.full_at) if math.isfinite(busy.full_at) else "-"
    of = busy.attempts.value
    yield (
        ", ".join(
            f"{word.replace('_', ' ')} {show(figure.value / of, 'share')}"
            for word, figure in busy.errors.items()
            if of > 0
        )
        or "-"
    )


def _indented(table: list[list[str]]) -> list[str]:
    """Aligned: names to the left, figures to the right; errors, the last column of many, to the left."""
    sizes = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    left = {0, 1, 7}
    return [
        "  "
        + "  ".join(
            cell.ljust(size) if column in left else cell.rjust(size)
            for column, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in table
    ]


def headline(explanation: Explanation, took: float) -> str:
    """What was run."""
    its = explanation.comparison
    runs = f"{its.replications} replication{'s' if its.replications != 1 else ''}"
    of = f", {explanation.route}" if explanation.route else ""
    return (
        f"{its.study.name}{of}: {runs}, seed {its.seed}, engine {its.engine}, {show_duration(took)}, fingerprint "
        f"{its.fingerprint}"
    )


def explanation_document(explanation: Explanation, answer: str | None = None) -> dict[str, Any]:
    """What `--json` writes. Missing and infinite values are null."""
    its = explanation.comparison
    return {
        **head(
            "explain",
            its.study.name,
            seed=its.seed,
            engine=its.engine,
            replications=its.replications,
            fingerprint=its.fingerprint,
            answer=answer,
        ),
        **({"route": explanation.route} if explanation.route else {}),
        "variants": {
            name: {**_numbers(explanation, variant), **_variant_document(variant)}
            for name, variant in explanation.variants.items()
        },
    }


def explanation_json(explanation: Explanation, answer: str | None = None) -> str:
    """The document as text, the same text for the same results."""
    return written(explanation_document(explanation, answer))


def _numbers(explanation: Explanation, variant: VariantExplanation) -> dict[str, Any]:
    return {of: _number(explanation, variant, of) for of in ("requests", "orders")}


def _variant_document(variant: VariantExplanation) -> dict[str, Any]:
    station = variant.load.bottleneck
    on_paper = station and {
        "station": station.name,
        "resource": station.resource,
        "at_load": _finite(variant.load.capacity),
    }
    in_run = [{"station": busy.station, "resource": busy.resource, "at": busy.full_at} for busy in variant.filled]
    return {
        "clock": variant.clock,
        "words": [*sentences(variant), *saturation(variant)],
        "quantiles": {name: _quantile_document(explained) for name, explained in variant.quantiles.items()},
        "use": [_use_document(busy) for busy in variant.use],
        "first_full": {"on_paper": on_paper, "in_run": in_run},
        "story": [{"time": moment.time, "text": moment.text} for moment in tell(variant.result)],
    }


def _quantile_document(explained: Explained) -> dict[str, Any]:
    return {
        "share": explained.share,
        "value": _limits(explained.value),
        "lower_bound": explained.open,
        "response": _limits(explained.response),
        "requests": _finite(explained.requests),
        "parts": [
            {
                "place": part.place,
                "what": part.what,
                "again": part.again,
                "share": part.share,
                "seconds": _limits(part.seconds),
            }
            for part in explained.portions
        ],
    }


def _use_document(busy: Busy) -> dict[str, Any]:
    return {
        "station": busy.station,
        "resource": busy.resource,
        "utilisation": {"mean": _limits(busy.utilisation), "max": _limits(busy.utilisation_max)},
        "queue": {"mean": _limits(busy.queue_mean), "max": _limits(busy.queue_max)},
        "full_at": _finite(busy.full_at),
        "attempts": _limits(busy.attempts),
        "errors": {word: _limits(figure) for word, figure in busy.errors.items()},
    }


def _limits(figure: Interval) -> dict[str, float | None]:
    return {part: _finite(getattr(figure, part)) for part in ("value", "low", "high")}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
