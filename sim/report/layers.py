"""Placing boxes and arrows in layers from left to right, so that arrows cross little and never run through a box or a
label.

Every arrow from one layer to a later one passes a point in each column between, as a box would: Sugiyama's method, with
a column for the labels between any two columns of boxes. Arrows against the current (a loop) are turned round for the
placing and drawn as they are.

Knows nothing of services; sizes in, places out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sim.report.spacing import spread

Size = tuple[float, float]  # width, height
_SWEEPS = 12


@dataclass(frozen=True)
class Link:
    """An arrow to be placed; `label` is the size of its label, (0, 0) without one."""

    source: str
    target: str
    label: Size


@dataclass(frozen=True)
class Route:
    """Where an arrow runs: points from its source to its target, and the centre of its label."""

    points: tuple[tuple[float, float], ...]
    label: tuple[float, float] | None


@dataclass(frozen=True)
class Layout:
    """Centres of the boxes, routes of the links in their order, and the size of the whole."""

    centres: dict[str, tuple[float, float]]
    routes: tuple[Route, ...]
    width: float
    height: float


@dataclass
class _Point:
    """Something with a place in a column: a box, a label, or the bend of a long arrow."""

    column: int
    height: float
    width: float
    before: list[str]
    after: list[str]
    y: float = 0.0


def place(sizes: Mapping[str, Size], links: Sequence[Link], gap: Size = (24.0, 16.0)) -> Layout:
    """Layers by the longest way from where the current begins; boxes at even columns, labels and bends between."""
    forward = _without_loops(list(sizes), links)
    ranks = _ranks(list(sizes), forward)
    points = {name: _Point(2 * ranks[name], height, width, [], []) for name, (width, height) in sizes.items()}
    chains = [
        _chain(points, index, link, turned) for index, (link, turned) in enumerate(zip(links, forward, strict=True))
    ]
    columns = _ordered(points)
    _settle(points, columns, gap[1])
    lefts, widths, total = _columns(points, columns, gap[0])
    top = min((point.y - point.height / 2 for point in points.values()), default=0.0)
    for point in points.values():
        point.y -= top
    height = max((point.y + point.height / 2 for point in points.values()), default=0.0)
    middle = {name: lefts[point.column] + widths[point.column] / 2 for name, point in points.items()}
    centres = {name: (middle[name], points[name].y) for name in sizes}
    routes = tuple(_route(points, middle, chain, link, sizes) for chain, link in zip(chains, links, strict=True))
    return Layout(centres, routes, total, height)


def _without_loops(names: Sequence[str], links: Sequence[Link]) -> list[tuple[str, str]]:
    """The links with those turned round that would close a loop (depth first, in the order given)."""
    following: dict[str, list[str]] = {name: [] for name in names}
    for link in links:
        following[link.source].append(link.target)
    state: dict[str, int] = {}
    back: set[tuple[str, str]] = set()
    for root in names:
        stack = [(root, iter(following[root]))] if root not in state else []
        if stack:
            state[root] = 1
        while stack:
            name, rest = stack[-1]
            following_one = next(rest, None)
            if following_one is None:
                state[name] = 2
                stack.pop()
            elif state.get(following_one) == 1:
                back.add((name, following_one))
            elif following_one not in state:
                state[following_one] = 1
                stack.append((following_one, iter(following[following_one])))
    return [
        (link.target, link.source) if (link.source, link.target) in back else (link.source, link.target)
        for link in links
    ]


def _ranks(names: Sequence[str], forward: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Longest way from a source; then sources move right, next to what they feed."""
    ranks = dict.fromkeys(names, 0)
    for _ in names:
        moved = False
        for source, target in forward:
            if source != target and ranks[target] < ranks[source] + 1:
                ranks[target], moved = ranks[source] + 1, True
        if not moved:
            break
    for name in names:
        after = [ranks[target] for source, target in forward if source == name and target != name]
        if after and not any(target == name for _, target in forward):
            ranks[name] = min(after) - 1
    return ranks


def _chain(points: dict[str, _Point], index: int, link: Link, ends: tuple[str, str]) -> list[str]:
    """Add the bends of a link, one in each column between its ends; the label takes the first after the true source."""
    start, end = ends
    if start == end:
        return [start]
    first, last = points[start].column, points[end].column
    between = list(range(first + 1, last))
    turned = start != link.source
    labelled = between[-1] if turned else between[0]
    chain = [start]
    for column in between:
        name = f"\0{index}:{column}"
        width, height = link.label if column == labelled else (0.0, 0.0)
        points[name] = _Point(column, max(height, 10.0), width, [], [])
        chain.append(name)
    chain.append(end)
    for before, after in pairwise(chain):
        points[before].after.append(after)
        points[after].before.append(before)
    return chain[::-1] if turned else chain


def _ordered(points: dict[str, _Point]) -> list[list[str]]:
    """Columns, each in the order that crosses least, by sweeps over the mean place of the neighbours."""
    columns: list[list[str]] = [[] for _ in range(max((point.column for point in points.values()), default=0) + 1)]
    for name, point in points.items():
        columns[point.column].append(name)
    best, fewest = [list(column) for column in columns], _crossings(points, columns)
    for sweep in range(_SWEEPS):
        right = sweep % 2 == 0
        for column in columns if right else columns[::-1]:
            places = {name: index for other in columns for index, name in enumerate(other)}
            sizes = {name: len(columns[points[name].column]) for name in points}

            def wish(
                name: str, right: bool = right, places: dict[str, int] = places, sizes: dict[str, int] = sizes
            ) -> float:
                near = points[name].before if right else points[name].after
                near = near or (points[name].after if right else points[name].before)
                return (
                    sum((places[other] + 0.5) / sizes[other] for other in near) / len(near)
                    if near
                    else (places[name] + 0.5) / sizes[name]
                )

            column.sort(key=wish)
        if (count := _crossings(points, columns)) < fewest:
            best, fewest = [list(column) for column in columns], count
    return best


def _crossings(points: dict[str, _Point], columns: Sequence[Sequence[str]]) -> int:
    count = 0
    for left, right in pairwise(columns):
        places = {name: index for index, name in enumerate(right)}
        ends = [sorted(places[name] for name in points[source].after) for source in left]
        flat = [place for group in ends for place in group]
        count += sum(later < earlier for index, earlier in enumerate(flat) for later in flat[index + 1 :])
    return count


def _settle(points: dict[str, _Point], columns: Sequence[Sequence[str]], gap: float) -> None:
    """Heights: each thing as close to its neighbours as those above and below it allow."""
    sizes = {name: point.height + (gap if point.column % 2 == 0 else 6.0) for name, point in points.items()}
    for column in columns:
        for name, y in zip(column, spread([0.0] * len(column), [sizes[name] for name in column]), strict=True):
            points[name].y = y
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            wanted = [_wish(points, name, sweep) for name in column]
            for name, y in zip(column, spread(wanted, [sizes[name] for name in column]), strict=True):
                points[name].y = y


def _wish(points: dict[str, _Point], name: str, sweep: int) -> float:
    point = points[name]
    near = (point.before, point.after)[sweep % 2] if sweep < _SWEEPS - 4 else [*point.before, *point.after]
    near = near or [*point.before, *point.after]
    return sum(points[other].y for other in near) / len(near) if near else point.y


def _columns(
    points: dict[str, _Point], columns: Sequence[Sequence[str]], gap: float
) -> tuple[list[float], list[float], float]:
    """Left edges and widths of the columns, and the width of the whole; a column of labels takes its widest label and
    room for the bends.
    """
    lefts, widths, x = [], [], 0.0
    for index, column in enumerate(columns):
        widest = max((points[name].width for name in column), default=0.0)
        wide = widest if index % 2 == 0 else widest + 2 * gap
        lefts.append(x)
        widths.append(wide)
        x += wide
    return lefts, widths, x


def _route(
    points: dict[str, _Point], middle: dict[str, float], chain: Sequence[str], link: Link, sizes: Mapping[str, Size]
) -> Route:
    if len(chain) == 1:  # a call of oneself: a small loop above the box
        x, y, (width, height) = middle[chain[0]], points[chain[0]].y, sizes[chain[0]]
        return Route(((x + width / 4, y - height / 2), (x - width / 4, y - height / 2)), None)
    inner = [(middle[name], points[name].y) for name in chain[1:-1]]
    rightwards = points[chain[0]].column < points[chain[-1]].column
    sign = 1 if rightwards else -1
    start = (middle[chain[0]] + sign * sizes[chain[0]][0] / 2, points[chain[0]].y)
    end = (middle[chain[-1]] - sign * sizes[chain[-1]][0] / 2, points[chain[-1]].y)
    label = inner[0] if inner and link.label != (0.0, 0.0) else None
    return Route((start, *inner, end), label)
