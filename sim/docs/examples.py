"""An example of each word of the language, taken from the scenarios that come with sim: every one of them runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sim.experiments import shipped

_LONGEST = 14  # lines of an example


def examples_of(words: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Word -> (the scenario that says it, the shortest map there that does, as YAML); without words that none says."""
    found: dict[str, tuple[str, str]] = {}
    for name in shipped.names():
        if needs_plugin(name):
            continue
        for part in _maps(shipped.load(name).document):
            for word in words:
                if word in part and _shorter(text := _yaml(part), found.get(word)):
                    found[word] = (name, text)
    return found


def needs_plugin(name: str) -> bool:
    """Whether a scenario needs code that runs only where it is allowed."""
    text = (shipped.folder() / f"{name}.yaml").read_text(encoding="utf-8")
    return any(line.startswith("plugins:") for line in text.splitlines())


def _shorter(text: str, known: tuple[str, str] | None) -> bool:
    lines = text.count("\n")
    return lines <= _LONGEST and (known is None or lines < known[1].count("\n"))


def _maps(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a document
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _maps(item)


def _yaml(value: dict[str, Any]) -> str:
    """A line for each field, what is in it in braces and brackets."""
    return "".join(f"{key}: {_flow(item)}\n" for key, item in value.items())


def _flow(value: Any) -> str:  # noqa: ANN401 - a document
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str) and re.fullmatch(r"[\w./%<>=() -]*\w[\w./%()-]*", value):
        return value
    return json.dumps(value)
