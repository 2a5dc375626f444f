"""What a scenario asks of its stations, computed without simulating: load at mean and at peak, the bottleneck, and what
is merely unwise.

A station is what can be full: workers of the gateway, workers and cores of a service, the members of a consumer group
that hold partitions and the hottest of them, the places of a bulkhead, a rate limit, the most popular key of a lock,
threads that slow one another at their best.
Utilisation is rate x time held per visit / servers, without queueing and faults (see `flow`): a lower bound of what
comes.
"""

from __future__ import annotations

import html
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sim.errors import UsageError
from sim.experiments.on_paper.flow import Flow
from sim.experiments.on_paper.kept_demand import corrections
from sim.experiments.on_paper.offered_load_in_words import told
from sim.experiments.on_paper.rates import Rates, door, rates
from sim.experiments.on_paper.station_loads import Load, held_by, runs_of, stations
from sim.experiments.shipped import Source, as_study
from sim.spec.scenario import Scenario
from sim.spec.study import Study
from sim.spec.traffic import Traffic
from sim.units import rates_told_per

ROUNDING = 1e-9  # a share of what a station can do: what float arithmetic adds to it


@dataclass(frozen=True)
class Station:
    """One pool of servers and the load on it."""

    name: str  # "gateway", "payments", "payments <- order-events", "orders -> payments", "gateway all limit"
    resource: str  # "workers", "cores", "consumers", "hottest consumer", "places", "rate", "lock", or
    # "threads" that slow one another, as many as do what they do at their best
    servers: float  # on all replicas together; only of cores under a limit no whole number
    rate: float  # visits per second on average
    rate_peak: float
    demand: float  # s a server is held per visit
    utilisation: float
    utilisation_peak: float

    @property
    def falls_behind(self) -> bool:
        """Whether it is asked for more than it can do, and not just for all of it.

        Closed users fill what bounds them to 100 %, but for rounding.
        """
        return self.utilisation > 1.0 + ROUNDING

    @property
    def falls_behind_at_peak(self) -> bool:
        """The same while most is asked for."""
        return self.utilisation_peak > 1.0 + ROUNDING


@dataclass(frozen=True)
class ClosedBound:
    """The most that a closed workload can send: min(N / (Z + D), 1 / Dmax), the asymptotic bounds of operational
    analysis.
    """

    traffic: str
    users: int
    think: float  # Z, s
    response: float  # D, s: the response without queueing
    bottleneck: str
    by_users: float  # N / (Z + D)
    by_bottleneck: float  # 1 / Dmax

    @property
    def rate(self) -> float:
        """The smaller of the two."""
        return min(self.by_users, self.by_bottleneck)


@dataclass(frozen=True)
class OfferedLoad:
    """The stations of one variant."""

    variant: str
    stations: tuple[Station, ...]
    capacity: float  # the multiple of the mean load at which the first station is full; infinite if none ever is
    closed: tuple[ClosedBound, ...]
    unknown: tuple[str, ...]  # traffic whose rate nobody can tell beforehand

    @property
    def bottleneck(self) -> Station | None:
        """The station that is full first."""
        return max(
            (station for station in self.stations if station.utilisation > 0),
            key=lambda station: station.utilisation,
            default=None,
        )


@dataclass(frozen=True)
class Finding:
    """Something merely unwise: a warning, never a refusal."""

    place: str
    finding: str
    why: str
    variants: tuple[str, ...] = ()  # in which it was found
    kind: str = ""  # the rule that found it


@dataclass(frozen=True)
class CheckReport:
    """What `check` answers: the load of every variant, and the warnings."""

    name: str
    loads: dict[str, OfferedLoad]
    warnings: tuple[Finding, ...]
    # what was understood of those of a variant, in a line each
    recordings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    certain: bool = False  # nothing is random in any variant
    ranges: tuple[str, ...] = ()  # the inputs that are ranges, by their paths
    rates_per: str = "s"  # as the scenario writes them

    def __str__(self) -> str:
        return self.text()

    def text(self, width: int | None = None) -> str:
        """In words, no line wider than this where it can be."""
        with rates_told_per(self.rates_per):
            return told(self, width)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def check(study: Source, variants: Sequence[str] | None = None) -> CheckReport:
    """Offered load and warnings of every variant, or of these, without simulating."""
    study = as_study(study)
    with rates_told_per(study.rates_per):
        return _checked(study, variants)


def _checked(study: Study, variants: Sequence[str] | None) -> CheckReport:
    from sim.experiments.on_paper.placeholders import stand_ins
    from sim.experiments.on_paper.recordings import recording_lines
    from sim.experiments.on_paper.slips import unreferenced
    from sim.experiments.on_paper.unwise import findings
    from sim.spec.certain import is_certain
    from sim.spec.uncertain import ranges_in

    chosen = study.variants if variants is None else {name: study.variants[name] for name in variants}
    loads: dict[str, OfferedLoad] = {}
    found = {**{finding: list(chosen) for finding in stand_ins(study.text)}, **dict(unreferenced(chosen))}
    for name, scenario in chosen.items():
        analysis = analysis_of(scenario)
        loads[name] = analysis.load(name)
        for finding in findings(analysis, loads[name]):
            found.setdefault(finding, []).append(name)
    warnings = tuple(replace(finding, variants=tuple(dict.fromkeys(names))) for finding, names in found.items())
    recordings = {name: tuple(recording_lines(scenario)) for name, scenario in chosen.items()}
    ranges = tuple(its.name for its in ranges_in(study.document))
    certain = not ranges and all(map(is_certain, chosen.values()))
    return CheckReport(study.name, loads, warnings, recordings, certain, ranges, study.rates_per)


_analysed: deque[Analysis] = deque(maxlen=8)


def analysis_of(scenario: Scenario) -> Analysis:
    """The analysis of a scenario, which takes a while and is asked for by warnings, by the choice of the engine and by
    estimates: the last few are kept.
    """
    for known in _analysed:
        if known.scenario is scenario:
            return known
    _analysed.append(Analysis(scenario))
    return _analysed[-1]


class Analysis:
    """One scenario with its flow and the rates at mean and at peak."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.flow = Flow(scenario)
        self.closed = tuple(
            self._bound(name, traffic) for name, traffic in scenario.traffic.items() if traffic.arrivals.population
        )
        self.unknown: list[str] = []
        self.sent = self._sent(lambda traffic: _mean_rate(traffic, scenario.duration))
        self.sent_peak = self._sent(lambda traffic: _peak_rate(traffic, scenario.duration))
        for bound in self.closed:
            self.sent[bound.traffic] = self.sent_peak[bound.traffic] = bound.rate
        self.rates = rates(self.flow, self.sent)
        self.corrections = corrections(self.flow, lambda flow: held_by(stations(flow, rates(flow, self.sent))))
        self.rates_peak = rates(self.flow, self.sent_peak)

    def load(self, variant: str) -> OfferedLoad:
        """The stations and what fills them first."""
        peaks = self._stations(self.rates_peak)
        found = []
        for (name, resource), (servers, rate, demand) in self._stations(self.rates).items():
            _, rate_peak, demand_peak = peaks.get((name, resource), (servers, rate, demand))
            found.append(
                Station(
                    name,
                    resource,
                    servers,
                    rate,
                    rate_peak,
                    demand,
                    _share(rate, demand, servers),
                    _share(rate_peak, demand_peak, servers),
                )
            )
        return OfferedLoad(variant, tuple(found), self._capacity(), self.closed, tuple(dict.fromkeys(self.unknown)))

    def _stations(self, found: Rates) -> dict[tuple[str, str], Load]:
        """What is asked of everything that can be full, requests that keep their work allowed for."""
        answer = stations(self.flow, found)
        for key, (rate, held) in self.corrections.items():
            if key in answer and rate > 0.0:
                servers, its, demand = answer[key]
                answer[key] = servers, its * rate, demand * held / rate
        return answer

    def computing(self, service: str, peak: bool = False) -> float:
        """How many workers and consumers of a service compute at once, on average: rate x work."""
        found = self.rates_peak if peak else self.rates
        runs = [run for run in runs_of(self.flow, found) if run[0] == service]
        return math.fsum(rate * profile.work for _, rate, profile in runs if rate > 0.0)

    def response(self, name: str) -> float:
        """Seconds until a client of this traffic has its answer, without queueing."""
        return math.fsum(
            share * door(self.flow, target).expected for target, share in self.scenario.arriving(name).items()
        )

    def _sent(self, rate: Callable[[Traffic], float]) -> dict[str, float]:
        sent = {}
        for name, traffic in self.scenario.traffic.items():
            try:
                sent[name] = 0.0 if traffic.arrivals.population else rate(traffic)
            except UsageError:  # arrivals of a plug-in may have no rate of their own
                sent[name] = 0.0
                self.unknown.append(name)
        return sent

    def _bound(self, name: str, traffic: Traffic) -> ClosedBound:
        users, think = traffic.arrivals.population, traffic.arrivals.pause
        response = self.response(name)
        each = {
            place: _share(rate, demand, servers)
            for place, (servers, rate, demand) in stations(self.flow, rates(self.flow, {name: 1.0})).items()
        }
        place = max(each, key=lambda place: each[place], default=("", ""))
        longest = each.get(place, 0.0)
        cycle = traffic.arrivals.cycle(response)
        return ClosedBound(
            name,
            users,
            think,
            response,
            " ".join(place),
            users / cycle if cycle else math.inf,
            1.0 / longest if longest else math.inf,
        )

    def _capacity(self) -> float:
        """By bisection, since rate limits bend what would be a straight line."""
        sent = {
            **self.sent,
            **{bound.traffic: bound.by_users if math.isfinite(bound.by_users) else bound.rate for bound in self.closed},
        }

        def fullest(multiple: float) -> float:
            scaled = rates(self.flow, {name: rate * multiple for name, rate in sent.items()})
            return max(
                (_share(rate, demand, servers) for servers, rate, demand in self._stations(scaled).values()),
                default=0.0,
            )

        now = fullest(1.0)
        if now <= 0.0 or not math.isfinite(now):
            return math.inf if now <= 0.0 else 0.0
        guess = 1.0 / now
        if math.isclose(fullest(guess), 1.0, rel_tol=1e-6):
            return guess
        low, high = 0.0, guess
        while fullest(high) < 1.0:
            low, high = high, 2.0 * high
            if high > 1e6 * guess:
                return math.inf
        for _ in range(100):
            if high - low <= 1e-9 * high:
                break
            middle = (low + high) / 2
            low, high = (low, middle) if fullest(middle) >= 1.0 else (middle, high)
        return high


def _share(rate: float, demand: float, servers: float) -> float:
    held = rate * demand
    return held / servers if servers else (math.inf if held else 0.0)


def _mean_rate(traffic: Traffic, duration: float) -> float:
    from sim.chance.rates import mean_rate

    return mean_rate(traffic.arrivals, 0.0, duration) * traffic.requests_each


def _peak_rate(traffic: Traffic, duration: float) -> float:
    from sim.chance.rates import peak_rate

    return peak_rate(traffic.arrivals, duration) * traffic.requests_each
