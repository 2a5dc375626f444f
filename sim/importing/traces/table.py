"""Spans as rows of one table, some 60 bytes each, whatever their format and the length of their names."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b

from sim.errors import printable

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(5)  # kinds, as OpenTelemetry has them
KIND, ERROR, FOLLOWS = 7, 8, 16  # bits of a flag: its kind, that it failed, that its parent does not wait for it

MOST_SPANS = 20_000_000
MOST_NAMES = 100_000  # of operations, topics and callees; what comes later is none that is told apart
LONGEST = 100  # characters of a name that are kept
LONGEST_SPAN = 366 * 86_400 * 10**9  # ns
LATEST = 2**62  # ns since 1970
OTHERS = "other operations"

_IDENTIFIER = re.compile(
    r"(?<=[/=:_-])(?:[0-9]+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{16,})(?=$|[/?&:_-])"
)
# what Kubernetes adds to the name of a Deployment, of a StatefulSet
_POD = re.compile(r"-(?:[0-9a-f]{5,10}-[a-z0-9]{5}|[0-9]{1,4})$")


@dataclass
class Owner:
    """Who recorded a span: a service, and which of its instances, as far as that is said. Formats may say it after
    the spans.
    """

    service: str = ""
    instance: str = ""


@dataclass
class Left:
    """How many spans were left out for a reason, and the line of the first."""

    count: int = 0
    line: int = 0


@dataclass
class Spans:
    """The table: one array a column. Identifiers are digests of 64 bits, 0 where there is none."""

    trace: array[int] = field(default_factory=lambda: array("Q"))
    span: array[int] = field(default_factory=lambda: array("Q"))
    parent: array[int] = field(default_factory=lambda: array("Q"))
    start: array[int] = field(default_factory=lambda: array("q"))  # ns since 1970
    end: array[int] = field(default_factory=lambda: array("q"))
    owner: array[int] = field(default_factory=lambda: array("i"))  # place among `owners`
    operation: array[int] = field(default_factory=lambda: array("i"))  # place among `names`
    # name of the topic or of the callee; -1: none is said
    about: array[int] = field(default_factory=lambda: array("i"))
    flags: array[int] = field(default_factory=lambda: array("B"))
    owners: list[Owner] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    groups: dict[int, str] = field(default_factory=dict)  # row of a consumer -> its group
    left_out: dict[str, Left] = field(default_factory=dict)
    sampled: Counter[float] = field(default_factory=Counter)  # shares of requests that were recorded, as root spans say
    _places: dict[str, int] = field(default_factory=dict)
    _known: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.trace)

    def add(
        self,
        trace: object,
        span: object,
        parent: object,
        start: int,
        end: int,
        owner: int,
        operation: str,
        *,
        kind: int = INTERNAL,
        error: bool = False,
        follows: bool = False,
        about: str = "",
        group: str = "",
        line: int = 0,
    ) -> None:
        """A row; what cannot be one is counted as left out."""
        if not isinstance(trace, str) or not isinstance(span, str) or not trace or not span:
            self.leave_out("has no identifier of its trace or of its own", line)
        elif not 0 <= start <= end < LATEST:
            self.leave_out("has no time, or ends before it begins", line)
        elif end - start > LONGEST_SPAN:
            self.leave_out("lasts longer than a year", line)
        elif len(self.trace) >= MOST_SPANS:
            self.leave_out(f"more than {MOST_SPANS:,}", line)
        else:
            if group:
                self.groups[len(self.trace)] = clean(group)
            self.trace.append(digest(trace))
            self.span.append(digest(span))
            self.parent.append(digest(parent) if isinstance(parent, str) and parent.strip("0") else 0)
            self.start.append(start)
            self.end.append(end)
            self.owner.append(owner)
            self.operation.append(self._named(operation))
            self.about.append(self.name(clean(about)) if about else -1)
            self.flags.append(kind | (ERROR if error else 0) | (FOLLOWS if follows else 0))

    def drop(self) -> None:
        """Forget all rows, when they have been followed; names, owners and what was left out stay."""
        self.trace, self.span, self.parent = array("Q"), array("Q"), array("Q")
        self.start, self.end, self.flags = array("q"), array("q"), array("B")
        self.owner, self.operation, self.about = array("i"), array("i"), array("i")

    def leave_out(self, why: str, line: int = 0) -> None:
        """Count a span that is no row."""
        left = self.left_out.setdefault(why, Left(0, line))
        left.count += 1

    def own(self, service: str = "", instance: str = "") -> int:
        """A new owner; its number."""
        self.owners.append(Owner(clean(service), clean(instance)))
        return len(self.owners) - 1

    def name(self, name: str) -> int:
        """The number of a name."""
        place = self._places.get(name)
        if place is None:
            if len(self.names) >= MOST_NAMES:
                name = OTHERS
            place = self._places.setdefault(name, len(self.names))
            if place == len(self.names):
                self.names.append(name)
        return place

    def _named(self, operation: str) -> int:
        """The number of an operation, identifiers in it replaced by a word."""
        known = self._known.get(operation)
        if known is None:
            if len(self._known) > MOST_NAMES:
                self._known.clear()
            known = self._known[operation] = self.name(operation_of(operation))
        return known


def digest(identifier: str) -> int:
    """64 bits that stand for an identifier, never 0; upper and lower case are one."""
    return int.from_bytes(blake2b(identifier.lower().encode("utf-8", "replace"), digest_size=8).digest(), "little") or 1


def clean(name: str) -> str:
    """A name in one line, printable and not too long; a question mark before it would be a mark of YAML."""
    return printable(name[:LONGEST].encode("utf-8", "replace").decode("utf-8"), one_line=True)[:LONGEST].strip(" ?")


def operation_of(written: str) -> str:
    """The name of an operation: without query, numbers and other identifiers as `{id}`; of gRPC the method alone."""
    name = clean(written).partition("?")[0].strip()
    method = re.fullmatch(r"/?(?:[A-Za-z_][\w-]*\.)+\w+/(\w[\w.]*)", name)
    name = method[1].strip(".") if method else _IDENTIFIER.sub("{id}", name)
    return name or "unnamed"


def service_of_pod(pod: str) -> str:
    """`cart-579b9bff58-t2dbm` -> `cart`, `db-0` -> `db`: what runs in a pod, by the names that Kubernetes gives."""
    return _POD.sub("", pod) or pod
