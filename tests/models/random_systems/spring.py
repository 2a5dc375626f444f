"""Retry topics as Spring builds them: so many attempts, and the pauses between them."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

BACKOFFS = (
    {"constant": "300ms"},
    {"linear": {"base": "100ms", "max": "150ms"}},
    {"exponential": {"base": "100ms", "multiplier": 3, "max": "1s"}},
)


def spring(document: dict[str, Any], luck: Luck) -> None:
    """Consumers that have retry topics say attempts and pauses in the place of delays, or nothing at all."""
    for name, service in document["services"].items():
        for topic, consume in (service.get("consumes") or {}).items():
            own = luck.at(f"{name} {topic}")
            if "retry_topic" in consume and own.maybe("spring", 0.7):
                said = {"attempts": own.number("attempts", 2, 4), "backoff": own.pick("backoff", BACKOFFS)}
                consume["retry_topic"] = {word: said[word] for word in said if own.maybe(word, 0.8)}
