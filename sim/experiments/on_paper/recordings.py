"""What was understood of the recordings of a scenario, in a line each: rows, span, rate, and how much of it falls into
the run.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.chance.rates import RateCurve
from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.experiments.on_paper.places import specs_within
from sim.spec.arrivals import Replay, Rows
from sim.spec.measured import Recorded
from sim.spec.moments import show_moment
from sim.spec.scenario import Scenario
from sim.units import show_duration, show_rate

LEFT = 0.1  # of the run without anything from the recording, and still no news
_CLOCKS = {"start": "seconds from a start", "local": "dates without a zone", "utc": "dates with a zone"}


def recording_lines(scenario: Scenario) -> Iterator[str]:
    """A line for each recording of arrivals, then for each column of durations."""
    for name, arrivals, rows in _replays(scenario):
        yield (
            f"{name}: {arrivals.file}: {_rows(arrivals, rows)}, {_rates(arrivals, rows)}; "
            f"{_within(arrivals, rows, scenario.duration)}"
        )
    for place, column in specs_within("", scenario, Recorded):
        which = f", column {column.column}" if column.column is not None else ""
        span = f"from {show_duration(min(column.data, default=0.0))} to {show_duration(max(column.data, default=0.0))}"
        yield f"{place}: {column.file}{which}: {len(column.data):,} rows, mean {show_duration(column.mean)}, {span}"


def recordings_outside(view: View) -> Iterator[Finding]:
    """Recordings of which the run sees little, or that end long before it."""
    for name, arrivals, rows in _replays(view.scenario):
        duration, total = view.scenario.duration, _total(arrivals, rows)
        inside = RateCurve(arrivals).mass(duration)
        if total > 0 and inside < total / 2:
            why = (
                f"the run of {show_duration(duration)} sees a part of a recording of {show_duration(arrivals.end)}; "
                "`duration: recording` is all of it"
            )
            yield Finding(
                f"traffic.{name}", f"{_count(inside)} of {_count(total)} recorded requests fall into the run", why
            )
        if arrivals.end < duration * (1.0 - LEFT):
            finding = (
                f"its recording is over after {show_duration(arrivals.end)}, and the run after "
                f"{show_duration(duration)}"
            )
            yield Finding(f"traffic.{name}", finding, "nothing arrives after that; is the unit of its times right?")


def unlike_clocks(view: View) -> Iterator[Finding]:
    """Recordings whose times cannot be set against one another."""
    clocks = {rows.clock: name for name, _, rows in _replays(view.scenario) if rows.began is not None}
    if len(clocks) > 1:
        kinds = ", ".join(f"{_CLOCKS[clock]} ({name})" for clock, name in sorted(clocks.items()))
        why = (
            "those that count from a start have a zero of their own, and dates without a zone are taken as UTC: do "
            "they begin together?"
        )
        yield Finding("traffic", f"recordings of different clocks: {kinds}", why)


def _replays(scenario: Scenario) -> Iterator[tuple[str, Replay, Rows]]:
    for name, traffic in scenario.traffic.items():
        if isinstance(traffic.arrivals, Replay) and traffic.arrivals.data is not None and traffic.arrivals.data.values:
            yield name, traffic.arrivals, traffic.arrivals.data


def _rows(arrivals: Replay, rows: Rows) -> str:
    span = sum(arrivals.lengths) if arrivals.is_series else rows.values[-1]
    what = ""
    if arrivals.is_series:
        column, kind = (
            (arrivals.rates, "rates per second") if arrivals.rates is not None else (arrivals.counts, "counts")
        )
        what = f", column {column} of {kind}"
    if rows.began is None:
        return f"{len(rows.values):,} rows{what} over {show_duration(span)}"
    unit = f" in {rows.unit}" if rows.unit else ""
    since = f" from {show_moment(rows.began)}" if rows.clock != "start" else ""
    return f"{len(rows.values):,} rows{what}, times{unit}{since} over {show_duration(span)}"


def _rates(arrivals: Replay, rows: Rows) -> str:
    curve, begin = RateCurve(arrivals), rows.after / arrivals.speed
    return f"mean {show_rate(curve.mean(begin, arrivals.end))}, peak {show_rate(curve.peak(arrivals.end))}"


def _within(arrivals: Replay, rows: Rows, duration: float) -> str:
    total, inside = _total(arrivals, rows), RateCurve(arrivals).mass(duration)
    begins = f", from {show_duration(rows.after / arrivals.speed)} on" if rows.after > 0 else ""
    if inside >= total * (1.0 - 1e-9):
        silence = f"; nothing after {show_duration(arrivals.end)}" if arrivals.end < duration * (1.0 - 1e-9) else ""
        return f"all {_count(total)} requests fall into the run{begins}{silence}"
    return (
        f"{_count(inside)} of {_count(total)} requests fall into the run of {show_duration(duration)}{begins}, the "
        "rest lies after its end"
    )


def _total(arrivals: Replay, rows: Rows) -> float:
    if not arrivals.is_series:
        return float(len(rows.values))
    return RateCurve(arrivals).mass(arrivals.end)


def _count(requests: float) -> str:
    return f"{requests:,.0f}"
