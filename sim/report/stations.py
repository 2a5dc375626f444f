"""How busy each station was, from the timeline: services, the gateway, and the consumers of a group."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.experiments.replicating.results import VariantResult

Shares = NDArray[np.float64]

_PLACES = (("busy", "workers"), ("cores_busy", "cores"))  # the gauge, and the gauge of how many there are


def busy_shares(variant: VariantResult) -> dict[tuple[str, str], Shares]:
    """(component, `workers` or `cores`) -> share that is busy over time (nan: none there); without those whose number
    is unlimited or unknown.
    """
    found = {}
    for column, values in variant.over_time.columns.items():
        component, dot, quantity = column.rpartition(".")
        for busy, what in _PLACES:
            if dot and quantity == busy:
                places = _places(variant, component, what)
                if places is not None and bool((places > 0).any()):
                    shares = np.full(values.shape, math.nan)
                    np.divide(values, places, out=shares, where=places > 0)
                    found[component, what] = np.minimum(shares, 1.0)
    return found


def size_of(variant: VariantResult, component: str, what: str) -> str:
    """`4 × 32`: replicas and workers (or cores) of each, where the scenario says so; else how many there are in all."""
    station = variant.scenario.gateway if component == "gateway" else variant.scenario.services.get(component)
    each = getattr(station, what, None)
    if station is not None and each is not None and each > 0:
        return f"{station.replicas} × {each}"
    places = _places(variant, component, what)
    known = places[~np.isnan(places)] if places is not None else np.empty(0)
    return f"{known.max():,.0f}" if known.size else ""


def busiest(variant: VariantResult) -> str:
    """The station that was busiest on average after the warm-up, by name; by its cores where it has them. '' where
    nothing is known.
    """
    shares = busy_shares(variant)
    counted = variant.over_time.index >= variant.scenario.warmup
    means = {}
    for (component, what), share in shares.items():
        if what == "cores" or (component, "cores") not in shares:
            known = share[counted & ~np.isnan(share)]
            means[component] = float(known.mean()) if known.size else 0.0
    known_means = {component: mean for component, mean in means.items() if mean > 0}
    return max(known_means, key=lambda component: known_means[component]) if known_means else ""


def _places(variant: VariantResult, component: str, what: str) -> Shares | None:
    """How many workers or cores there are over time: from the gauge, or from the scenario."""
    if f"{component}.{what}" in variant.over_time.columns:
        return variant.over_time[f"{component}.{what}"]
    station = variant.scenario.gateway if component == "gateway" else variant.scenario.services.get(component)
    each = getattr(station, what, None)
    if station is None or each is None or each <= 0:
        return None
    return np.full(len(variant.over_time), float(station.replicas * each))
