"""Which of the scenarios that come with sim say a word of the language."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sim.experiments import shipped


def scenarios_that_say(words: Collection[str]) -> dict[str, list[str]]:
    """Word -> the names of the scenarios that say it, in their order; without words that none says."""
    found: dict[str, list[str]] = {}
    for name in shipped.names():
        if needs_plugin(name):
            continue
        said = set(_keys(shipped.load(name).document))
        for word in words:
            if word in said:
                found.setdefault(word, []).append(name)
    return found


def needs_plugin(name: str) -> bool:
    """Whether a scenario needs code that runs only where it is allowed."""
    text = (shipped.folder() / f"{name}.yaml").read_text(encoding="utf-8")
    return any(line.startswith("plugins:") for line in text.splitlines())


def _keys(value: Any) -> Iterator[str]:  # noqa: ANN401 - a document
    for key in value if isinstance(value, dict) else ():
        yield str(key)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(item)
