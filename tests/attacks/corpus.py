"""What the fuzzer begins with: the shipped scenarios, random systems, and recordings of the shapes that people have."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sim.experiments import shipped
from sim.spec.document import plain
from sim.spec.reading import read_yaml
from tests.models.any_scenario import any_scenario
from tests.models.random_systems.elastic import Elastic
from tests.models.random_systems.groups import group_system
from tests.models.random_systems.later import FIRST_WITH_LATER_WORDS
from tests.models.random_systems.queues import queue_system

RANDOM_SYSTEMS = 40
OF_EACH_KIND = 15


@dataclass(frozen=True)
class Sample:
    """A scenario as a tree and as a text, and the files that it names."""

    tree: Any
    text: str
    files: Mapping[str, bytes] = field(default_factory=dict)


@cache
def shipped_samples() -> tuple[Sample, ...]:
    """The shipped scenarios that need no plug-in."""
    texts = [
        (shipped.folder() / f"{name}.yaml").read_text(encoding="utf-8")
        for name in shipped.names()
        if "plugin" not in name
    ]
    return tuple(Sample(plain(read_yaml(text)), text) for text in texts)


@cache
def random_samples() -> tuple[Sample, ...]:
    """Systems in which every word of the language stands somewhere."""
    dice = random.Random(0)
    kept = ({"keep": "rows", "spans": "all"}, {"keep": "rows", "spans": "exemplars"}, {"keep": "summary"}, {})
    trees = [
        {**any_scenario(seed), "record": dice.choice(kept), "warmup": dice.choice(("0s", "2s"))}
        for seed in range(RANDOM_SYSTEMS)
    ]
    return tuple(Sample(tree, written(tree)) for tree in trees)


@cache
def later_samples() -> tuple[Sample, ...]:
    """Systems with words that came later: queues, groups whose members come and go, caches, sagas, replicas that come and go."""
    seeds = range(OF_EACH_KIND)
    trees = [{"version": 1, **make(seed)} for make in (queue_system, group_system) for seed in seeds]
    trees += [any_scenario(FIRST_WITH_LATER_WORDS + seed) for seed in seeds]
    texts = [written(tree) for tree in trees] + [Elastic(seed).text() for seed in seeds]
    return tuple(Sample(plain(read_yaml(text)), text) for text in texts)


@cache
def recorded_samples() -> tuple[Sample, ...]:
    """Scenarios that read a file, each with its file."""
    found = []
    for arrivals, time, rows in _RECORDINGS:
        sends = {} if "route" in arrivals else {"sends": "a.x"}
        tree = {
            "version": 1,
            "duration": "recording" if "file" in arrivals else "20s",
            "traffic": {"users": {**sends, "arrivals": {"replay": arrivals} if "file" in arrivals else arrivals}},
            "services": {"a": {"workers": 4, "endpoints": {"x": [{"work": time}], "y": [{"wait": "1ms"}]}}},
        }
        found.append(Sample(tree, written(tree), {"rows.csv": rows.encode()}))
    return tuple(found)


_WEB = "timestamp,path,user,ms,status\n" + "".join(
    f"2024-03-01T10:00:{second:02d}.{second * 37 % 1000:03d}Z,a.{'xy'[second % 2]},u{second % 5},{second * 7 % 90 + 1},{200 if second % 9 else 503}\n"
    for second in range(60)
)
_JTL = "timeStamp,elapsed,label\n" + "".join(f"{1622490229000 + 250 * row},{row * 13 % 400},GET\n" for row in range(80))
_LOCUST = "Timestamp,Type,Name,Requests/s\n" + "".join(
    f"{1700000000 + row},GET,/a,{row}\n{1700000000 + row},,Aggregated,{row}\n" for row in range(30)
)
_COUNTS = "period;count\n" + "".join(f"1998-05-11 00:{minute:02d}:00;{minute * 29 % 70}\n" for minute in range(20))
_BARE = "".join(f"{row * row / 40}\n" for row in range(40))
_K6 = "metric_name,timestamp,metric_value\n" + "".join(
    f"http_req_{('duration', 'blocked')[row % 2]},170000000{row},{100 + row * 3}\n" for row in range(9)
)
_RECORDINGS: tuple[tuple[dict[str, Any], Any, str], ...] = (
    (
        {"file": "rows.csv", "timestamps": "timestamp", "route": "path", "user": "user"},
        {"replay": {"file": "rows.csv", "column": "ms", "unit": "ms"}},
        _WEB,
    ),
    ({"file": "rows.csv", "where": {"status": 200}}, "5ms", _WEB),
    ({"file": "rows.csv", "speed": 2}, {"empirical": {"file": "rows.csv", "column": "elapsed", "unit": "ms"}}, _JTL),
    ({"file": "rows.csv", "rates": "Requests/s", "where": {"Name": "Aggregated"}}, "5ms", _LOCUST),
    ({"file": "rows.csv", "counts": "count", "times": 0.1}, "5ms", _COUNTS),
    ({"file": "rows.csv", "counts": 1, "every": "10s"}, "5ms", _BARE),
    ({"file": "rows.csv"}, "5ms", _BARE),
    (
        {"poisson": "20/s"},
        {
            "empirical": {
                "file": "rows.csv",
                "column": "metric_value",
                "unit": "ms",
                "where": {"metric_name": "http_req_duration"},
            }
        },
        _K6,
    ),
)


class Raw(str):
    """Text that stands in a file as it is."""

    __slots__ = ()


def written(tree: Any, depth: int = 0) -> str:
    """A tree as YAML: a line for each entry of the first three levels, then in braces. What no YAML has (NaN) is written as it would be."""
    if isinstance(tree, dict):
        if 0 <= depth < 3 and tree:
            return "".join(f"{'  ' * depth}{_scalar(key)}:{_below(value, depth)}" for key, value in tree.items())
        return "{" + ", ".join(f"{_scalar(key)}: {written(value, -1)}" for key, value in tree.items()) + "}"
    if isinstance(tree, (list, tuple)):
        return "[" + ", ".join(written(value, -1) for value in tree) + "]"
    return _scalar(tree)


def _below(value: Any, depth: int) -> str:
    if isinstance(value, dict) and value and depth < 2:
        return "\n" + written(value, depth + 1)
    return f" {written(value, -1)}\n"


def _scalar(value: Any) -> str:
    if isinstance(value, Raw) or value is None:
        return value or "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    return repr(value)
