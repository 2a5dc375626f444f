"""What difference a paired comparison could have seen: the power of the t test, turned round."""

from __future__ import annotations

import math

from sim.stats.student import shift_of_t, t_quantile

POWER = 0.8
FEWEST = 3  # replications: of two the spread is known so badly that nothing is called equal, whatever they say


def detectable_difference(deviation: float, n: int, alpha: float, power: float = POWER) -> float:
    """The smallest true difference that n pairs would call significant at `alpha`, two-sided, with this probability.

    `deviation` is the standard deviation of the single differences. The t of a true difference d is non-central with
    shift d sqrt(n) / deviation; d is such that it passes the critical value with `power` (Johnson and Welch 1940). That
    it may pass on the wrong side is left out: it is next to impossible where it passes on the right one so often. nan
    where nothing is known of the spread.
    """
    if n < 2 or not deviation >= 0.0:
        return math.nan
    return detectable_by(deviation / math.sqrt(n), n - 1, alpha, power)


def detectable_by(error: float, degrees: float, alpha: float, power: float = POWER) -> float:
    """The same of any t test, by the standard error of its difference and the degrees of freedom."""
    return shift_of_t(t_quantile(1.0 - alpha / 2, degrees), degrees, power) * error
