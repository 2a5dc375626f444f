"""Classes of requests that do the same, few enough to be read: of each endpoint the usual ones are kept, and the
rest counts as the most alike.

What requests do differently, they are different requests for, and the traffic says how many are which. Which of an
endpoint's classes a request is, is decided by what it does all the way down; so all that is called is called as often,
and together, as it was. What the rest calls besides the most alike class, or does not, is called now and then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sim.importing.traces.calls import Branch, Groups, Shape

MOST = 12  # classes of one endpoint
LEAST = 0.01  # of an endpoint's requests, that a class must be


@dataclass
class RequestClass:
    """What the requests of one class do. Items are numbers of classes, or -1 - topic."""

    endpoint: int
    groups: Groups
    after: Branch
    height: int
    items: Counter[int]
    runs: int = 0  # requests of this class, those that count as such included
    well: int = 0  # of those that are of it themselves, the ones that ended well (all, where none did)
    alike: int = 0  # of those that count as such only, the same
    alike_items: Counter[int] = field(default_factory=Counter)  # what these do, all together

    @property
    def sequence(self) -> list[int]:
        """All items, in the order in which they are met; what only some do last."""
        return [item for group in self.groups for branch in group for item in branch] + list(self.after) + self.besides

    @property
    def besides(self) -> list[int]:
        """What only those do that count as of this class."""
        return sorted(item for item in self.alike_items if item not in self.items)

    def share(self, item: int) -> float:
        """How often a request of this class does something, on average."""
        total = self.well + self.alike
        return (self.well * self.items[item] + self.alike_items[item]) / total if total else float(self.items[item])


@dataclass
class Classes:
    """All classes, which one each shape is of, and how many runs of each endpoint do something that no class does."""

    found: list[RequestClass] = field(default_factory=list)
    of_shape: dict[int, int] = field(default_factory=dict)
    others: Counter[int] = field(default_factory=Counter)
    runs: Counter[int] = field(default_factory=Counter)  # of each endpoint


def classified(shapes: Sequence[Shape], runs: Sequence[int], votes: Sequence[int]) -> Classes:
    """The classes of these shapes, `runs` of which there were, `votes` of them ending well (those that fail early
    do less than they would).
    """
    classes = Classes()
    of_endpoint: dict[int, list[int]] = {}
    for number, shape in enumerate(shapes):
        of_endpoint.setdefault(shape.endpoint, []).append(number)
        classes.runs[shape.endpoint] += runs[number]
    counted = {endpoint: _Counted(its, runs, votes) for endpoint, its in of_endpoint.items()}
    for part in _rounds(shapes, of_endpoint):
        _keep(classes, part, shapes, runs, counted[shapes[part[0]].endpoint])
    for number, runs_of_shape in enumerate(runs):
        classes.found[classes.of_shape[number]].runs += runs_of_shape
    return classes


class _Counted:
    """What one endpoint's shapes weigh, and its classes so far: summed once, for an endpoint that calls itself by
    some way is met at each level.
    """

    def __init__(self, shapes: Sequence[int], runs: Sequence[int], votes: Sequence[int]) -> None:
        self.of_shape = votes if any(votes[number] for number in shapes) else runs
        self.total = sum(self.of_shape[number] for number in shapes)
        self.kept: list[int] = []


def _rounds(shapes: Sequence[Shape], of_endpoint: dict[int, list[int]]) -> Iterable[list[int]]:
    """Shapes of one endpoint together, callees before callers; of endpoints that call themselves by some way, level
    by level.
    """
    callees = {
        endpoint: {shapes[item].endpoint for number in its for item in shapes[number].items if item >= 0}
        for endpoint, its in of_endpoint.items()
    }
    callers: dict[int, list[int]] = {}
    for endpoint, its in callees.items():
        for callee in its:
            callers.setdefault(callee, []).append(endpoint)
    left = {endpoint: len(its) for endpoint, its in callees.items()}
    ready = [endpoint for endpoint, count in left.items() if not count]
    for endpoint in ready:  # grows as it is walked
        yield of_endpoint[endpoint]
        for caller in callers.get(endpoint, ()):
            left[caller] -= 1
            if not left[caller]:
                ready.append(caller)
    rest = set(of_endpoint) - set(ready)
    levels: dict[tuple[int, int], list[int]] = {}
    for endpoint in sorted(rest):
        for number in of_endpoint[endpoint]:
            levels.setdefault((shapes[number].height, endpoint), []).append(number)
    for level in sorted(levels):
        yield levels[level]


def _keep(classes: Classes, part: list[int], shapes: Sequence[Shape], runs: Sequence[int], endpoint: _Counted) -> None:
    alike: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for number in part:
        items = Counter(classes.of_shape[item] if item >= 0 else item for item in shapes[number].items)
        alike.setdefault(tuple(sorted(items.items())), []).append(number)
    counted, kept = endpoint.of_shape, endpoint.kept
    weight = {key: sum(counted[number] for number in its) for key, its in alike.items()}
    rest: list[tuple[tuple[int, int], ...]] = []
    for key in sorted(alike, key=lambda key: (-weight[key], key)):
        if not kept or (len(kept) < MOST and weight[key] >= LEAST * endpoint.total and weight[key] > 0):
            kept.append(_new(classes, alike[key], key, shapes, counted))
        else:
            rest.append(key)
    for key in rest:
        nearest = min(kept, key=lambda number: (_distance(Counter(dict(key)), classes, number), number))
        its_class = classes.found[nearest]
        for number in alike[key]:
            classes.of_shape[number] = nearest
            classes.others[its_class.endpoint] += runs[number]
            its_class.alike += counted[number]
            for item, count in key:
                # a class calls those that were found before it: no call leads back to itself
                if item < nearest or item in its_class.items:
                    its_class.alike_items[item] += count * counted[number]


def _new(
    classes: Classes, its: list[int], key: tuple[tuple[int, int], ...], shapes: Sequence[Shape], counted: Sequence[int]
) -> int:
    """A class that arranges its calls as most of its requests do."""
    usual = shapes[max(its, key=lambda number: (counted[number], -number))]
    of = classes.of_shape
    groups = tuple(
        tuple(tuple(of[item] if item >= 0 else item for item in branch) for branch in group) for group in usual.groups
    )
    after = tuple(of[item] if item >= 0 else item for item in usual.after)
    place = len(classes.found)
    classes.found.append(RequestClass(usual.endpoint, groups, after, usual.height, Counter(dict(key))))
    for number in its:
        of[number] = place
        classes.found[place].well += counted[number]
    return place


def _distance(items: Counter[int], classes: Classes, number: int) -> float:
    """How many calls are other ones; those of the same endpoint that do something else there count half."""
    its = classes.found[number].items
    exact = sum(abs(items[item] - its[item]) for item in items.keys() | its.keys())
    ours, theirs = _by_endpoint(items, classes), _by_endpoint(its, classes)
    return exact + sum(abs(ours[item] - theirs[item]) for item in ours.keys() | theirs.keys())


def _by_endpoint(items: Counter[int], classes: Classes) -> Counter[int]:
    counts: Counter[int] = Counter()
    for item, count in items.items():
        counts[classes.found[item].endpoint if item >= 0 else item] += count
    return counts
