"""Parts of a scenario in Python, as `sim/spec/contention.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.builder.saying import Part, part


def contention(
    *, serial: Mapping[str, Any] | float | str | None = None, crosstalk: Mapping[str, Any] | float | str | None = None
) -> Part:
    """The Universal Scalability Law (N. J. Gunther, "Guerrilla Capacity Planning", 2007, chapter 4): with n threads
    at work in a replica all of them together do n / (1 + serial (n - 1) + crosstalk n (n - 1)) times as much as
    one alone.

    serial: The share of the work that one thread at a time can do (sigma of the law): it bounds what all together
        do to 1 / serial of what one does.
    crosstalk: What keeping each pair of threads consistent costs, as a share of the work of one (kappa of the law):
        because of it throughput falls again.
    """
    return part(locals())
