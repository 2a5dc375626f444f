"""What hey prints at its end, and its CSV (`-o csv`), one row for each request.

All times are seconds. In the CSV `offset` is when the request began, from the start of the run. Source:
`requester/report.go` and `requester/print.go` of rakyll/hey.
"""

from __future__ import annotations

import math
import re

import numpy as np

from sim.measured.measurement import Distribution, Measured
from sim.measured.moment import UnreadableRowError, of_number, seconds_of
from sim.measured.outcomes import outcome_of
from sim.measured.rows import Rows
from sim.measured.source import Source
from sim.measured.table import Table, cell_of
from sim.units import NUMBER

_FIGURE = re.compile(rf"\s*(Total|Slowest|Fastest|Average|Requests/sec):\s+({NUMBER})(?: secs)?\s*")
_PERCENTILE = re.compile(rf"\s*({NUMBER})%+ in ({NUMBER}) secs\s*")
_STATUS = re.compile(r"\s*\[(\d{3})\]\s+(\d+) responses\s*")
_ERROR = re.compile(r"\s*\[(\d+)\]\s+\S.*")
_CSV = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset"


def recognises(source: Source) -> bool:
    """Its headings."""
    return "Response time histogram:" in source.head and "Status code distribution:" in source.head


def read(source: Source) -> Measured:
    """One distribution: that of all requests."""
    figures: dict[str, float] = {}
    table: list[tuple[float, float]] = []
    good = bad = 0
    in_errors = False
    for number, line in source.lines():
        in_errors = in_errors or line.startswith("Error distribution:")
        if found := _FIGURE.fullmatch(line):
            figures[found[1]] = float(found[2])
        elif found := _PERCENTILE.fullmatch(line):
            table.append((float(found[2]), float(found[1]) / 100))
        elif found := _STATUS.fullmatch(line):
            good, bad = (good + int(found[2]), bad) if int(found[1]) < 400 else (good, bad + int(found[2]))
        elif in_errors and (found := _ERROR.fullmatch(line)):
            bad += int(found[1])
        if number > 10_000:
            raise source.wrong("found a long text, expected what one run of hey prints", number)
    if not table or "Total" not in figures:
        raise source.wrong("found no latency distribution, expected what a whole run of hey prints", 1)
    table.sort(key=lambda pair: pair[1])
    values, shares = np.array([value for value, _ in table]), np.array([share for _, share in table])
    mean, least, most = (figures.get(word, math.nan) for word in ("Average", "Fastest", "Slowest"))
    its = Distribution("", good + bad, values, shares, figures["Total"], mean, least, most, bad)
    said = ("times are seconds, from when a request was sent",)
    return Measured(
        "hey", source.file, None, (its,), understood=said, missing=("single requests; hey -o csv tells them",)
    )


def recognises_csv(source: Source) -> bool:
    """Its header."""
    return source.first_line == _CSV


def read_csv(source: Source) -> Measured:
    """The requests."""
    rows, table = Rows(source), Table(source)
    time, status, offset = (table.index(name) for name in ("response-time", "status-code", "offset"))
    for number, row in table.rows():
        try:
            code = cell_of(row, status)
            duration = seconds_of(cell_of(row, time), "s")
            outcome = outcome_of(int(code) if code.isdigit() and len(code) < 5 else 0)
            rows.add(of_number(cell_of(row, offset), "s"), duration, "", int(code) if code.isdigit() else 0, outcome)
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    said = ("a request is a row: seconds, from when it was sent",)
    return rows.measured("hey CSV", said, ("requests that got no answer: hey leaves them out",))
