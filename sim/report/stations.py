"""How busy each station was, from the timeline: services, the gateway, and the consumers of a group."""

from __future__ import annotations

import pandas as pd

from sim.experiments.results import VariantResult

_PLACES = (("busy", "workers"), ("cores_busy", "cores"))  # the gauge, and the gauge of how many there are


def busy_shares(variant: VariantResult) -> dict[tuple[str, str], pd.Series]:
    """(component, `workers` or `cores`) -> share that is busy over time; without those whose number is unlimited or unknown."""
    found = {}
    for column in variant.timeline.columns:
        component, dot, quantity = str(column).rpartition(".")
        for busy, what in _PLACES:
            if dot and quantity == busy:
                places = _places(variant, component, what)
                if places is not None and bool((places > 0).any()):
                    found[component, what] = (variant.timeline[column] / places).where(places > 0).clip(upper=1.0)
    return found


def size_of(variant: VariantResult, component: str, what: str) -> str:
    """`4 × 32`: replicas and workers (or cores) of each, where the scenario says so; else how many there are in all."""
    station = variant.scenario.gateway if component == "gateway" else variant.scenario.services.get(component)
    each = getattr(station, what, None)
    if station is not None and each is not None and each > 0:
        return f"{station.replicas} × {each}"
    places = _places(variant, component, what)
    return f"{places.max():,.0f}" if places is not None and bool(places.notna().any()) else ""


def busiest(variant: VariantResult) -> str:
    """The station that was busiest on average after the warm-up, by name; by its cores where it has them. '' where nothing is known."""
    shares = busy_shares(variant)
    means = {}
    for (component, what), share in shares.items():
        if what == "cores" or (component, "cores") not in shares:
            means[component] = float(share[share.index >= variant.scenario.warmup].mean())
    known = {component: mean for component, mean in means.items() if mean > 0}
    return max(known, key=lambda component: known[component]) if known else ""


def _places(variant: VariantResult, component: str, what: str) -> pd.Series | None:
    """How many workers or cores there are over time: from the gauge, or from the scenario."""
    if f"{component}.{what}" in variant.timeline.columns:
        return variant.timeline[f"{component}.{what}"].astype(float)
    station = variant.scenario.gateway if component == "gateway" else variant.scenario.services.get(component)
    each = getattr(station, what, None)
    if station is None or each is None or each <= 0:
        return None
    return pd.Series(float(station.replicas * each), index=variant.timeline.index)
