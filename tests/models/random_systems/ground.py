"""The ground under calls: what kernels keep of connections that nobody accepts, and how much they let a process compute."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck


def listen_backlogs(document: dict[str, Any], luck: Luck) -> None:
    """Hosts may leave connections to their kernel once they are full, and callers may give up sooner than Linux."""
    for name, spec in [*document["services"].items(), ("gateway", document.get("gateway"))]:
        if spec is None or not luck.maybe(f"{name} listens", 0.5):
            continue
        queue = spec.setdefault("queue", {})
        if queue.get("push_out") or queue.get("preemptive"):
            continue
        queue["listen_backlog"] = luck.number(f"backlog of {name}", 0, 3)
        if luck.maybe(f"{name} accepts few", 0.7):
            queue["capacity"] = luck.number(f"capacity of {name}", 0, 2)
    for name, policy in document.get("policies", {}).items():
        if luck.maybe(f"{name} gives up", 0.4):
            policy["connect_timeout"] = luck.pick(f"timeout of {name}", ("100ms", "1s", "1200ms", "3s"))


def cpu_quotas(document: dict[str, Any], luck: Luck) -> None:
    """Services may have a CPU limit, on cores of their own or not."""
    for name, spec in document["services"].items():
        if not luck.maybe(f"{name} has a limit", 0.4):
            continue
        cpu = {"limit": luck.pick(f"limit of {name}", ("200m", 0.5, 1, 1.5, 3))}
        cpu["period"] = luck.pick(f"period of {name}", ("5ms", "20ms", "100ms", "100ms", "300ms"))
        spec["cpu"] = cpu
