"""Student's t: the quantile, the tail and the shift. scipy is imported on first use, because the command line must answer at once."""

from __future__ import annotations

from functools import cache


@cache
def t_quantile(probability: float, degrees: float) -> float:
    """The value that a t variable with these degrees of freedom stays below with this probability."""
    from scipy.special import stdtrit  # scipy.stats.t.ppf gives the same and takes four times as long to import

    return float(stdtrit(degrees, probability))


def two_sided_p(t: float, degrees: float) -> float:
    """The chance of a t variable further from zero than `t`."""
    from scipy.special import stdtr

    return min(1.0, 2.0 * float(stdtr(degrees, -abs(t))))


def shift_of_t(value: float, degrees: float, probability: float) -> float:
    """The shift (non-centrality) with which a t variable exceeds `value` with this probability."""
    from scipy.special import nctdtrinc

    return float(nctdtrinc(degrees, 1.0 - probability, value))
