"""Processes that become slower the longer they live, until they are restarted."""

from __future__ import annotations

from pydantic import Field

from sim.spec.base import Duration, Factor, Spec


class Ageing(Spec):
    """A leak: the longer a replica lives the slower it is, and a restart cures it (Huang et al., "Software
    Rejuvenation: Analysis, Module and Applications", FTCS 1995). Work takes 1 + (slow - 1) t / over times as long, t
    after it was ready, and `slow` times as long from `over` on.

    So a fault `{restart: NAME}`, a deployment, a crash or an autoscaler makes it young again; who is there when the run
    begins is young then. On paper every replica is young.

    Not modelled: that it ages by what it does rather than by time, and its death when memory is full (the fault
    `{random: ..., fault: {crash: NAME}}` says one by chance).
    """

    slow: Factor = Field(gt=1)
    """How many times as long work takes in the end."""
    over: Duration = Field(gt=0)
    """How long it takes until then."""
