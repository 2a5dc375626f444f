"""Distributions that are made of what was measured, or of other distributions."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from sim.errors import did_you_mean
from sim.spec.base import Column, Number, Picked, register
from sim.spec.distribution import AnyDistribution, Distribution, scv_of
from sim.spec.document import Data
from sim.units import shown


class Recorded(Distribution):
    """Base of the distributions that are a column of a CSV file.

    The loader reads the file, relative to the scenario, into `data`.
    """

    positional = "file"
    file: str = ""
    """The CSV, relative to the scenario."""
    column: Column | None = None
    """The column of times; the first where none is named."""
    unit: Annotated[str, Field(json_schema_extra={"enum": ["ns", "us", "ms", "s", "m", "h"]})] = "s"
    """Of plain numbers in it."""
    where: Picked = Field(default_factory=dict)
    """Which rows: `{column: value}`, or a list of values."""
    data: tuple[Annotated[float, Field(ge=0)], ...] = ()
    """What the loader has read; nobody writes it by hand."""

    @model_validator(mode="after")
    def _has_values(self) -> Self:
        if not self.file and not self.data:
            raise ValueError("the field 'file' is missing")
        # the loader refuses a column without values, and so do we what it embeds
        if "data" in self.model_fields_set and not self.data:
            raise ValueError("data: found no value, expected at least one")
        if self.unit not in ("ns", "us", "ms", "s", "m", "h"):
            raise ValueError(
                f"unit: found {shown(self.unit)}, expected one of ns, us, ms, s, m, "
                f"h{did_you_mean(self.unit, ('ns', 'us', 'ms', 's', 'm', 'h'))}"
            )
        return self

    @property
    def mean(self) -> float:
        """Of the data."""
        return math.fsum(self.data) / len(self.data) if self.data else math.nan

    @property
    def scv(self) -> float:
        """Of the data, as a population."""
        mean = self.mean
        return (
            scv_of(math.fsum((value - mean) ** 2 for value in self.data) / len(self.data), mean)
            if self.data
            else math.nan
        )


@register("distribution", "empirical")
class Empirical(Recorded):
    """A value of the column at random, each as likely as the others: `{empirical: file.csv}`, `{empirical: {file,
    column, unit}}`.
    """


@register("distribution", "replay")
class Replayed(Recorded):
    """The column in its order: the k-th request takes the k-th row, beginning again after the last.

    Where arrivals replay the same file, its rows are those of these arrivals, in the order of their times: a row is a
    request.
    """


@register("distribution", "mixture")
class Mixture(Distribution):
    """One of several distributions by chance: `{mixture: [{weight: 90%, constant: 2ms}, {weight: 10%, exponential:
    80ms}]}`.

    Weights need not sum to 1; a part without a weight weighs 1.
    """

    shorthand: ClassVar[dict[str, Any]] = {
        "type": "array",
        "minItems": 1,
        "items": {"$choice": "distribution", "$beside": {"weight": {"type": ["number", "string"]}}},
    }
    shorthand_type: ClassVar[Any] = tuple[AnyDistribution, ...]
    weights: tuple[Annotated[Number, Field(ge=0, le=1e9)], ...]
    """How often each part is taken; they need not sum to 1."""
    parts: tuple[AnyDistribution, ...] = Field(min_length=1)
    """The distributions."""
    _percentages: float | None = PrivateAttr(default=None)

    @property
    def percentages(self) -> float | None:
        """What the weights sum to as they are written, where one of them is a percentage; None where they are plain
        weights.
        """
        return self._percentages

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, data: Data) -> Data:
        if not isinstance(data, list):
            return data
        weights = [part.get("weight", 1) if isinstance(part, dict) else 1 for part in data]
        parts = [_without_weight(part) for part in data]
        return {"weights": [_percent(weight) for weight in weights], "parts": parts}

    @model_validator(mode="after")
    def _normalised(self) -> Self:
        total = sum(self.weights)
        if len(self.weights) != len(self.parts):
            raise ValueError(f"found {len(self.weights)} weights for {len(self.parts)} parts")
        if not total > 0:
            raise ValueError("all weights are 0")
        object.__setattr__(self, "weights", tuple(weight / total for weight in self.weights))
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _remembers_percentages(cls, data: Data, validated: ModelWrapValidatorHandler[Self]) -> Self:
        mixture = validated(data)
        written = (
            [part.get("weight", 1) if isinstance(part, dict) else 1 for part in data] if isinstance(data, list) else []
        )
        if any(isinstance(weight, str) for weight in written):
            mixture._percentages = math.fsum(map(_percent, written))
        return mixture

    @property
    def mean(self) -> float:
        """Weighted mean of the parts."""
        return sum(weight * part.mean for weight, part in zip(self.weights, self.parts, strict=True) if weight)

    @property
    def scv(self) -> float:
        """From the weighted second moments of the parts."""
        if math.isinf(self.mean):
            return math.inf
        weighted = [
            (weight, part) for weight, part in zip(self.weights, self.parts, strict=True) if weight and part.mean
        ]
        second = sum(weight * part.mean**2 * (1 + part.scv) for weight, part in weighted)
        return scv_of(second - self.mean**2, self.mean)


def _without_weight(part: Data) -> Data:
    if not isinstance(part, dict) or "weight" not in part:
        return part
    return {key: value for key, value in part.items() if key != "weight"}


def _percent(weight: Data) -> Data:
    """`90%` -> 0.9; anything else as it is, for the field to judge."""
    try:
        return (
            float(weight.strip().removesuffix("%")) / 100
            if isinstance(weight, str) and weight.strip().endswith("%")
            else weight
        )
    except ValueError:
        return weight
