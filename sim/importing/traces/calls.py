"""What each request did at an endpoint: whom it called, what at once and what one after the other, what it took
itself, and how it ended.

A call lasts from where the caller's side begins to where it ends, where a span tells it, else as long as the
callee's. Calls that overlap by more than a tenth of the shorter one are made at once; less is what clocks are wrong
by. So the time of an endpoint is exactly

    its own + sum over what is done one after the other of the longest branch of what is done at once,

and what it takes itself is what remains. A call that ends after its caller has answered comes behind the answer. A
call of the same endpoint that begins when one that failed has ended is another try of it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from sim.importing.traces.forest import Trace
from sim.importing.traces.table import CLIENT, CONSUMER, INTERNAL, LONGEST_SPAN, OTHERS, PRODUCER, Spans

OVERLAP = 0.1  # of the shorter of two calls: from here on they are made at once
SECOND = 1e9  # ns
MOST_OPERATIONS = 200  # of one service that are told apart
MOST_DIFFERENCES = 200_000  # between the two sides of calls of one pair of services that are kept

Branch = tuple[int, ...]  # shapes of what is called, or -1 - topic of what is published
Group = tuple[Branch, ...]  # branches at once
Groups = tuple[Group, ...]  # one after the other


@dataclass(frozen=True)
class Shape:
    """What requests do that do the same, as far down as it goes."""

    endpoint: int
    groups: Groups
    after: Branch  # behind the answer
    height: int  # calls within calls

    @property
    def items(self) -> list[int]:
        """All that is called or published."""
        return [item for group in self.groups for branch in group for item in branch] + list(self.after)


@dataclass
class Site:
    """The calls of one endpoint by another, all tries of a call together."""

    calls: int = 0
    failed: int = 0  # at the last try
    tolerated: int = 0  # of these, calls whose caller ended well all the same
    tries: int = 0
    most_tries: int = 1
    pauses: array[float] = field(default_factory=lambda: array("d"))  # s between tries
    # s after which callers gave up while the callee went on
    timeouts: array[float] = field(default_factory=lambda: array("d"))


@dataclass
class Call:
    """One call, with all its tries; times in ns."""

    start: int
    end: int
    item: int
    endpoint: int  # -1: a publication
    failed: bool
    later: bool = False  # nobody waits for it
    tries: int = 1
    pause: int = 0
    length: int = 0

    def __post_init__(self) -> None:
        self.length = self.end - self.start


@dataclass
class Requests:
    """What was found in all traces."""

    # service, operation, topic that it consumes or -1
    endpoints: list[tuple[int, int, int]] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    shape: array[int] = field(default_factory=lambda: array("i"))  # of each run of an endpoint
    own: array[float] = field(default_factory=lambda: array("d"))  # s that it took itself
    failed: array[int] = field(default_factory=lambda: array("B"))  # 1: by itself, 2: because of a call
    root_shape: array[int] = field(default_factory=lambda: array("i"))
    root_start: array[int] = field(default_factory=lambda: array("q"))  # ns
    root_end: array[int] = field(default_factory=lambda: array("q"))  # ns
    root_failed: array[int] = field(default_factory=lambda: array("B"))
    sites: dict[tuple[int, int], Site] = field(default_factory=dict)
    # caller's and callee's service -> s one way
    hops: dict[tuple[int, int], array[float]] = field(default_factory=dict)
    pairs: dict[tuple[int, int], int] = field(default_factory=dict)  # the same -> calls of which only one side is told
    acks: array[float] = field(default_factory=lambda: array("d"))  # s that publications took
    groups: dict[tuple[int, int], str] = field(default_factory=dict)  # service, topic -> group
    traces: int = 0
    fragments: int = 0  # requests whose beginning was not recorded
    clamped: int = 0  # runs that took less than what they called
    peers: set[int] = field(default_factory=set)  # services that recorded nothing themselves


class Following:
    """Follows every trace from its leaves up."""

    def __init__(self, spans: Spans, services: list[str], clients: set[int]) -> None:
        """`services` are their names by number, `clients` those among them that are load generators: what they call
        are the requests.
        """
        self.requests = Requests()
        self._clients = clients
        self._spans = spans
        self._services = services  # grows by those that others call and that recorded nothing
        self._numbers = {name: place for place, name in enumerate(services)}
        self._recording = len(services)
        self._endpoint_at: dict[tuple[int, int, int], int] = {}
        self._operations: dict[int, int] = {}  # service -> operations that are told apart so far
        self._shape_at: dict[tuple[int, Groups, Branch], int] = {}

    def follow(self, trace: Trace) -> None:
        """Take one trace."""
        requests = self.requests
        requests.traces += 1
        shape_of: dict[int, int] = {}
        for place in sorted(trace.order, key=lambda place: (-trace.depth[place], trace.start[place])):
            if trace.entrance[place]:
                shape_of[place] = self._run(trace, place, shape_of)
        tops = [place for place in trace.order if trace.parent[place] < 0]
        whole = [place for place in tops if place not in trace.fragments or trace.kind[place] == CONSUMER]
        requests.fragments += len(tops) - len(whole)
        for top in whole or tops[:1]:
            for place in self._first(trace, top):
                requests.root_shape.append(shape_of[place])
                requests.root_start.append(trace.start[place])
                requests.root_end.append(trace.end[place])
                requests.root_failed.append(trace.failed[place])

    def _first(self, trace: Trace, top: int) -> list[int]:
        """Where a request comes in: the top itself, or what a load generator calls."""
        if trace.service[top] not in self._clients:
            return [top]
        found: list[int] = []
        waiting = list(trace.children[top])
        for place in waiting:  # grows as it is walked
            if trace.entrance[place] and trace.service[place] not in self._clients:
                found.append(place)
            else:
                waiting += trace.children[place]
        return found

    def _run(self, trace: Trace, place: int, shape_of: dict[int, int]) -> int:
        """One run of an endpoint; its shape."""
        requests = self.requests
        service = trace.service[place]
        topic = trace.about[place] if trace.kind[place] == CONSUMER else -1
        endpoint = self._endpoint(service, trace.operation[place], topic)
        if topic >= 0:
            requests.groups.setdefault((service, topic), self._spans.groups.get(trace.rows[place], ""))
        calls = _tried(self._calls(trace, place, shape_of))
        end, begin = trace.end[place], trace.start[place]
        later = [call for call in calls if call.later or call.end > end + OVERLAP * call.length]
        waited = [call for call in calls if call not in later] if later else calls
        groups, taken = arranged(waited)
        own = end - begin - taken
        if own < 0:
            requests.clamped += own < -OVERLAP * (end - begin)
            own = 0
        shape = self._shape(endpoint, groups, tuple(call.item for call in later))
        self._note(endpoint, calls, trace.failed[place])
        blamed = trace.failed[place] and any(call.failed for call in waited)
        requests.shape.append(shape)
        requests.own.append(own / SECOND)
        requests.failed.append(2 if blamed else int(trace.failed[place]))
        return shape

    def _calls(self, trace: Trace, place: int, shape_of: dict[int, int]) -> list[Call]:
        """All that is called or published, here and in what is inside."""
        found: list[Call] = []
        waiting = list(trace.children[place])
        for child in waiting:  # grows as it is walked
            kind, kids = trace.kind[child], trace.children[child]
            if trace.entrance[child]:
                self._entered(trace, child, shape_of, found)
            elif kind == PRODUCER:
                self.requests.acks.append((trace.end[child] - trace.start[child]) / SECOND)
                found.append(
                    Call(trace.start[child], trace.end[child], -1 - trace.about[child], -1, trace.failed[child])
                )
            else:
                inner = [kid for kid in kids if trace.entrance[kid] and not trace.asynchronous[kid]]
                is_side = kind == CLIENT or (kind == INTERNAL and len(kids) == 1)
                if is_side and len(inner) == 1:
                    found.append(self._two_sided(trace, child, inner[0], shape_of))
                elif kind == CLIENT and not kids and trace.about[child] >= 0:
                    found.append(self._of_peer(trace, child))
                else:
                    waiting += kids
        return found

    def _entered(self, trace: Trace, child: int, shape_of: dict[int, int], found: list[Call]) -> None:
        """A callee of which only its own side is told; or a consumer of what is published here."""
        its = trace.parent[child]
        start, end = trace.start[child], trace.end[child]
        if trace.kind[child] == CONSUMER:
            if trace.kind[its] != PRODUCER:
                found.append(Call(trace.start[its], trace.start[its], -1 - trace.about[child], -1, False))
            return
        pair = trace.service[its], trace.service[child]
        self.requests.pairs[pair] = self.requests.pairs.get(pair, 0) + 1
        shape = shape_of[child]
        later = trace.asynchronous[child]
        found.append(Call(start, end, shape, self.requests.shapes[shape].endpoint, trace.failed[child], later))

    def _two_sided(self, trace: Trace, caller: int, callee: int, shape_of: dict[int, int]) -> Call:
        """A call of which both sides are told: what lies between them is the way there and back."""
        start, end = trace.start[caller], trace.end[caller]
        length = trace.end[callee] - trace.start[callee]
        shape = shape_of[callee]
        endpoint = self.requests.shapes[shape].endpoint
        if length <= end - start:
            hops = self.requests.hops.setdefault((trace.service[caller], trace.service[callee]), array("d"))
            if len(hops) < MOST_DIFFERENCES:
                hops.append((end - start - length) / 2 / SECOND)
        call = Call(start, end, shape, endpoint, trace.failed[caller] or trace.failed[callee])
        if trace.failed[caller] and trace.end[callee] > end:
            endpoint_of_caller = self._endpoint_above(trace, caller)
            if endpoint_of_caller >= 0:
                self._site(endpoint_of_caller, endpoint).timeouts.append((end - start) / SECOND)
        return call

    def _endpoint_above(self, trace: Trace, place: int) -> int:
        """The endpoint that a span belongs to."""
        while not trace.entrance[place]:
            place = trace.parent[place]
        topic = trace.about[place] if trace.kind[place] == CONSUMER else -1
        return self._endpoint(trace.service[place], trace.operation[place], topic)

    def _of_peer(self, trace: Trace, child: int) -> Call:
        """A call of what recorded nothing itself: a database, somebody else's service."""
        name = self._spans.names[trace.about[child]]
        service = self._numbers.get(name, -1)
        if service < 0:
            service = self._numbers[name] = len(self._services)
            self._services.append(name)
        if service >= self._recording:
            self.requests.peers.add(service)
        pair = trace.service[child], service
        self.requests.pairs[pair] = self.requests.pairs.get(pair, 0) + 1
        endpoint = self._endpoint(service, trace.operation[child], -1)
        shape = self._shape(endpoint, (), ())
        self.requests.shape.append(shape)
        self.requests.own.append((trace.end[child] - trace.start[child]) / SECOND)
        self.requests.failed.append(int(trace.failed[child]))
        return Call(trace.start[child], trace.end[child], shape, endpoint, trace.failed[child])

    def _note(self, endpoint: int, calls: Sequence[Call], failed: bool) -> None:
        """How the calls of one run went."""
        for call in calls:
            if call.endpoint < 0:
                continue
            site = self._site(endpoint, call.endpoint)
            site.calls += 1
            site.tries += call.tries
            site.most_tries = max(site.most_tries, call.tries)
            if call.tries > 1:
                site.pauses.append(call.pause / (call.tries - 1) / SECOND)
            if call.failed:
                site.failed += 1
                site.tolerated += not failed

    def _site(self, caller: int, callee: int) -> Site:
        return self.requests.sites.setdefault((caller, callee), Site())

    def _endpoint(self, service: int, operation: int, topic: int) -> int:
        known = self._endpoint_at.get((service, operation, topic))
        if known is not None:
            return known
        if self._operations.get(service, 0) >= MOST_OPERATIONS and self._spans.names[operation] != OTHERS:
            number = self._endpoint(service, self._spans.name(OTHERS), topic)
        else:
            self._operations[service] = self._operations.get(service, 0) + 1
            number = len(self.requests.endpoints)
            self.requests.endpoints.append((service, operation, topic))
        self._endpoint_at[service, operation, topic] = number
        return number

    def _shape(self, endpoint: int, groups: Groups, after: Branch) -> int:
        key = endpoint, groups, after
        known = self._shape_at.get(key)
        if known is None:
            shapes = self.requests.shapes
            items = [item for group in groups for branch in group for item in branch if item >= 0] + [
                item for item in after if item >= 0
            ]
            height = 1 + max((shapes[item].height for item in items), default=-1)
            known = self._shape_at[key] = len(shapes)
            shapes.append(Shape(endpoint, groups, after, height))
        return known


def _tried(calls: list[Call]) -> list[Call]:
    """Calls in the order in which they begin, the tries of one put together."""
    if len(calls) < 2:
        return calls
    calls.sort(key=lambda call: (call.start, call.end))
    found: list[Call] = []
    last: dict[int, Call] = {}
    for call in calls:
        before = last.get(call.endpoint) if call.endpoint >= 0 else None
        if before is not None and before.failed and call.start >= before.end:
            before.pause = min(before.pause + call.start - before.end, LONGEST_SPAN)
            before.end, before.length = call.end, call.end - before.start
            before.item, before.failed = call.item, call.failed
            before.tries += 1
        else:
            found.append(call)
            last[call.endpoint] = call
    return found


def arranged(calls: Sequence[Call]) -> tuple[Groups, int]:
    """What is done one after the other and what at once, and how long (ns) all of it takes. `calls` in the order in
    which they begin.
    """
    if not calls:
        return (), 0
    together: list[list[Call]] = []
    latest: Call | None = None
    for call in calls:
        if latest is not None and _overlap(latest, call):
            together[-1].append(call)
            latest = call if call.end > latest.end else latest
        else:
            together.append([call])
            latest = call
    groups: list[Group] = []
    taken = 0
    for at_once in together:
        branches: list[list[Call]] = []
        for call in at_once:
            free = next((branch for branch in branches if not _overlap(branch[-1], call)), None)
            if free is not None:
                free.append(call)
            else:
                branches.append([call])
        taken += max(sum(call.length for call in branch) for branch in branches)
        if len(branches) == 1:
            groups += [((call.item,),) for call in branches[0]]
        else:
            groups.append(tuple(sorted(tuple(call.item for call in branch) for branch in branches)))
    return tuple(groups), taken


def _overlap(before: Call, call: Call) -> bool:
    common = min(before.end, call.end) - call.start
    return common > 0 and common > OVERLAP * min(before.length, call.length)
