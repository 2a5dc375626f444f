"""Parts of a scenario in Python, as `sim/spec/arrivals.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def diurnal(
    *,
    mean: Mapping[str, Any] | str,
    amplitude: Mapping[str, Any] | float | str,
    period: Literal[0] | Mapping[str, Any] | str | None = None,
    phase: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """rate(t) = mean * (1 + amplitude * sin(2 pi (t - phase) / period)), with t in seconds from the start of its
    segment.

    mean: The rate around which it swings.
    amplitude: How far it swings, as a share of the mean.
    period: How long one swing takes: a day.
    phase: When the rate first passes its mean on the way up.
    """
    return part(locals())


def flash_crowd(
    *,
    base: Mapping[str, Any] | str,
    peak: Mapping[str, Any] | str,
    rise: Literal[0] | Mapping[str, Any] | str | None = None,
    decay: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """A linear rise from `base` to `peak`, then an exponential decay back towards `base` with time constant `decay`.

    base: The rate before the crowd comes, and long after.
    peak: The highest rate.
    rise: How long the rate takes from base to peak.
    decay: Time constant of the fall: after it 37 % of the excess is left.
    """
    return part(locals())


def rows(
    *,
    values: Sequence[Mapping[str, Any] | float | str],
    lengths: Sequence[Mapping[str, Any] | float | str] | None = None,
    after: Mapping[str, Any] | float | str | None = None,
    began: Mapping[str, Any] | int | str | None = None,
    clock: Literal["start", "local", "utc"] | None = None,
    unit: str | None = None,
    routes: Sequence[str] | None = None,
    shares: Sequence[Mapping[str, Any] | float | str] | None = None,
    route: Sequence[Mapping[str, Any] | int | str] | None = None,
    user: Sequence[Mapping[str, Any] | int | str] | None = None,
    users: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """What the loader has read of a recorded file, embedded in the document; nobody writes it by hand.

    values: Seconds from the first row, sorted; or of a series its rates or counts.
    lengths: How long each value of a series holds, in seconds.
    after: Seconds from the zero that all recordings of the scenario share to the first row.
    began: When the file begins: ns since 1970, or since the start that it counts from.
    clock: What the times count from; `local` are dates without a zone.
    unit: The unit in which plain numbers were taken.
    routes: What the rows ask for.
    shares: How many of the rows ask for each.
    route: The place among `routes` of each row's.
    user: The number of each row's user.
    users: How many users the rows name.
    """
    return part(locals())


def segment(
    *,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    rate: Mapping[str, Any] | str | None = None,
    from_: Mapping[str, Any] | str | None = None,
    to: Mapping[str, Any] | str | None = None,
    diurnal: Mapping[str, Any] | str | None = None,
    flash_crowd: Mapping[str, Any] | str | None = None,
) -> Part:
    """A piece of a rate profile: constant `rate`, a ramp `from` .. `to`, a `diurnal` wave or a `flash_crowd`.

    for_: How long the piece takes; the last one may go on for ever.
    rate: Requests per second, the same throughout.
    from_: The rate at the beginning of a ramp.
    to: The rate at the end of a ramp.
    diurnal: The rate as a sine wave.
    flash_crowd: The rate of a sudden crowd.
    """
    return part(locals())
