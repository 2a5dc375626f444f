"""Durations: every distribution of the language, in each of its forms."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

KINDS = {
    "constant": 3, "exponential": 3, "uniform": 2, "zero": 1, "lognormal": 1, "gamma": 1, "erlang": 1, "pareto": 1,
    "weibull": 1, "hyperexponential": 1, "empirical": 1, "replay": 1, "mixture": 1,
}  # fmt: skip

EXACT = ("constant", "uniform", "zero", "empirical", "replay", "mixture")  # they need no logarithm


def seconds(value: float) -> str:
    """As a scenario writes it."""
    return f"{value:.6g}s"


def time(luck: Luck, mean: float = 0.02, kinds: dict[str, int] = KINDS) -> Any:
    """A distribution of about this mean, in seconds."""
    able = {kind: weight for kind, weight in kinds.items() if kind in EXACT} if luck.exact else kinds
    return _of(luck.word("kind", able), luck, mean * luck.pick("scale", (0.2, 1.0, 1.0, 3.0)))


def is_replayed(distribution: Any) -> bool:
    """Whether its k-th value is that of the k-th request, whatever the attempt."""
    return isinstance(distribution, dict) and "replay" in distribution


def _of(kind: str, luck: Luck, mean: float) -> Any:
    simple = {
        "constant": seconds(mean),
        "zero": "0s",
        "exponential": {"exponential": seconds(mean)},
        "uniform": {"uniform": ["0s", seconds(2 * mean)]},
        "erlang": {"erlang": {"phases": luck.number("phases", 1, 5), "mean": seconds(mean)}},
    }
    made = {
        "lognormal": _lognormal, "gamma": _gamma, "pareto": _pareto, "weibull": _weibull, "mixture": _mixture,
        "hyperexponential": _hyperexponential, "empirical": _empirical, "replay": _replayed,
    }  # fmt: skip
    return simple[kind] if kind in simple else {kind: made[kind](luck, mean)}


def _lognormal(luck: Luck, mean: float) -> Any:
    told = {"mean": mean, "median": 0.8 * mean, "p95": 2.0 * mean, "p99": 4.0 * mean}
    pairs = [("mean", "p99"), ("mean", "p95"), ("mean", "median"), ("median", "p95"), ("median", "p99"), ("p95", "p99")]
    if luck.maybe("by percentiles"):
        return {name: seconds(told[name]) for name in luck.pick("pair", pairs)}
    place, spread = luck.pick("place", tuple(told)), luck.pick("spread", ("cv", "sigma"))
    return {place: seconds(told[place]), spread: luck.pick("by", (0.0, 0.5, 1.5))}


def _gamma(luck: Luck, mean: float) -> Any:
    shape = luck.pick("shape", (0.5, 2.5))
    forms = [
        {"shape": shape, "scale": seconds(mean / shape)},
        {"mean": seconds(mean), "cv": 0.7},
        {"mean": seconds(mean), "shape": shape},
    ]
    return luck.pick("form", forms)


def _pareto(luck: Luck, mean: float) -> Any:
    return luck.pick("form", [{"alpha": 2.5, "minimum": seconds(0.6 * mean)}, {"alpha": 1.8, "mean": seconds(mean)}])


def _weibull(luck: Luck, mean: float) -> Any:
    return luck.pick("form", [{"shape": 0.7, "scale": seconds(mean)}, {"shape": 2.0, "mean": seconds(mean)}])


def _hyperexponential(luck: Luck, mean: float) -> Any:
    rare = [{"probability": 0.9, "mean": seconds(0.5 * mean)}, {"probability": 0.1, "mean": seconds(5.5 * mean)}]
    return luck.pick("form", [rare, {"mean": seconds(mean), "cv": 2.0}])


def _values(luck: Luck, mean: float) -> list[float]:
    return [round(mean * (0.2 + 1.6 * luck.share(f"value {index}")), 6) for index in range(luck.number("values", 1, 7))]


def _empirical(luck: Luck, mean: float) -> Any:
    return {"file": "f", "data": _values(luck, mean)}


def _replayed(luck: Luck, mean: float) -> Any:
    return {"file": "f", "column": "c", "data": _values(luck, mean)}


def _mixture(luck: Luck, mean: float) -> Any:
    usual = {"weight": "90%", "constant": seconds(0.5 * mean)}
    rare = luck.word("rare", {"uniform": 1} if luck.exact else {"exponential": 2, "gamma": 1, "lognormal": 1})
    return [usual, {"weight": "10%", **_of(rare, luck.at("rare"), 5.5 * mean)}]
