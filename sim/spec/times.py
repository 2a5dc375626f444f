"""A value of a document as the time that it says, outside of any scenario."""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter

from sim.spec import measured as _data  # noqa: F401 - registers the distributions that are made of data
from sim.spec import phases as _phases  # noqa: F401 - and those that are made of exponentials
from sim.spec.distribution import AnyDistribution, Distribution
from sim.spec.document import Data


def time_of(value: Data) -> Distribution | None:
    """The distribution that stands there, a constant among them.

    None where it is none, or one that is read from a file.
    """
    if not isinstance(value, (str, dict)) or (isinstance(value, dict) and (len(value) != 1 or "replay" in value)):
        return None
    try:
        return _adapter().validate_python(value)
    except ValueError:
        return None


@cache
def _adapter() -> TypeAdapter[Distribution]:
    return TypeAdapter(AnyDistribution)
