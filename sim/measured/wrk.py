"""What wrk and wrk2 print: totals, and with `--latency` percentiles; wrk2 also a spectrum, of corrected times.

Times carry their unit (us, ms, s, m, h); in the spectrum they are milliseconds. Source: `wrk.c` and `units.c` of
wg/wrk and giltene/wrk2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from sim.measured.measurement import Distribution, Measured
from sim.measured.source import Source
from sim.spec.moments import decimal
from sim.units import NUMBER, seconds

_TIME = re.compile(rf"({NUMBER})(us|ms|s|m|h)")
_RUNNING = re.compile(r"Running \S+ test @ (\S+)")
_THREADS = re.compile(r"\s*\d+ threads and (\d+) connections")
_TOTAL = re.compile(rf"\s*(\d+) requests in ({NUMBER})(us|ms|s|m|h),")
_LATENCY = re.compile(r"\s*Latency\s+(\S+)\s+(\S+)\s+(\S+)\s+\S+%")
_PERCENTILE = re.compile(rf"\s*({NUMBER})%\s+(\S+)")
_SPECTRUM = re.compile(rf"\s*({NUMBER})\s+({NUMBER})\s+(\d+)\s+(?:{NUMBER}|inf)")
_SOCKETS = re.compile(r"\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_STATUS = re.compile(r"\s*Non-2xx or 3xx responses: (\d+)")
_MOST_LINES = 100_000


def recognises(source: Source) -> bool:
    """Its first words."""
    return any(_RUNNING.match(line) for line in source.lines_of_head[:20])


def read(source: Source) -> Measured:
    """One distribution: that of all requests."""
    lines = []
    for number, line in source.lines():
        lines.append(line)
        if number > _MOST_LINES:
            raise source.wrong("found a long text, expected what one run of wrk prints", number)
    total = next(filter(None, map(_TOTAL.match, lines)), None)
    if total is None:
        raise source.wrong("found no line such as '1200 requests in 30.00s, 1.2MB read'", len(lines))
    table, understood = _table(lines)
    if not table:
        understood += ("there are no percentiles: wrk prints them with --latency",)
    known = next(filter(None, map(_LATENCY.match, lines)), None)
    mean, most = (_time(known[1]), _time(known[3])) if known else (math.nan, math.nan)
    failures = sum(int(number) for line in lines if (found := _SOCKETS.match(line)) for number in found.groups())
    failures += sum(int(found[1]) for line in lines if (found := _STATUS.match(line)))
    connections = next((int(found[1]) for line in lines if (found := _THREADS.match(line))), 0)
    values, shares = np.array([value for value, _ in table]), np.array([share for _, share in table])
    span = seconds(total[2], total[3])
    its = Distribution("", int(total[1]), values, shares, span, mean, math.nan, most, failures, connections)
    lacks = ("single requests", "how answers other than 2xx and 3xx ended")
    kind = "wrk2" if any("HdrHistogram" in line or "Thread calibration" in line for line in lines) else "wrk"
    return Measured(kind, source.file, None, (its,), understood=understood, missing=lacks)


def _table(lines: Sequence[str]) -> tuple[list[tuple[float, float]], tuple[str, ...]]:
    """(time in seconds, share) ascending: of the spectrum where there is one, for it is finer."""
    corrected = "latency counts from when a request was meant to be sent (wrk2)"
    spectrum = [(float(found[1]) / 1e3, float(found[2])) for line in lines if (found := _SPECTRUM.fullmatch(line))]
    if spectrum:
        return _ascending(spectrum), (corrected,)
    pairs = [(_time(found[2]), float(found[1]) / 100) for line in lines if (found := _PERCENTILE.fullmatch(line))]
    recorded = any("HdrHistogram" in line for line in lines)
    said = corrected if recorded else "latency counts from when a request was sent: a busy connection sends later (wrk)"
    return _ascending(pairs), (said,)


def _ascending(pairs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for value, share in sorted(pairs, key=lambda pair: pair[1]):
        if math.isfinite(value) and 0 <= share <= 1 and (not kept or value >= kept[-1][0]):
            kept.append((value, share))
    return kept


def _time(text: str) -> float:
    found = _TIME.fullmatch(text)
    return seconds(found[1], found[2]) if found and decimal(found[1]) is not None else math.nan
