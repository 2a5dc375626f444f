"""From measurements to the draft: the traffic, the times, and what is to be known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from sim.fitting.matching import partner
from sim.fitting.replaying import spread
from sim.importing.draft import (
    Draft,
    Entry,
    Key,
    Plain,
    Recorded,
    Route,
    Said,
    Service,
    kept,
    where,
)
from sim.importing.draft import Measured as Recording
from sim.importing.matching import matching
from sim.importing.measurements import latencies, load
from sim.importing.steps import ENDPOINT
from sim.importing.traces.times import many
from sim.importing.traces.traffic import arrivals
from sim.measured import Distribution, Measured, Requests
from sim.measured.measurement import Gathered
from sim.spec.document import Place
from sim.stats.pieces import pieces
from sim.vocabulary import Outcome

MOST_ENDPOINTS = 100  # routes of a measurement that become endpoints; what else was asked for counts as the last
_ENOUGH_WORKERS = 200
_WAITING = "waiting included"
_OUTSIDE = ("Measured from outside: how often requests came and how long their answers took, waiting included.",)


class Together:
    """All measurements of an import as one: requests on one clock, tables and series beside."""

    def __init__(self, measured: Sequence[Measured]) -> None:
        self.measured = list(measured)
        self.file = where(Place(measured[0].file))
        found = Gathered(self.measured).requests()
        self.requests = _fewer(found) if found is not None else None
        if self.requests is not None:
            timed = [part for part in measured if part.requests is not None]
            self.file = where(Place(timed[0].file))
            self.requests = spread(self.requests, max(part.resolution for part in timed))
        self.tables = [(table, part) for part in measured for table in part.distributions]
        self.rates = [(rate, part) for part in measured for rate in load.rates_in(part.series, part.file)]

    @property
    def at(self) -> Place:
        """The first file."""
        return Place(self.measured[0].file)

    def load(self) -> Said | None:
        """What came in, where it is not plainly a rate: users, or a rate over time."""
        if self.requests is not None:
            return load.of_requests(self.requests, self.measured)
        whole = self.whole
        return load.of_table(whole[0], where(Place(whole[1].file)), whole[1].kind) if whole is not None else None

    @property
    def whole(self) -> tuple[Distribution, Measured] | None:
        """The table of all requests."""
        return next((pair for pair in self.tables if not pair[0].route), None)


def _fewer(requests: Requests) -> Requests:
    """The routes that are asked for most, and the rest under one name."""
    if len(requests.routes) <= MOST_ENDPOINTS:
        return requests
    counts = np.bincount(requests.route[requests.route >= 0], minlength=len(requests.routes))
    order = np.argsort(-counts, kind="stable")
    place = np.full(len(requests.routes) + 1, MOST_ENDPOINTS - 1, np.int32)
    place[order[: MOST_ENDPOINTS - 1]] = np.arange(MOST_ENDPOINTS - 1)
    place[-1] = -1
    names = (*(requests.routes[number] for number in order[: MOST_ENDPOINTS - 1]), "(other)")
    columns = requests.arrival, requests.duration, requests.outcome, requests.status
    return Requests(*columns, place[requests.route], requests.user, names, requests.users)


# ---- nothing but measurements


def alone(measured: Sequence[Measured], draft: Draft) -> None:
    """One service, of which the response is known and nothing else: its times wait, for no queue of it was seen."""
    all_ = Together(measured)
    name = PurePath(all_.file).stem or "measured"
    service = Service(("", name), f"service whose answers are in {all_.file}", all_.at, recorded=True)
    if all_.requests is not None:
        endpoints = _answered(all_.requests, all_.file)
    else:
        endpoints = {
            table.route or ENDPOINT: _of_table(table, where(Place(part.file)))
            for table, part in _told_apart(all_.tables)
        }
    if not endpoints and not all_.rates:
        for part in measured:
            draft.notes.leave_out(Place(part.file), f"all of it: {part.kind}", _no_rate(part))
        return
    service.endpoints = endpoints
    if endpoints:
        service.workers = _as_many(all_.requests)
    else:
        service.recorded, service.what = False, f"stand-in for what was asked in {all_.file}"
    draft.services[service.key] = service
    draft.alias(name, service.key)
    draft.entries.append(Entry(service.key, "its answers were measured", all_.at))
    recording = draft.measured = Recording(all_.at, head=_head(all_))
    recording.latency = Said("0ms", "the way to the client is in the times") if endpoints else None
    targets = {name: (service.key, name) for name in endpoints or (ENDPOINT,)}
    _traffic(all_, recording, targets, draft)


def _told_apart(tables: Sequence[tuple[Distribution, Measured]]) -> list[tuple[Distribution, Measured]]:
    """A table of all requests beside tables of single routes repeats them."""
    routed = [pair for pair in tables if pair[0].route]
    return (routed or list(tables))[:MOST_ENDPOINTS]


def _answered(requests: Requests, file: str) -> dict[str, Recorded]:
    """An endpoint for each route: the time of good answers, and how often there was none."""
    found = {}
    counts = np.bincount(requests.route + 1, minlength=len(requests.routes) + 1)
    for number in range(-1, len(requests.routes)):
        if not counts[number + 1]:
            continue
        time = latencies.of_requests(requests, number, file)
        words = f"{time.remark}; {_WAITING}" if not time.to_be_supplied else time.remark
        steps = [Plain(Said(time.value, words, time.to_be_supplied)), *_failing(requests, number)]
        name = requests.routes[number] if number >= 0 else ENDPOINT
        found[name] = Recorded(tuple(steps), many(int(counts[number + 1]), "request"))
    return found


def _failing(requests: Requests, number: int) -> list[Plain]:
    """How often a route was not answered well, in whatever way."""
    its = requests.route == number
    bad = its & ~requests.good & (requests.outcome != Outcome.IN_FLIGHT)
    count, total = int(np.count_nonzero(bad)), int(np.count_nonzero(its))
    if not count:
        return []
    codes = np.bincount(requests.outcome[bad].astype(np.int64), minlength=len(Outcome))
    words = ", ".join(f"{number:,} {Outcome(code).word}" for code, number in enumerate(codes) if number)
    return [Plain(Said({"fail": f"{100 * count / total:.3g}%"}, f"of {total:,}: {words}"))]


def _of_table(table: Distribution, file: str) -> Recorded:
    time = latencies.of_table(table, file)
    steps = [Plain(Said(time.value, f"{time.remark}; {_WAITING}", time.to_be_supplied))]
    if table.failures and table.count:
        share = f"{100 * table.failures / table.count:.3g}%"
        steps.append(Plain(Said({"fail": share}, f"{table.failures:,} of {table.count:,} failed")))
    return Recorded(tuple(steps), many(table.count, "request") if table.count else "a table without a count")


def _as_many(requests: Requests | None) -> Said:
    """So many threads that nobody waits once more: what was waited for is in the times."""
    most = _most_at_once(requests) if requests is not None else 0
    seen = f"; at most {most:,} requests were under way at once" if most else ""
    return Said(max(_ENOUGH_WORKERS, 2 * most), f"threads; so many that nobody waits for one again{seen}", True)


def _most_at_once(requests: Requests) -> int:
    known = ~np.isnan(requests.duration)
    begin = requests.arrival if bool(known.all()) else requests.arrival[known]
    end = requests.arrival + requests.duration
    end.sort()  # those without an end come last
    end, most = end[: begin.size], 0
    for part in pieces(begin.size):
        left = np.searchsorted(end, begin[part], "right")
        most = max(most, int((np.arange(part.start + 1, part.stop + 1) - left).max(initial=0)))
    return most


def _head(all_: Together) -> list[str]:
    return [
        *_OUTSIDE,
        "What a service does itself and what it waits for cannot be told apart by that: at another load the waiting is",
        "another one. `sim fit` sets times and workers so that the model shows what was measured.",
        *(f"{where(Place(part.file))}: {words}." for part in all_.measured for words in part.understood[:3]),
    ]


# ---- measurements beside files that describe the system


def beside(measured: Sequence[Measured], draft: Draft) -> None:
    """The traffic of what other files describe, and the times of services that call nobody."""
    all_ = Together(measured)
    _named_tables(all_, draft)
    recording = draft.measured
    before = dict(recording.sends) if recording is not None else {}
    if recording is None:
        recording = draft.measured = Recording(all_.at)
        recording.head = [
            *_OUTSIDE,
            "Who calls whom is guessed, by the remark beside each call. `sim fit` sets the times from the measurement.",
        ]
    else:
        recording.head += list(_OUTSIDE)
    targets = _targets(all_, draft, before)
    _traffic(all_, recording, targets, draft)
    if not recording.sends:
        recording.sends = before


def _named_tables(all_: Together, draft: Draft) -> None:
    """A table that bears the name of a service is how long that takes."""
    for table, part in list(all_.tables):
        file = where(Place(part.file))
        service = matching(draft, table.route or PurePath(file).stem)
        if service is None:
            continue
        all_.tables.remove((table, part))
        if service.recorded or service.calls:
            why = "its time is in the traces" if service.recorded else "what it waits for when it calls is in it"
            draft.notes.leave_out(Place(part.file), f"times of {service.name}", f"{why}; `sim fit` can use it")
            continue
        time = latencies.of_table(table, file)
        service.time = Said(time.value, f"{time.remark}; {_WAITING}", time.to_be_supplied)
        draft.take(Place(part.file), "time")


def _targets(all_: Together, draft: Draft, recorded: dict[tuple[Key, str], int]) -> dict[str, tuple[Key, str]]:
    """Measured route -> where it comes in; a route that cannot be told is left out with a reason."""
    names = list(all_.requests.routes) if all_.requests is not None else []
    names = names or [table.route for table, _ in _told_apart(all_.tables) if table.route]
    places = _places(draft, recorded)
    if not names:
        return {}
    if len(places) == 1 and draft.gateway is None:
        ((key, endpoint),) = places.values()
        return _endpoints(all_, draft.services[key], endpoint, names)
    found: dict[str, tuple[Key, str]] = {}
    for name in names:
        target = partner(name, list(places)) or _by_path(name, draft) or _by_service(name, places, draft)
        if target in places:
            found[name] = places[target]
        elif len(places) == 1:
            found[name] = next(iter(places.values()))
        else:
            draft.notes.leave_out(all_.at, f"route {name[:80]}", "nothing of the other files is called like that")
    return found


def _places(draft: Draft, recorded: dict[tuple[Key, str], int]) -> dict[str, tuple[Key, str]]:
    """Where requests can come in, by the name that a measured route may have."""
    if draft.gateway is not None:
        return {route.name: (route.to, route.endpoint or route.name) for route in draft.gateway.routes}
    places = recorded or {
        (entry.key, name): 0 for entry in draft.entries for name in draft.services[entry.key].endpoints or (ENDPOINT,)
    }
    return {f"{draft.services[key].name}.{endpoint}": (key, endpoint) for key, endpoint in places}


def _by_path(name: str, draft: Draft) -> str | None:
    """The route of the gateway with the longest path that this one begins with."""
    path = name.partition("/")
    asked = f"/{path[2]}" if path[1] else ""
    routes: list[Route] = draft.gateway.routes if draft.gateway is not None else []
    best = max(
        (
            (len(its), -place, route.name)
            for place, route in enumerate(routes)
            for its in route.paths
            if _under(asked, its)
        ),
        default=None,
    )
    return best[2] if best is not None and asked else None


def _under(asked: str, path: str) -> bool:
    return path in (asked, "/") or asked.startswith(f"{path.rstrip('/')}/")


def _by_service(name: str, places: dict[str, tuple[Key, str]], draft: Draft) -> str | None:
    """The one place whose service has the name of a part of the path: `/api/orders/{id}` and `orders`."""
    words = [part for part in name.lower().split("/")[1:] if part]
    found = [
        target
        for target, (key, _) in places.items()
        if any(service is draft.services[key] for word in words if (service := matching(draft, word)) is not None)
    ]
    return found[0] if len(found) == 1 else None


def _endpoints(all_: Together, service: Service, endpoint: str, names: Sequence[str]) -> dict[str, tuple[Key, str]]:
    """All came in at one service: an endpoint for each route, unless other files name its endpoints."""
    if service.recorded or (service.endpoints and not all(name == ENDPOINT for name in service.endpoints)):
        known = list(service.endpoints)
        return {name: (service.key, partner(name, known) or endpoint) for name in names}
    service.endpoints = {}
    for number, name in enumerate(names):
        words = latencies.in_words(all_.requests, number) if all_.requests is not None else ""
        recorded = Recorded((), f"answered by {all_.file} in: {words}, callees included" if words else "measured")
        if not service.calls and all_.requests is not None:
            time = latencies.of_requests(all_.requests, number, all_.file)
            words = f"{time.remark}; {_WAITING}"
            recorded = Recorded(
                (Plain(Said(time.value, words, time.to_be_supplied)), *_failing(all_.requests, number)), "measured"
            )
        service.endpoints[name] = recorded
    return {name: (service.key, name) for name in names}


# ---- traffic


def _traffic(all_: Together, recording: Recording, targets: dict[str, tuple[Key, str]], draft: Draft) -> None:
    """How often requests came, and what they asked for."""
    requests = all_.requests
    if requests is not None:
        _requests(all_, requests, recording, targets, draft)
    else:
        shares = {table.route: table.count for table, _ in all_.tables if table.route in targets and table.count}
        if shares:
            recording.sends = {}
            for name, count in shares.items():
                recording.sends[targets[name]] = recording.sends.get(targets[name], 0) + count
        elif not recording.sends and targets:
            recording.sends = dict.fromkeys(targets.values(), 1)
        for _, part in all_.tables:
            draft.take(Place(part.file), "distribution")
    if (said := all_.load()) is not None:
        recording.arrivals = said
    elif requests is None and all_.rates:
        file = where(Place(all_.rates[0][1].file))
        found = load.over_time([rate for rate, _ in all_.rates], file)
        if found is not None:
            recording.arrivals, recording.lasts = found
            draft.take(Place(all_.rates[0][1].file), "rate over time")
    used = {part.file for _, part in all_.rates} | {part.file for _, part in all_.tables}
    for part in all_.measured:
        if part.requests is None and not part.distributions and part.file not in used:
            names = ", ".join(one.name[:40] for one in part.series[:3])
            draft.notes.leave_out(Place(part.file), f"series {names}", _no_rate(part))


def _no_rate(part: Measured) -> str:
    what = (
        "no series is called like a rate of requests (rps, requests, rate, count)"
        if part.series
        else "tells no request"
    )
    return f"{what}, so it says nothing of the traffic"


def _requests(
    all_: Together, requests: Requests, recording: Recording, targets: dict[str, tuple[Key, str]], draft: Draft
) -> None:
    """Single requests under the names of the scenario."""
    if requests.routes:
        names = [targets.get(name) for name in requests.routes]
        places = list(dict.fromkeys(target for target in names if target is not None))
        number = np.array([places.index(name) if name is not None else -1 for name in names] + [-1], np.int32)
        target = number[requests.route]
    else:
        places = list(recording.sends) or list(targets.values()) or list(_places(draft, {}).values())
        counts = np.array([max(1, recording.sends.get(place, 1)) for place in places], float)
        luck = np.random.default_rng(1).random(len(requests))  # no file says which: by the shares that are known
        target = np.searchsorted(np.cumsum(counts) / counts.sum(), luck).astype(np.int32)
    known = (target >= 0) & (target < len(places))
    if not bool(known.any()):
        return
    its = requests if bool(known.all()) else requests.at(known)
    dated = [part.began for part in all_.measured if part.requests is not None and part.began is not None]
    arrived = _Arrived(its, places, target if its is requests else target[known], min(dated) if dated else 0)
    arrivals(arrived, {}, recording, perhaps=False)
    said = recording.arrivals
    if said is not None and not said.to_be_supplied:
        recording.arrivals = Said(said.value, f"{said.remark} of {all_.file}", said.to_be_supplied)
    _remember(all_, requests, targets, draft)
    for part in all_.measured:
        if part.requests is not None:
            draft.take(Place(part.file), "request", len(part.requests))


@dataclass(frozen=True)
class _Arrived:
    """Requests as they came in; what only a recording of them needs is made when it is asked for."""

    requests: Requests
    targets: list[tuple[Key, str]]
    target: NDArray[np.int32]
    zero: int  # ns since 1970

    @property
    def at(self) -> NDArray[np.int64]:
        at = np.empty(len(self.requests), np.int64)
        for part in pieces(at.size):
            at[part] = np.round(self.requests.arrival[part] * 1e9)
        at += self.zero
        return at

    @property
    def took(self) -> NDArray[np.int64]:
        took = self.requests.duration
        return np.where(np.isnan(took), -1, np.round(np.nan_to_num(took) * 1e9)).astype(np.int64)

    @property
    def failed(self) -> NDArray[np.bool_]:
        return ~self.requests.good


def _remember(all_: Together, requests: Requests, targets: dict[str, tuple[Key, str]], draft: Draft) -> None:
    """How long the answers of a route of the gateway took, as a comment beside it."""
    if draft.gateway is None:
        return
    by_place = {target: number for number, name in enumerate(requests.routes) if (target := targets.get(name))}
    for route in draft.gateway.routes:
        number = by_place.get((route.to, route.endpoint or route.name))
        words = latencies.in_words(requests, number) if number is not None else ""
        if words:
            route.remarks.append(kept(f"answered in: {words}, callees included", all_.at))
