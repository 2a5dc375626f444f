"""CPU limits that follow what replicas use, in seconds rather than hours."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck


def vertical_scaling(document: dict[str, Any], luck: Luck) -> None:
    """Services with a limit may have one that moves; others get one now and then."""
    for name, spec in document["services"].items():
        own = luck.at(name)
        weighed = isinstance(spec["load_balancing"], dict) and "weights" in spec["load_balancing"]
        by_cpu = any("cpu" in metric for metric in spec.get("autoscaling", {}).get("metrics", ()))
        if weighed or by_cpu or "serverless" in spec or not own.maybe("moves", 0.7 if "cpu" in spec else 0.2):
            continue
        spec.setdefault("cpu", {"limit": own.pick("limit", ("100m", "300m", 1)), "period": "50ms"})
        scaling: dict[str, Any] = {
            "mode": own.pick("mode", ("recreate", "recreate", "in_place_or_recreate", "initial", "recommend")),
            "interval": own.pick("interval", ("500ms", "1s", "2s")),
            "metrics_window": own.pick("window", ("200ms", "500ms")),
            "half_life": own.pick("half-life", ("10ms", "1s", "24h")),
            "lifetime_threshold": own.pick("lifetime", ("0s", "0s", "3s")),
            "min_replicas": own.number("least", 0, 2),
        }
        if own.maybe("asks for less", 0.4):
            spec["cpu"]["request"] = own.pick("request", ("50m", "100m"))
        if own.maybe("bounded", 0.4):
            scaling |= {"min_allowed": own.pick("min", ("50m", "200m")), "max_allowed": own.pick("max", ("200m", 2))}
        if own.maybe("by other percentiles", 0.4):
            scaling |= {
                "target_percentile": own.pick("target", ("50%", "99%")),
                "lower_bound_percentile": own.pick("lower", ("10%", "50%")),
                "upper_bound_percentile": own.pick("upper", ("95%", "100%")),
                "margin": own.pick("margin", ("0%", "50%")),
                "update_threshold": own.pick("threshold", ("0%", "30%")),
            }
        if own.maybe("more at once", 0.5):
            scaling["eviction_tolerance"] = own.pick("tolerance", ("0%", "100%"))
        spec["vertical_scaling"] = scaling
        if own.maybe("starts late", 0.5):
            spec.setdefault("start", own.pick("start", ("200ms", {"time": {"exponential": "500ms"}})))
        if own.maybe("drains", 0.5):
            spec.setdefault("drain", own.pick("drain", ("0s", "500ms", "2s")))
