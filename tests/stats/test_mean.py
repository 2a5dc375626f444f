"""The t interval over replications."""

import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sim.stats.mean import mean_interval
from sim.stats.student import t_quantile, two_sided_p


def test_a_worked_example():
    """Ten values of mean 5.5 and standard deviation 3.03: 5.5 +- 2.262 x 3.03 / sqrt(10)."""
    found = mean_interval(range(1, 11))
    assert found.value == 5.5
    assert found.half_width == pytest.approx(2.262157 * 3.027650 / math.sqrt(10), rel=1e-5)
    assert (found.n, found.censored) == (10, False)


def test_a_replication_without_a_value_is_left_out():
    found = mean_interval([1.0, math.nan, 3.0])
    assert (found.value, found.n) == (2.0, 2)


def test_no_value_at_all():
    found = mean_interval([math.nan, math.nan])
    assert math.isnan(found.value)
    assert found.n == 0


def test_one_replication_has_no_limits():
    found = mean_interval([3.0])
    assert (found.value, found.n) == (3.0, 1)
    assert math.isnan(found.low)
    assert math.isnan(found.half_width)


def test_equal_values_have_no_width():
    """0.1 three times is 0.1, to the last bit of its limits."""
    found = mean_interval([0.1] * 3)
    assert found.low == found.value == found.high


def test_never_once_is_never_on_average():
    found = mean_interval([1.0, math.inf, 3.0])
    assert (found.value, found.censored, found.n) == (math.inf, True, 3)
    assert math.isnan(found.low)


def test_a_lower_bound_stays_one():
    assert mean_interval([1.0, 2.0], censored=True).censored


def test_the_interval_covers_as_often_as_it_says():
    """Of 2,000 experiments of ten normal values, the 95 % interval holds the true mean in 93.5 to 96.5 %."""
    generator = np.random.default_rng(20261127)
    intervals = [mean_interval(values) for values in generator.normal(3.0, 2.0, (2000, 10))]
    assert 0.935 <= np.mean([interval.low <= 3.0 <= interval.high for interval in intervals]) <= 0.965


def test_more_confidence_is_a_wider_interval():
    widths = [mean_interval([1.0, 2.0, 4.0], confidence).half_width for confidence in (0.5, 0.9, 0.95, 0.99)]
    assert widths == sorted(widths)


@given(st.floats(0.5001, 1 - 1e-9), st.integers(1, 10_000) | st.floats(0.6, 300.0))
def test_student_agrees_with_scipy_stats(probability, degrees):
    t = t_quantile(probability, degrees)
    assert t == pytest.approx(scipy.special.stdtrit(degrees, probability), rel=1e-11)
    assert t == pytest.approx(scipy.stats.t.ppf(probability, degrees), rel=1e-9)
    assert t_quantile(1 - probability, degrees) == pytest.approx(-t, rel=1e-5)  # 1 - probability has lost digits
    assert two_sided_p(t, degrees) == pytest.approx(2 * (1 - probability), rel=1e-6)
    assert two_sided_p(-t, degrees) == two_sided_p(t, degrees)


# nearer to 0 scipy's rounds to a half
@given(st.floats(1e-4, 1e3), st.integers(1, 10_000) | st.floats(0.6, 300.0))
def test_the_tail_of_student_agrees_with_scipy_however_far_out(t, degrees):
    assert two_sided_p(t, degrees) == pytest.approx(2 * scipy.special.stdtr(degrees, -t), rel=1e-11, abs=1e-290)


@pytest.mark.parametrize("t", [1e-12, 1e-9, 1e-6, 0.5])
def test_the_tail_of_student_near_its_middle_is_that_of_cauchy_where_there_is_one_degree(t):
    assert two_sided_p(t, 1) == pytest.approx(1.0 - 2.0 / math.pi * math.atan(t), rel=1e-14)


def test_student_at_its_ends():
    """With endless degrees it is a normal variable; what is no probability has no quantile."""
    assert t_quantile(0.975, math.inf) == pytest.approx(1.959963984540054, rel=1e-14)
    assert two_sided_p(1.959963984540054, math.inf) == pytest.approx(0.05, rel=1e-14)
    assert (t_quantile(0.0, 3), t_quantile(0.5, 3), t_quantile(1.0, 3)) == (-math.inf, 0.0, math.inf)
    assert math.isnan(t_quantile(1.5, 3))
    assert (two_sided_p(0.0, 3), two_sided_p(math.inf, 3)) == (1.0, 0.0)
    assert math.isnan(two_sided_p(math.nan, 3))


def test_scipy_is_not_imported_before_it_is_needed():
    """The command line answers at once."""
    code = "import sys, sim.stats.mean, sim.stats.paired, sim.stats.stopping; sys.exit('scipy.special' in sys.modules or 'scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
