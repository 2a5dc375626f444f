"""Rows of steps that are made of other steps."""

from __future__ import annotations

from sim.compiled.rows.declaring import Row
from sim.compiled.rows.tables import Table


class Repetition(Row, fixed=True):
    """How many times something is done."""

    draw: int
    kept: bool  # drawn for the request and not for the attempt
    salt: int  # of the second time and all others
    first: int  # of its chances to be done once, twice ... at least, in `tails`
    count: int


repetitions = Table("repetitions", Repetition)
tails = Table("tails", float)
