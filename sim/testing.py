"""The test kit: a tiny system, arrivals at exact times, scripted draws; and what happened, in plain lists.

    from sim import testing

    played = testing.play(
        '''
        services:
          shop: {workers: 1, endpoints: {buy: [{work: 100ms}]}}
        ''',
        arrivals=[0.0, 0.05],
    )
    assert played.outcomes() == ["ok", "ok"]
    assert played.responses() == [0.1, 0.15]
    print(played)                                   # the timeline, line by line

A system is a scenario, as YAML or as a map, of which only `services` must be written: `play` fills in the rest.
Whatever the language can say may stand in it, and nothing here goes round the language: arrivals are a `replay`, and so
are scripted draws.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import pandas as pd

from sim import models
from sim.errors import EnginesDiffer, UsageError
from sim.records.tables import Records
from sim.spec import Scenario, load_document
from sim.spec.base import body_of
from sim.spec.document import plain
from sim.spec.reading import read_yaml
from sim.spec.scenario import Recording
from sim.vocabulary import MessageEnd, Outcome

Times: TypeAlias = Sequence[float]
Line: TypeAlias = tuple[float, int, str]  # when, the order within one instant, and what

CLIENTS = "clients"  # the traffic of a system that names none
AFTERWARDS = 60.0  # s; how long a run without a `duration` goes on after the last arrival
NUMBER_MASK = (1 << 40) - 1  # the low bits of a request id are its running number (see REQUEST)
NANOSECOND = 9  # digits; times are rounded to it, so that 0.1 + 0.2 is 0.3


def play(
    system: str | Mapping[str, Any],
    arrivals: Times | Mapping[str, Times] | None = None,
    *,
    sends: str | None = None,
    replication: int = 0,
    plugins: Sequence[str | Path] = (),
    engine: Literal["simpy", "compiled"] = "simpy",
) -> Played:
    """Run one replication of a system in which requests arrive at these times (seconds), and nowhere else.

    `arrivals` is for the only traffic, or says the times of each traffic by name; what it does not mention keeps the
    arrivals it has. A system without `traffic` gets one, `clients`, that sends to `sends`: needed only where there is
    more than one route or endpoint. Without a `duration` the run goes on for a minute after the last arrival. Attempts
    are kept, unless `record` says otherwise.
    """
    document = plain(read_yaml(system, "<system>")) if isinstance(system, str) else dict(system)
    if not isinstance(document, dict):
        raise UsageError("found no map, expected a system: at least its services")
    study = load_document(_filled(document, arrivals, sends), plugins, base=".")
    scenario = next(iter(study.variants.values()))
    return Played(scenario, _simulate(engine)(scenario, replication))


def play_on_both(
    system: str | Mapping[str, Any],
    arrivals: Times | Mapping[str, Times] | None = None,
    *,
    sends: str | None = None,
    replication: int = 0,
    plugins: Sequence[str | Path] = (),
) -> Played:
    """The same on either engine: for a step of a plug-in that has a flow.

    EnginesDiffer: they do not give the same records; it names the first line, or time series, in which they part.
    """
    one = play(system, arrivals, sends=sends, replication=replication, plugins=plugins)
    other = Played(one.scenario, _simulate("compiled")(one.scenario, replication))
    if found := _first_difference(one, other):
        raise EnginesDiffer(found)
    return one


def _simulate(engine: str) -> Callable[[Scenario, int], Records]:
    if engine == "simpy":
        return models.simulate
    from sim import compiled  # loads numba

    return compiled.simulate


def _first_difference(one: Played, other: Played) -> str:
    """Where two runs part; empty where they do not."""
    for ours, theirs in zip_longest(one.lines(), other.lines(), fillvalue="nothing more"):
        if ours != theirs:
            return f"on SimPy: {ours}; on the compiled engine: {theirs}"
    names = [series.name for series in one.records.series]
    for name, ours, theirs in zip(names, one.records.gauges.T, other.records.gauges.T, strict=True):
        for time, here, there in zip(one.records.ticks, ours, theirs, strict=True):
            if here != there and not (math.isnan(here) and math.isnan(there)):
                return f"{name} at {time} s: {here} on SimPy, {there} on the compiled engine"
    differ = one.records.fingerprint() != other.records.fingerprint()
    return "the records differ in what no line shows: stages, or the last digits of times" if differ else ""


def scripted(*seconds: float) -> dict[str, Any]:
    """A distribution whose k-th request draws the k-th of these, in every attempt: `{"work": scripted(0.1, 5.0)}`.

    Begins again after the last.
    """
    return {"replay": {"data": list(seconds)}}


class Attempt(NamedTuple):
    """One attempt on a service or the gateway. Times in seconds."""

    source: str  # the traffic
    request: int  # running number within its traffic
    endpoint: str
    replica: int
    arrived: float
    started: float  # got a worker; nan: never
    ended: float  # nan: never
    outcome: str
    number: int  # 1 for the first attempt of this request on this endpoint, 2 for the second ...
    abandoned: bool  # its caller had given up when it ended


class Event(NamedTuple):
    """One line of the event log."""

    time: float
    kind: str
    subject: str
    object: str
    value: float


@dataclass(frozen=True)
class Played:
    """What happened.

    Lists are in the order of arrival, one entry per logical request; with `source`, of that traffic alone.
    """

    scenario: Scenario
    records: Records

    @cached_property
    def requests(self) -> pd.DataFrame:
        """`Records.request_frame` in the order of arrival, with the running `number` of each request within its
        traffic.
        """
        frame = self.records.request_frame()
        return frame.assign(number=frame["id"] & NUMBER_MASK).sort_values(
            ["arrival", "id"], kind="stable", ignore_index=True
        )

    def outcomes(self, source: str | None = None) -> list[str]:
        """How each request ended."""
        return [str(word) for word in self._of(source)["outcome"]]

    def responses(self, source: str | None = None) -> list[float]:
        """Seconds from arrival to answer; nan without one."""
        return _rounded(self._of(source)["response"])

    def completions(self, source: str | None = None) -> list[float]:
        """Seconds from arrival until all effects of the order existed; nan where they never did."""
        return _rounded(self._of(source)["completion_time"])

    def effects(self, source: str | None = None) -> list[list[str]]:
        """The effects that exist at the end, in the order in which the scenario names them."""
        names = self.records.effect_names
        return [
            [name for bit, name in enumerate(names) if int(mask) >> bit & 1] for mask in self._of(source)["effects"]
        ]

    def attempts(self, endpoint: str | None = None) -> list[Attempt]:
        """The attempts on all endpoints or on one, in the order of their arrival there, those of one instant in the
        order of their requests.

        None without `record: {spans: all}`, which is the default here; with exemplars an error, since some are not all.
        """
        names, sources = self.records.names, dict(zip(self.requests["id"], self.requests["source"], strict=True))
        count: Counter[tuple[int, int]] = Counter()
        found = []
        for row in sorted(self.records.every_span(), key=lambda row: (row["arrived"], row["request"], row["chain"])):
            count[key := (int(row["request"]), int(row["endpoint"]))] += 1
            arrived, started, ended = _rounded((row["arrived"], row["started"], row["ended"]))
            place = (str(sources[key[0]]), key[0] & NUMBER_MASK, names[key[1]], int(row["replica"]))
            found.append(
                Attempt(
                    *place, arrived, started, ended, Outcome(row["outcome"]).word, count[key], bool(row["abandoned"])
                )
            )
        return [attempt for attempt in found if endpoint in (None, attempt.endpoint)]

    def events(self, *kinds: str) -> list[Event]:
        """The event log, or its lines of these kinds (`breaker_opened`, `fault_began` ...)."""
        rows = self.records.event_frame().to_dict("records")
        found = [
            Event(round(float(row["time"]), NANOSECOND), row["kind"], row["subject"], row["object"], row["value"])
            for row in rows
        ]
        return [event for event in found if not kinds or event.kind in kinds]

    def lines(self) -> list[str]:
        """The run as readable lines in the order of time; in one instant: events, arrivals, attempts, messages,
        answers.
        """
        told = [*self._event_lines(), *self._request_lines(), *self._attempt_lines(), *self._message_lines()]
        return [
            f"{_shown(time)} {text}"
            for time, _, text in sorted(told, key=lambda line: line[:2])
            if not math.isnan(time)
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _of(self, source: str | None) -> pd.DataFrame:
        known = [*self.scenario.traffic]
        if source is not None and source not in known:
            raise UsageError(f"unknown traffic '{source}'; known: {', '.join(known)}")
        return self.requests if source is None else self.requests[self.requests["source"] == source]

    def _event_lines(self) -> list[Line]:
        return [
            (event.time, 0, " ".join(part for part in (event.kind, event.subject, event.object) if part))
            for event in self.events()
        ]

    def _request_lines(self) -> list[Line]:
        told: list[Line] = []
        for row in self.requests.to_dict("records"):
            name = f"{row['source']}#{row['number']}"
            told.append((row["arrival"], 1, f"{name} -> {row['route']}"))
            told.append((row["end"], 5, f"{name} <- {row['outcome']}{' at ' + row['where'] if row['where'] else ''}"))
        return told

    def _attempt_lines(self) -> list[Line]:
        told: list[Line] = []
        for attempt in self.attempts() if not self.records.exemplary else ():
            number = f" attempt {attempt.number}" if attempt.number > 1 else ""
            name = f"{attempt.endpoint}[{attempt.replica}] {attempt.source}#{attempt.request}{number}"
            if attempt.started != attempt.arrived:
                told.append((attempt.arrived, 2, f"{name} arrives"))
            told.append((attempt.started, 3, f"{name} begins"))
            told.append(
                (attempt.ended, 3, f"{name} ends {attempt.outcome}{', for nobody' if attempt.abandoned else ''}")
            )
        return told

    def _message_lines(self) -> list[Line]:
        names, told = self.records.names, list[Line]()
        for row in self.records.messages:
            name = f"{names[row['topic']]}[{row['partition']}]@{row['offset']} for {names[row['group']]}"
            told.append((float(row["published"]), 4, f"{name} published"))
            told.append((float(row["end"]), 4, f"{name} {MessageEnd(row['how']).word}"))
        return told


def _filled(
    document: dict[str, Any], arrivals: Times | Mapping[str, Times] | None, sends: str | None
) -> dict[str, Any]:
    """The document with everything that a tiny system leaves out."""
    traffic = {
        name: dict(spec)
        for name, spec in (document.get("traffic") or {CLIENTS: {"sends": sends or _only_target(document)}}).items()
    }
    times = _by_name(arrivals, list(traffic))
    for name, moments in times.items():
        traffic[name]["arrivals"] = {"replay": {"data": [float(moment) for moment in moments]}}
    last = max((float(moment) for moments in times.values() for moment in moments), default=0.0)
    record = body_of(Recording, document.get("record"))
    if record.get("keep") != "summary":
        record = {"spans": "all", **record}
    return {"version": 1, "duration": f"{last + AFTERWARDS!r}s", **document, "traffic": traffic, "record": record}


def _by_name(arrivals: Times | Mapping[str, Times] | None, known: list[str]) -> Mapping[str, Times]:
    if arrivals is None:
        return {}
    if not isinstance(arrivals, Mapping):
        if len(known) != 1:
            raise UsageError(
                f"found one list of arrivals for the traffic {', '.join(known)}; expected a map of names and lists"
            )
        return {known[0]: arrivals}
    strange = [name for name in arrivals if name not in known]
    if strange:
        raise UsageError(f"arrivals of the unknown traffic '{strange[0]}'; known: {', '.join(known)}")
    return arrivals


def _only_target(document: dict[str, Any]) -> str:
    """The one route of the gateway or the one endpoint of the services."""
    if document.get("gateway"):
        targets = list(document["gateway"].get("routes") or {})
    else:
        targets = [
            f"{service}.{endpoint}"
            for service, spec in (document.get("services") or {}).items()
            for endpoint in spec.get("endpoints") or {}
        ]
    if len(targets) != 1:
        raise UsageError(
            f"sends: say which of {', '.join(targets)} is called"
            if targets
            else "the system has no endpoint to send to"
        )
    return str(targets[0])


def _rounded(seconds: Iterable[float]) -> list[float]:
    return [round(float(value), NANOSECOND) for value in seconds]


def _shown(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
