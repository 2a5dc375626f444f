"""The shipped year of failures and repairs against the arithmetic of machines that fail and are mended."""

from functools import cache

import numpy as np
import pytest

import sim
from sim import compiled
from sim.vocabulary import Outcome

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

HOUR = 3600.0
MTBF, MTTR = 240.0, 2.0  # hours
YEARS = 10


@cache
def requests(variant: str) -> np.ndarray:
    """All requests of ten years in one run, on the compiled engine: ten replications would begin ten times with all parts up."""
    scenario = sim.load("a-year", sets=[f"duration={YEARS * 365}d"]).variants[variant]
    return compiled.simulate(scenario).requests


def share_up(variant: str) -> float:
    return float((requests(variant)["outcome"] == Outcome.OK).mean())


def four_deviations(parts: int, mtbf: float = MTBF, mttr: float = MTTR) -> float:
    """Of the share of time that a part is down: the variance of the downtime of an alternating renewal process with
    exponential times grows by 2 a^2 b^2 / (a + b)^3 (Takács 1957; Cox, Renewal Theory, 1962, ch. 7).
    """
    each = 2.0 * mtbf**2 * mttr**2 / (mtbf + mttr) ** 3 / (YEARS * 365 * 24)
    return 4.0 * (parts * each) ** 0.5


@pytest.mark.long
@pytest.mark.parametrize(
    ("variant", "expected", "within"),
    [
        ("one", MTBF / (MTBF + MTTR), four_deviations(1)),
        ("mended-sooner", MTBF / (MTBF + 0.5), four_deviations(1, mttr=0.5)),
        ("three-parts", (MTBF / (MTBF + MTTR)) ** 3, four_deviations(3)),
    ],
)
def test_what_is_needed_together_multiplies(variant, expected, within):
    assert share_up(variant) == pytest.approx(expected, abs=within)


@pytest.mark.long
def test_a_second_part_helps_against_what_fails_alone_and_not_against_what_takes_both():
    both_by_chance = (MTTR / (MTBF + MTTR)) ** 2  # 36 minutes of a year
    assert 1.0 - share_up("two") < 4.0 * both_by_chance
    common = 2.0 / (60 * 24 + 2.0)
    assert 1.0 - share_up("two-and-one-cause") == pytest.approx(common, abs=four_deviations(1, 60 * 24.0))


@pytest.mark.long
def test_events_wait_for_what_is_left_of_an_outage():
    """Who comes into an outage, 2 / 242 of all, waits for two hours more on average: the exponential has no memory."""
    rows = requests("events")
    assert (rows["outcome"] == Outcome.OK).all()
    waits = rows["completion"] - rows["arrival"]
    waits = waits[np.isfinite(waits)]
    # The sum of L^2 / 2 over some 360 outages: E[L^4] = 24 m^4 and E[L^2] = 2 m^2 make a deviation of sqrt(6 / 360), 13 %.
    assert waits.mean() == pytest.approx(0.2 + MTTR / (MTBF + MTTR) * MTTR * HOUR, rel=4.0 * 0.13)
    assert (waits > 60.0).mean() == pytest.approx(MTTR / (MTBF + MTTR), abs=four_deviations(1) + 0.001)
