"""The one shape of every JSON document that a command writes: the same head whatever was asked, then what the verb
found.

`sim schema --documents` prints the JSON Schema of the head; the reference of the language says the rest.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sim.errors import Problem

SCHEMA = 3
"""3: every verb writes the same head, with `kind`, `sim`, `passed`, `answer` and `problems`. 2: rates count what left
in the window, every figure says what it is `of`, and what requests in flight can bend has its bounds.
"""
READ = (2, 3)
"""Of which versions `sim compare` takes an earlier run: the figures of both mean the same."""
_TEXT, _FLAG, _COUNT = {"type": "string"}, {"type": "boolean"}, {"type": "integer"}
_FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "schema": ({"const": SCHEMA}, "The version of these documents; another number means that something here changed."),
    "kind": (_TEXT, "The verb that wrote it: run, compare, check, sweep ..."),
    "sim": (_TEXT, "The version of sim that wrote it."),
    "scenario": (_TEXT, "The name of the scenario; null where there is none."),
    "seed": (_COUNT, "What all luck comes from; null where nothing was run."),
    "engine": (_TEXT, "What simulated: simpy, compiled, or both; null where nothing was run."),
    "replications": (_COUNT, "Independent runs of each variant; null where nothing was run."),
    "fingerprint": (_TEXT, "A digest of all that happened: equal runs have equal ones; null where nothing was run."),
    "passed": (_FLAG, "Whether every expectation holds, or the answer is a good one; null where nothing was judged."),
    "answer": (_TEXT, "What came out, in a sentence; null where there is nothing to say in one."),
    "problems": (
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"message": _TEXT, "path": _TEXT, "file": _TEXT, "line": _COUNT, "column": _COUNT},
                "required": ["message", "path", "file", "line", "column"],
            },
        },
        "What was wrong with the scenario or the call, each with its place (0: not known); then nothing else is said.",
    ),
}
_ALWAYS = ("schema", "kind", "sim", "problems")


def head(kind: str, scenario: str | None = None, **known: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The head of a document: `known` are `seed`, `engine`, `replications`, `fingerprint`, `passed` and `answer`; null
    where they are not said. What a verb found follows it in the same map.
    """
    if strange := set(known) - set(_FIELDS):
        raise TypeError(f"no field of the head of a document: {', '.join(sorted(strange))}")
    said = {
        "schema": SCHEMA,
        "kind": kind,
        "sim": sys.modules["sim"].__version__,
        "scenario": scenario,
        "problems": [],
        **known,
    }
    return {name: said.get(name) for name in _FIELDS}


def refused(kind: str, problems: Sequence[Problem]) -> dict[str, Any]:
    """What is written where the scenario, or the call, is wrong: the head alone, with what is wrong."""
    return head(kind, passed=False, problems=[asdict(problem) for problem in problems])


def written(document: Mapping[str, Any]) -> str:
    """A document as text, the same text for the same results; infinite and missing values are null."""
    return json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def head_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of every document: the head, and room for what the verb found."""
    properties = {
        name: {**(its if name in _ALWAYS else {"anyOf": [its, {"type": "null"}]}), "description": sentence}
        for name, (its, sentence) in _FIELDS.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "what sim writes as JSON",
        "type": "object",
        "properties": properties,
        "required": list(_FIELDS),
    }


def _finite(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Without infinities and nan, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
