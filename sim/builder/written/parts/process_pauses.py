"""Parts of a scenario in Python, as `sim/spec/process_pauses.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.builder.saying import Part, part


def process_pauses(*, every: Mapping[str, Any] | str, for_: Mapping[str, Any] | str) -> Part:
    """Each replica stands still now and then with all that goes on in it, by luck of its own, and goes on where it
    was: a garbage collection that stops the world (`-Xlog:safepoint` and `gc.log` of a JVM say how often and how
    long), a snapshot that forks, a virtual machine that is moved. It is what the fault `{outage: NAME, how:
    hang}` does to all replicas at once: who comes meanwhile and finds no idle worker waits outside.

    every: From the end of a pause, or the start of the replica, until the next begins: `{exponential: 10s}`; a bare
        time is constant, and then all replicas that start together pause together.
    for_: How long each lasts: `{lognormal: {median: 50ms, p99: 400ms}}`.
    """
    return part(locals())
