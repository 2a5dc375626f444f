"""Rows of time series."""

from __future__ import annotations

from sim.compiled.rows.declaring import Row
from sim.compiled.rows.tables import Table


class Series(Row):
    """What one time series reads."""

    what: int  # BUSY ... in sampling.py
    # of what it reads: a host, group, member, limit or outbox, the first guard in `guard_of`, a word of `plugin_words`
    index: int
    count: int  # of the guards, or replicas; of a queue by classes: which class
    mean: bool  # over the interval


series = Table("series", Series, counted="series_count")
moments = Table("moments", float)
samples = Table("samples", float)
"""A line of series for each moment."""
areas = Table("areas", float)
"""What each series read at the moment before."""
