"""A stressor, the load it meets, and the staircase of loads: as settings on a scenario, so that each run can be
repeated with `sim run --set`.

`spike:3x:10s` multiplies the open arrivals, `outage:SERVICE:30s` (or `:refuse`, `:blackhole`) and `slow:SERVICE:5x:30s`
are faults; without a stressor of its own an experiment takes the faults of the scenario as they stand.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from sim import units
from sim.errors import UsageError, did_you_mean
from sim.experiments.on_paper.load_factor import load_settings
from sim.metrics.resilience import HOLD
from sim.spec.arrivals import Arrivals
from sim.spec.scenario import Scenario
from sim.units import show_duration

NAME = "stressor"
_EXPECTED = "expected spike:3x:10s, outage:SERVICE:30s (or :refuse, :blackhole behind it) or slow:SERVICE:5x:30s"
_PIECES = 240  # of a profile that a spike has made of another one


@dataclass(frozen=True)
class Stressor:
    """What disturbs the system for a while."""

    text: str
    kind: str  # "spike", "outage", "slow", or "faults": those of the scenario
    lasts: float  # s
    of: str = ""
    by: float = 1.0
    how: str = "hang"


@dataclass(frozen=True)
class Times:
    """When what happens, in seconds from the start."""

    warmup: float
    begin: float  # of the stressor
    end: float
    duration: float

    @property
    def before(self) -> tuple[float, float]:
        """In which the system is in its state."""
        return self.warmup, self.begin

    @property
    def after(self) -> tuple[float, float]:
        """Long after: the last quarter of what follows the stressor."""
        return self.end + 0.75 * (self.duration - self.end), self.duration


def stressor_of(text: str | None, scenario: Scenario) -> Stressor:
    """What the text says, or the faults of the scenario."""
    if text is None:
        return _of_faults(scenario)
    words = text.split(":")
    try:
        if words[0] == "spike" and len(words) == 3:
            return Stressor(text, "spike", _lasting(words[2]), by=units.factor(words[1]))
        if (
            words[0] == "outage"
            and len(words) in (3, 4)
            and (how := words[3] if len(words) == 4 else "hang") in ("hang", "refuse", "blackhole")
        ):
            return Stressor(text, "outage", _lasting(words[2]), of=_known(words[1], scenario), how=how)
        if words[0] == "slow" and len(words) == 4:
            return Stressor(text, "slow", _lasting(words[3]), of=_known(words[1], scenario), by=units.factor(words[2]))
    except ValueError as error:
        raise UsageError(f"stressor {text}: {error}") from None
    raise UsageError(f"stressor: found '{text}', {_EXPECTED}")


def times_of(stressor: Stressor, scenario: Scenario, before: float | None, watch: float | None) -> Times:
    """Faults stand where the scenario has them.

    Any other stressor begins after the warm-up and `before`; `watch` is how long one looks on after it.
    """
    if stressor.kind == "faults":
        begin = min(fault.at for fault in scenario.faults)
        return _checked(
            Times(
                scenario.warmup,
                begin,
                begin + stressor.lasts,
                begin + stressor.lasts + watch if watch else scenario.duration,
            )
        )
    begin = scenario.warmup + (before or max(60.0, 2.0 * stressor.lasts))
    end = begin + stressor.lasts
    return _checked(Times(scenario.warmup, begin, end, end + (watch or max(180.0, 24.0 * stressor.lasts))))


def stress_settings(
    scenario: Scenario, variant: str, factor: float, times: Times, stressor: Stressor | None
) -> tuple[str, ...]:
    """PATH=VALUE for this load, with the stressor or (None) without it; expectations are left out."""
    faults = (
        ()
        if stressor is not None and stressor.kind == "faults"
        else (f"variants.{variant}.faults={json.dumps(_faults(stressor, times))}",)
    )
    spike = (
        _spikes(scenario, variant, factor, times, stressor) if stressor is not None and stressor.kind == "spike" else ()
    )
    return (
        f"duration={times.duration!r}s",
        f"warmup={times.warmup!r}s",
        "expect=[]",
        *faults,
        *(spike or load_settings(scenario, factor, variant)),
    )


def staircase_settings(
    scenario: Scenario, variant: str, factors: Sequence[float], dwell: float, warmup: float
) -> tuple[str, ...]:
    """PATH=VALUE for one run through these loads, `dwell` seconds each, as Poisson arrivals at the mean rate of each
    traffic.
    """
    from sim.chance.rates import mean_rate

    arrivals = []
    for name, its in _open(scenario).items():
        rate = mean_rate(its, 0.0, scenario.duration)
        steps = [
            {"for": f"{dwell + (warmup if not place else 0.0)!r}s", "rate": f"{rate * factor!r}/s"}
            for place, factor in enumerate(factors)
        ]
        arrivals.append(_profile(variant, name, steps))
    duration = warmup + dwell * len(factors)
    return (f"duration={duration!r}s", f"warmup={warmup!r}s", "expect=[]", f"variants.{variant}.faults=[]", *arrivals)


def _of_faults(scenario: Scenario) -> Stressor:
    if not scenario.faults:
        raise UsageError(f"stressor: the scenario has no faults; {_EXPECTED}")
    ends = [
        fault.at + _length(0.0 if fault.momentary else fault.lasts, getattr(fault, "restart_after", None), fault.name)
        for fault in scenario.faults
    ]
    words = ", ".join(fault.name or fault.described for fault in scenario.faults)
    return Stressor(words, "faults", max(ends) - min(fault.at for fault in scenario.faults))


def _length(lasts: float | None, restart_after: float | None, name: str | None) -> float:
    length = lasts if lasts is not None else restart_after
    if length is None:
        raise UsageError(
            f"stressor: the fault '{name}' never ends, so that nothing can be said about what comes after it"
        )
    return float(length)


def _known(service: str, scenario: Scenario) -> str:
    names = [*scenario.services, *(["gateway"] if scenario.gateway is not None else [])]
    if service not in names:
        raise ValueError(f"unknown service '{service}'{did_you_mean(service, names)}")
    return service


def _lasting(text: str) -> float:
    seconds = units.duration(text)
    if seconds <= 0:
        raise ValueError(f"found {text}, expected a duration above 0")
    return seconds


def _checked(times: Times) -> Times:
    if not times.warmup < times.begin < times.end < times.duration:
        raise UsageError(
            f"stressor: from {show_duration(times.begin)} to {show_duration(times.end)} in a run of "
            f"{show_duration(times.duration)} with a warm-up of "
            f"{show_duration(times.warmup)}; expected time before it, after the warm-up, and time after it"
        )
    if times.duration - times.end <= HOLD:
        raise UsageError(
            f"watch: found {show_duration(times.duration - times.end)} after the stressor, expected more: recovered "
            "is what is well for a minute"
        )
    return times


def _faults(stressor: Stressor | None, times: Times) -> list[dict[str, object]]:
    if stressor is None or stressor.kind == "spike":
        return []
    when: dict[str, object] = {"name": NAME, "at": f"{times.begin!r}s", "for": f"{stressor.lasts!r}s"}
    if stressor.kind == "outage":
        return [{**when, "outage": stressor.of, "how": stressor.how}]
    return [{**when, "slow": None, "of": stressor.of, "by": f"{stressor.by!r}x"}]


def _spikes(scenario: Scenario, variant: str, factor: float, times: Times, stressor: Stressor) -> tuple[str, ...]:
    return tuple(
        _profile(variant, name, _spiked(name, its, factor, times, stressor.by)) for name, its in _open(scenario).items()
    )


def _spiked(name: str, arrivals: Arrivals, factor: float, times: Times, by: float) -> list[dict[str, str]]:
    """Segments with the spike in their middle. Equal gaps become a Poisson process, a profile becomes short ramps."""
    from sim.chance.rates import RateCurve

    lasts = times.end - times.begin
    if arrivals.level is not None:
        usual = f"{arrivals.level * factor!r}/s"
        return [
            {"for": f"{times.begin!r}s", "rate": usual},
            {"for": f"{lasts!r}s", "rate": f"{arrivals.level * factor * by!r}/s"},
            {"rate": usual},
        ]
    if not arrivals.said_rate:
        raise UsageError(
            f"stressor: the arrivals of {name} are neither steady nor a profile, and cannot be multiplied for a "
            "while; take an outage"
        )
    curve, pieces = RateCurve(arrivals), []
    for start, end, times_by in (
        (0.0, times.begin, 1.0),
        (times.begin, times.end, by),
        (times.end, times.duration, 1.0),
    ):
        count = max(1, math.ceil(_PIECES * (end - start) / times.duration))
        step = (end - start) / count
        for place in range(count):
            rates = [curve.rate(start + (place + part) * step) * factor * times_by for part in (1e-9, 1 - 1e-9)]
            pieces.append({"for": f"{step!r}s", "from": f"{rates[0]!r}/s", "to": f"{rates[1]!r}/s"})
    return pieces


def _open(scenario: Scenario) -> dict[str, Arrivals]:
    found = {name: traffic.arrivals for name, traffic in scenario.traffic.items() if not traffic.arrivals.population}
    if not found:
        raise UsageError(
            "load: all traffic is of closed users, who send as they are answered: there is no load to vary"
        )
    return found


def _profile(variant: str, name: str, segments: Sequence[dict[str, str]]) -> str:
    return f"variants.{variant}.traffic.{name}.arrivals={json.dumps({'profile': list(segments)})}"
