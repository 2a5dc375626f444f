"""The ground under calls: what kernels keep of connections that nobody accepts, and how much they let a process compute."""

from __future__ import annotations

from typing import Any

from sim.spec.queueing import BACKLOGS
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
        if luck.maybe(f"{name} is named", 0.2):
            queue["listen_backlog"] = luck.pick(f"whose {name} is", tuple(BACKLOGS))
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


def limit_stores(document: dict[str, Any], luck: Luck) -> None:
    """Limits may be counted in a store, which may be down for a while."""
    gateway = document.get("gateway") or {}
    hosts = [gateway, *gateway.get("routes", {}).values(), *document["services"].values()]
    named = False
    for number, limit in enumerate([limit for host in hosts for limit in host.get("rate_limits", ())]):
        own = luck.at(number)
        if limit.get("scope") == "node" or not own.maybe("stored", 0.6):
            continue
        named = True
        limit["store"] = {
            "latency": own.pick("latency", ("0s", "1ms", "20ms", {"uniform": {"low": "1ms", "high": "9ms"}})),
            "timeout": own.pick("timeout", ("50ms", "300ms", "2s")),
            "fault_tolerant": own.maybe("tolerant", 0.6),
        }
        if own.maybe("named", 0.5):
            limit["store"]["name"] = "redis"  # as without a name
    if named and luck.maybe("it fails", 0.7):
        fault = {
            "name": "no store",
            "at": luck.pick("at", ("1s", "2s", "3s")),
            "for": luck.pick("for", ("500ms", "2s")),
        }
        how = luck.pick("how", ("refuse", "hang"))
        document.setdefault("faults", []).append({**fault, "store_down": {"store": "redis", "how": how}})


def pinned_loops(document: dict[str, Any], luck: Luck) -> None:
    """Event loops may own their connections, where nothing else is said of their queue."""
    for name, spec in [*document["services"].items(), ("gateway", document.get("gateway"))]:
        if spec is None or spec.get("workers") == "unlimited" or not luck.maybe(f"{name} is pinned", 0.6):
            continue
        loops = spec.get("concurrency", "event_loop" if name == "gateway" else "threads") == "event_loop"
        queue = spec.get("queue", {})
        if loops and queue.get("discipline", "fifo") == "fifo" and "listen_backlog" not in queue:
            spec["pinned"] = True
