"""Ledgers that are followed over time."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck


def ledgers(document: dict[str, Any], luck: Luck) -> None:
    """Where there are charges and reservations."""
    ledger = document.get("ledger") or {}
    if {"charge", "reservation"} <= set(ledger):
        ledger["follow"] = luck.maybe("follow", 0.8)
