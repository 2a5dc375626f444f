"""Distributions in Python: a function for each word, which gives what a file would hold.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, named


def constant(value: Literal[0] | Mapping[str, Any] | str) -> Part:
    """Always the same: `5ms`, or `{constant: 5ms}`.

    value: The time.
    """
    return named("constant", locals())


def empirical(
    file: str | None = None,
    *,
    column: str | None = None,
    unit: Literal["ns", "us", "ms", "s", "m", "h"] | None = None,
    where: Mapping[str, Any | Sequence[Any]] | None = None,
    data: Sequence[Mapping[str, Any] | float | str] | None = None,
) -> Part:
    """A value of the column at random, each as likely as the others: `{empirical: file.csv}`, `{empirical: {file,
    column, unit}}`.

    file: The CSV, relative to the scenario.
    column: The column of times; the first where none is named.
    unit: Of plain numbers in it.
    where: Which rows: `{column: value}`, or a list of values.
    data: What the loader has read; nobody writes it by hand.
    """
    return named("empirical", locals())


def erlang(*, phases: Mapping[str, Any] | int | str, mean: Literal[0] | Mapping[str, Any] | str) -> Part:
    """The sum of `phases` equal exponentials; `mean` is that of the whole: `{erlang: {phases: 4, mean: 20ms}}`.

    phases: How many exponentials are added up.
    mean: The mean of the whole.
    """
    return named("erlang", locals())


def exponential(mean: Literal[0] | Mapping[str, Any] | str) -> Part:
    """Memoryless, with the given mean: `{exponential: 10ms}`.

    mean: Its mean.
    """
    return named("exponential", locals())


def gamma(
    *,
    shape: Mapping[str, Any] | float | str | None = None,
    scale: Literal[0] | Mapping[str, Any] | str | None = None,
    mean: Literal[0] | Mapping[str, Any] | str | None = None,
    cv: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """`shape` and `scale`, or `mean` with `cv` or `shape`. Mean is shape x scale, scv is 1 / shape.

    shape: The shape: 1 is an exponential, more is more even.
    scale: The scale, a time.
    mean: The mean.
    cv: Standard deviation over mean.
    """
    return named("gamma", locals())


def hyperexponential(
    branches: Sequence[Mapping[str, Any] | Sequence[Any] | str] | None = None,
    *,
    mean: Literal[0] | Mapping[str, Any] | str | None = None,
    cv: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """One of several exponentials by chance: a list of `{probability, mean}`, or `mean` and `cv` above 1 (two
    branches, balanced means).

    branches: The exponentials, and how often each is taken.
    mean: The mean of two balanced branches.
    cv: Standard deviation over mean, above 1.
    """
    return named("hyperexponential", locals())


def lognormal(
    *,
    mean: Literal[0] | Mapping[str, Any] | str | None = None,
    cv: Mapping[str, Any] | float | str | None = None,
    median: Literal[0] | Mapping[str, Any] | str | None = None,
    p95: Literal[0] | Mapping[str, Any] | str | None = None,
    p99: Literal[0] | Mapping[str, Any] | str | None = None,
    sigma: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """exp of a normal; any two of mean, cv, median, p95, p99, sigma: `{lognormal: {mean: 40ms, p99: 300ms}}`.

    mean: The mean.
    cv: Standard deviation over mean.
    median: Half of all are shorter.
    p95: 95 % are shorter.
    p99: 99 % are shorter.
    sigma: Standard deviation of the logarithm.
    """
    return named("lognormal", locals())


def mixture(*, weights: Sequence[Mapping[str, Any] | float | str], parts: Sequence[Mapping[str, Any] | str]) -> Part:
    """One of several distributions by chance: `{mixture: [{weight: 90%, constant: 2ms}, {weight: 10%, exponential:
    80ms}]}`.

    weights: How often each part is taken; they need not sum to 1.
    parts: The distributions.
    """
    return named("mixture", locals())


def pareto(
    *,
    alpha: Mapping[str, Any] | float | str,
    minimum: Literal[0] | Mapping[str, Any] | str | None = None,
    mean: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """A power law above `minimum`: P(X > x) = (minimum / x)^alpha. Give `alpha` with `minimum` or with `mean`.

    alpha: How fast the tail falls: with 2 or less there is no variance, with 1 or less no mean.
    minimum: The shortest.
    mean: The mean.
    """
    return named("pareto", locals())


def replay(
    file: str | None = None,
    *,
    column: str | None = None,
    unit: Literal["ns", "us", "ms", "s", "m", "h"] | None = None,
    where: Mapping[str, Any | Sequence[Any]] | None = None,
    data: Sequence[Mapping[str, Any] | float | str] | None = None,
) -> Part:
    """The column in its order: the k-th request takes the k-th row, beginning again after the last.

    file: The CSV, relative to the scenario.
    column: The column of times; the first where none is named.
    unit: Of plain numbers in it.
    where: Which rows: `{column: value}`, or a list of values.
    data: What the loader has read; nobody writes it by hand.
    """
    return named("replay", locals())


def uniform(*, low: Literal[0] | Mapping[str, Any] | str, high: Literal[0] | Mapping[str, Any] | str) -> Part:
    """Anything from `low` to `high` alike: `{uniform: [5ms, 15ms]}`.

    low: The shortest.
    high: The longest.
    """
    return named("uniform", locals())


def weibull(
    *,
    shape: Mapping[str, Any] | float | str,
    scale: Literal[0] | Mapping[str, Any] | str | None = None,
    mean: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """P(X > x) = exp(-(x / scale)^shape). Give `shape` with `scale` or with `mean`.

    shape: Below 1 the tail is heavier than that of an exponential, above 1 lighter.
    scale: 63 % are shorter.
    mean: The mean.
    """
    return named("weibull", locals())
