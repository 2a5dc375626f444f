"""From the classes of requests to the draft: services with endpoints, calls with their policies, topics, the
network, and the requests that came in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from sim.importing.draft import (
    ArrivedRows,
    Consumer,
    Draft,
    Key,
    Measured,
    Plain,
    Recorded,
    Said,
    Service,
    Topic,
)
from sim.importing.matching import matching
from sim.importing.traces.calls import OVERLAP, Following, Requests
from sim.importing.traces.doing import Doing, Runs
from sim.importing.traces.forest import Clocks, Forest
from sim.importing.traces.table import Spans, service_of_pod
from sim.importing.traces.times import duration, many
from sim.importing.traces.traffic import arrivals, network
from sim.spec.document import Place

MOST_INSTANCES = 1000


def fill(spans: Spans, draft: Draft, at: Place) -> None:
    """Take all that these spans say into the draft, after the files that describe services."""
    names, number_of = _services(spans)
    clients = {number for number, name in enumerate(names) if _is_client(name)}
    forest = Forest(spans, number_of)
    following = Following(spans, names, clients)
    for trace in forest.traces():
        following.follow(trace)
    filling = Filling(spans, following.requests, names, clients, draft, at)
    clocks = forest.clocks
    del forest, following
    spans.drop()
    filling.all(clocks)


def _services(spans: Spans) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The names of services, in order of appearance, and the number of that of each owner."""
    names: dict[str, int] = {}
    numbers = [names.setdefault(owner.service or "unnamed", len(names)) for owner in spans.owners]
    used = np.zeros(len(spans.owners), bool)
    used[np.frombuffer(spans.owner, np.int32)] = True
    kept: dict[str, int] = {}
    by_number = list(names)
    final = [
        kept.setdefault(by_number[number], len(kept)) if used[owner] else 0 for owner, number in enumerate(numbers)
    ]
    return list(kept), np.array(final, np.int64)


def _is_client(name: str) -> bool:
    from sim.importing.images import LOADS, role_of

    return role_of("", name) == LOADS


class Filling:
    """What is known of the requests, on its way into a draft."""

    def __init__(
        self, spans: Spans, requests: Requests, services: list[str], clients: set[int], draft: Draft, at: Place
    ) -> None:
        """`services` are their names by number, `clients` those that are the traffic, `at` is the file."""
        self._spans, self._requests, self._draft, self._at = spans, requests, draft, at
        self._services, self._clients, self._count = services, clients, len(spans)
        self._runs = Runs(requests)
        self._classes = self._runs.classes
        self._measured = Measured(at)
        self._doing = Doing(spans, self._runs, services, draft)
        self._keys, self._names = self._doing.keys, self._doing.names
        self._services_of: dict[int, Service] = {}
        self._instances: dict[str, set[str]] = {}
        for owner in spans.owners:
            if owner.instance:
                self._instances.setdefault(owner.service, set()).add(owner.instance)

    def all(self, clocks: Clocks) -> None:
        """Everything, in the order in which it refers to what was before."""
        self._draft.measured = self._measured
        order = self._in_order()
        for number in order:
            self._service(self._requests.endpoints[self._classes.found[number].endpoint][0])
        self._name(order)
        self._cut_circles(order)
        network(self._requests, self._keys, self._measured)
        for number in order:
            self._class_into(number)
        arrivals(self._requested(), self._spans.sampled, self._measured)
        self._tell(clocks)

    def _in_order(self) -> list[int]:
        """Classes as requests meet them, the most frequent roots first; then those that only messages lead to."""
        roots = Counter(self._runs.class_of[np.frombuffer(self._requests.root_shape, np.int32)].tolist())
        waiting = [number for number, _ in sorted(roots.items(), key=lambda item: (-item[1], item[0]))]
        waiting += [
            number for number in range(len(self._classes.found)) if number not in roots and self._topic(number) >= 0
        ]
        seen: dict[int, None] = {}
        for number in waiting:  # grows as it is walked
            if number not in seen and self._service_of(number) not in self._clients:
                seen[number] = None
                waiting += [item for item in self._classes.found[number].sequence if item >= 0]
        return list(seen)

    def _service_of(self, number: int) -> int:
        return self._requests.endpoints[self._classes.found[number].endpoint][0]

    def _topic(self, number: int) -> int:
        return self._requests.endpoints[self._classes.found[number].endpoint][2]

    def _cut_circles(self, order: Sequence[int]) -> None:
        """A message that leads to itself would never end: of each circle the publication that closes it is left out."""
        consumers: dict[int, list[int]] = {}
        for number in order:
            consumers.setdefault(self._topic(number), []).append(number)
        leads: dict[int, list[int]] = {
            number: [item for item in self._classes.found[number].sequence if item >= 0] for number in order
        }
        for number in order:
            for topic in dict.fromkeys(-1 - item for item in self._classes.found[number].sequence if item < 0):
                reached = list(consumers.get(topic, ()))
                seen = set(reached)
                for place in reached:  # grows as it is walked
                    new = [item for item in leads[place] if item not in seen]
                    seen.update(new)
                    reached += new
                if number in seen:
                    self._doing.circular.add((number, topic))
                    what = f"publication to {self._spans.names[topic]} by {self._names[number]}"
                    self._draft.notes.leave_out(self._at, what, "would close a circle: its messages lead to it again")
                else:
                    leads[number] += consumers.get(topic, ())

    # ---- services and names

    def _service(self, number: int) -> None:
        """The service of the draft that the traces call so, or a new one."""
        if number in self._services_of:
            return
        name = self._services[number]
        instances = self._instances.get(name, set())
        service = matching(self._draft, name) or self._by_host(instances)
        if service is not None and any(service is other for other in self._services_of.values()):
            service = None  # two services of the traces are two
        if service is None:
            what = "callee that recorded nothing itself" if number in self._requests.peers else "service of the traces"
            service = Service(("", name), what, self._at, described=True)
            self._draft.services[service.key] = service
            self._draft.alias(name, service.key)
        elif service.key[1] != name:
            service.remarks.append(f"called {name} in the traces")
        if service.endpoints:
            self._draft.notes.leave_out(service.at, f"endpoints of {service.what}", "the traces tell what it does")
        service.endpoints, service.role, service.addresses, service.recorded = {}, "", [], True
        self._services_of[number] = service
        self._keys[number] = service.key
        if service.replicas is None and 1 < len(instances) <= MOST_INSTANCES:
            service.replicas = Said(len(instances), f"instances that recorded spans in {_file(self._at)}")

    def _by_host(self, instances: set[str]) -> Service | None:
        """The service of other files on whose host, or in whose pods, all of these instances ran."""
        found = {
            service.key: service
            for instance in instances
            if (service := self._draft.find(instance) or self._draft.find(service_of_pod(instance))) is not None
        }
        return next(iter(found.values())) if len(found) == 1 else None

    def _name(self, order: Sequence[int]) -> None:
        """Names of endpoints: that of the operation, with a number behind it for the less usual classes."""
        taken: dict[int, set[str]] = {}
        by_endpoint: dict[int, list[int]] = {}
        for number in order:
            by_endpoint.setdefault(self._classes.found[number].endpoint, []).append(number)
        for endpoint, its in by_endpoint.items():
            service, operation, _ = self._requests.endpoints[endpoint]
            names = taken.setdefault(service, set())
            for number in sorted(its, key=lambda number: (-self._classes.found[number].runs, number)):
                plain = self._spans.names[operation]
                name, count = plain, 1
                while name in names:
                    count += 1
                    name = f"{plain}-{count}"
                names.add(name)
                self._names[number] = name

    # ---- what a class does

    def _class_into(self, number: int) -> None:
        its = self._classes.found[number]
        service_number, _, topic = self._requests.endpoints[its.endpoint]
        service = self._services_of[service_number]
        if topic >= 0:
            self._consumer(number, service, topic)
            return
        service.endpoints[self._names[number]] = Recorded(
            tuple(self._doing.steps(number, self._at)), self._remark(number)
        )
        self._draft.take(self._at, "endpoint")

    def _consumer(self, number: int, service: Service, topic: int) -> None:
        """What most messages of a topic lead to; a consumer has no choice of endpoints."""
        name = self._spans.names[topic]
        if name in service.consumes and service.consumes[name].do:
            what, why = f"{self._names[number]} of {service.key[1]}", f"is another way to take messages of {name}"
            self._draft.notes.leave_out(self._at, what, f"{why}; the usual one was taken")
            return
        group = self._requests.groups.get((self._service_of(number), topic), "")
        said = Said(group, "its consumer group in the traces")
        if not group:
            said = Said(service.key[1], "the name of the service; the traces name no group", True)
        service.consumes[name] = Consumer(said, self._at, tuple(self._doing.steps(number, self._at)))
        self._draft.topics.setdefault(name, Topic(None, "how many partitions: no trace says it"))
        self._draft.take(self._at, "consumer")

    def _remark(self, number: int) -> str:
        its = self._classes.found[number]
        total = self._classes.runs[its.endpoint]
        operation = self._spans.names[self._requests.endpoints[its.endpoint][1]]
        share = "" if its.runs == total else f", {100 * its.runs / total:.3g} % of all {operation}"
        return f"{its.runs:,} recorded{share}"

    # ---- requests that came in

    def _requested(self) -> ArrivedRows:
        """When and where each request came in, in the order of time."""
        starts = np.frombuffer(self._requests.root_start, np.int64)
        classes = self._runs.class_of[np.frombuffer(self._requests.root_shape, np.int32)]
        order = np.argsort(starts, kind="stable")
        order = order[np.isin(classes[order], list(self._names))]
        classes = classes[order]
        targets = []
        place_of = np.zeros(len(self._classes.found), np.int32)
        for place, number in enumerate(dict.fromkeys(classes.tolist())):
            topic = self._topic(number)
            its = (self._keys[self._service_of(number)], self._names[number]) if topic < 0 else self._publisher(topic)
            place_of[number] = place
            targets.append(its)
        took = np.frombuffer(self._requests.root_end, np.int64)[order] - starts[order]
        published = [self._topic(number) >= 0 for number in range(len(self._classes.found))]
        of_messages = np.array(published, np.bool_)[classes]
        took[of_messages] = -1  # who published has had its answer before
        failed = np.frombuffer(self._requests.root_failed, np.uint8)[order] != 0
        return ArrivedRows(starts[order], targets, place_of[classes], took, failed)

    def _publisher(self, topic: int) -> tuple[Key, str]:
        """Who published messages whose publication was not recorded: a service that does nothing else."""
        name = self._spans.names[topic]
        key = ("", f"publisher of {name}")
        if key not in self._draft.services:
            what = "stand-in for who published what was consumed, and recorded nothing"
            service = Service(key, what, self._at, recorded=True)
            service.workers = Said(1000, "as many as never wait")
            service.endpoints["publish"] = Recorded((Plain(Said({"publish": name}, "")),), "not recorded")
            self._draft.services[key] = service
        return key, "publish"

    # ---- what is said of it

    def _tell(self, clocks: Clocks) -> None:
        """What was taken, and what was left out or has to be known."""
        requests, spans, draft = self._requests, self._spans, self._draft
        draft.taken.setdefault(self._at.file, Counter())["span"] += self._count
        draft.taken[self._at.file]["trace"] += requests.traces
        for why, left in spans.left_out.items():
            draft.notes.leave_out(Place(self._at.file, left.line), many(left.count, "span"), why)
        if clocks.circles:
            draft.notes.leave_out(self._at, many(clocks.circles, "span"), "are their own ancestors")
        if requests.fragments:
            why = "their parents were not recorded: what they did is taken, but not that they came"
            draft.notes.leave_out(self._at, f"{many(requests.fragments, 'span')} as requests", why)
        if requests.clamped:
            why = "took less time than what they called; their own time counts as 0"
            draft.notes.leave_out(self._at, f"{many(requests.clamped, 'run')} of endpoints", why)
        for endpoint, others in self._classes.others.items():
            service, operation, _ = requests.endpoints[endpoint]
            runs = self._classes.runs[endpoint]
            what = f"{others:,} of {runs:,} {self._services[service]} {self._spans.names[operation]}"
            why = "call others than the classes of requests that were kept: taken for the most alike, with `choose`"
            draft.notes.leave_out(self._at, what, why)
        self._measured.head += [
            (
                f"By {many(self._count, 'span')} of {many(requests.traces, 'trace')}. An endpoint's own time is what "
                "its "
                "calls"
            ),
            (
                "leave of it; waiting for threads and cores is in it, and that part is another one at another load. "
                "Times "
                "of"
            ),
            "different services are drawn independently of one another.",
            f"Calls that overlap by more than {OVERLAP:.0%} of the shorter one are made at once.",
        ]
        if clocks.moved:
            farthest = duration(clocks.farthest / 1e9)
            outside = (
                f"Clocks differ: {many(clocks.moved, 'span')} lay outside of their callers and were moved into them,"
            )
            self._measured.head += [outside, f"by {farthest} at most."]


def _file(at: Place) -> str:
    return at.file.rsplit("/", 1)[-1]
