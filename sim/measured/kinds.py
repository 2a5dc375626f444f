"""The formats of measurements that are known, and how each is told from its content.

A new format is a module with `recognises(source)` and `read(source)`, and a line in `READERS`: the particular before
the general.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sim.errors import Problem, ScenarioError, UsageError, did_you_mean
from sim.measured import (
    access_log,
    gatling,
    hdr_histogram,
    hey,
    jmeter,
    json_log,
    k6,
    locust,
    percentiles,
    prometheus,
    request_table,
    vegeta,
    wrk,
)
from sim.measured.measurement import Measured
from sim.measured.moment import UnreadableRowError
from sim.measured.source import Source
from sim.units import LONGEST


class Reader(NamedTuple):
    """A format: its name, what people call it, by what it is told, and what reads it."""

    name: str
    title: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Measured]


READERS: tuple[Reader, ...] = (
    Reader("k6", "k6 JSON", k6.recognises_json, k6.read_json),
    Reader("k6-csv", "k6 CSV", k6.recognises_csv, k6.read_csv),
    Reader("jmeter", "JMeter CSV", jmeter.recognises_csv, jmeter.read_csv),
    Reader("jmeter-xml", "JMeter XML", jmeter.recognises_xml, jmeter.read_xml),
    Reader("locust", "Locust statistics", locust.recognises_statistics, locust.read_statistics),
    Reader("locust-history", "Locust history", locust.recognises_history, locust.read_history),
    Reader("gatling", "Gatling simulation.log", gatling.recognises, gatling.read),
    Reader("wrk", "wrk and wrk2", wrk.recognises, wrk.read),
    Reader("hey", "hey", hey.recognises, hey.read),
    Reader("hey-csv", "hey CSV", hey.recognises_csv, hey.read_csv),
    Reader("vegeta", "vegeta results", vegeta.recognises_results, vegeta.read_results),
    Reader("vegeta-csv", "vegeta CSV", vegeta.recognises_csv, vegeta.read_csv),
    Reader("vegeta-report", "vegeta report", vegeta.recognises_report, vegeta.read_report),
    Reader("hlog", "HdrHistogram log", hdr_histogram.recognises_log, hdr_histogram.read_log),
    Reader("hgrm", "HdrHistogram percentiles", percentiles.recognises_hgrm, percentiles.read_hgrm),
    Reader("envoy", "Envoy access log", access_log.recognises_envoy, access_log.read_envoy),
    Reader("access-log", "access log (common, combined)", access_log.recognises, access_log.read),
    Reader("prometheus", "Prometheus range query", prometheus.recognises, prometheus.read),
    Reader("json-log", "access log of JSON lines", json_log.recognises, json_log.read),
    Reader("quantiles", "table of quantiles", percentiles.recognises_table, percentiles.read_table),
    Reader("requests", "CSV of requests", request_table.recognises, request_table.read),
    Reader("series", "CSV of series", prometheus.recognises_csv, prometheus.read_csv),
)


def reader_of(source: Source) -> Reader | None:
    """The format that a file is in, told from its beginning; None where it is none of these."""
    return next((reader for reader in READERS if reader.recognises(source)), None)


def named(name: str) -> Reader:
    """The format that a user insists on; a UsageError where there is none."""
    for reader in READERS:
        if reader.name == name:
            return reader
    raise UsageError(f"kind: unknown kind '{name}'{did_you_mean(name, [reader.name for reader in READERS])}")


def read_measured(file: str, kind: str | None = None, confine: str | Path | None = None) -> Measured:
    """The measurement in one file, `-` being the standard input.

    `kind` insists on a format, `confine` is a folder that the file must lie in. UsageError where it cannot be read,
    ScenarioError with place, finding and expectation where it is none of the known formats.
    """
    with Source(file, confine) as source:
        reader = named(kind) if kind is not None else reader_of(source)
        if reader is None:
            raise source.wrong(f"found {_seems(source)}, expected one of: {listed()}", 1)
        return read_as(reader, source)


def read_as(reader: Reader, source: Source) -> Measured:
    """The measurement in a file of this format; ScenarioError with place, finding and expectation where it is none."""
    try:
        found = reader.read(source)
    except csv.Error as error:
        raise source.wrong(f"is no CSV: {error}") from None
    except UnreadableRowError as error:
        raise source.wrong(str(error)) from None
    longest = _longest_time(found)
    if longest > LONGEST:
        raise source.wrong(f"found a request that took {longest:.0e} s, expected at most ten years")
    return found


def _longest_time(found: Measured) -> float:
    """s; the longest that anything took, as far as it is a number."""
    times = [np.append(table.values, [table.mean, table.least, table.most]) for table in found.distributions]
    times += [found.requests.duration] if found.requests is not None else []
    return max((float(np.max(some, where=np.isfinite(some), initial=0.0)) for some in times), default=0.0)


def known(name: str) -> Reader | None:
    """The format of this name; None where there is none."""
    return next((reader for reader in READERS if reader.name == name), None)


def read_all(files: Sequence[str], kind: str | None = None, confine: str | Path | None = None) -> list[Measured]:
    """The measurements in several files; all that is wrong with any of them is told at once."""
    found: list[Measured] = []
    problems: list[Problem] = []
    for file in dict.fromkeys(files):
        try:
            found.append(read_measured(file, kind, confine))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return found


def listed() -> str:
    """What can be read, in words."""
    return ", ".join(reader.title for reader in READERS)


def _seems(source: Source) -> str:
    if not source.lines_of_head:
        return "an empty file"
    return f"a file that begins with {source.first_line[:60]!r}"
