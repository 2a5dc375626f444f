"""The one door that a plug-in imports from: to say what may be written, what it asks of the system, and how it behaves.

`scenarios/cache.py` is a whole plug-in. What may be said is a frozen class with `@register(kind, word)`; what a run of
it asks of the system are its `actions`, from which its load on paper, its arrows in the drawing and the names that it
refers to follow; how it behaves is a class with `@behaviour`. A plug-in runs on the SimPy engine.
"""

from __future__ import annotations

from sim.models.behaviours import behaviour
from sim.models.site import Site
from sim.models.steps import CallStep
from sim.models.task import Activity, Replica, Task
from sim.spec.actions import Action, Answers, Branches, Calls, Ends, Performs, Publishes, Runs, TakesStock, TakesTime
from sim.spec.base import (
    Between,
    Count,
    Duration,
    Factor,
    Few,
    Field,
    Flag,
    Leaves,
    Many,
    Number,
    Price,
    Rate,
    Ratio,
    Share,
    Spec,
    Whole,
    register,
)
from sim.spec.broker import Broker, Topic
from sim.spec.distribution import AnyDistribution, Constant, Distribution
from sim.spec.fault import Fault
from sim.spec.gateway import Authentication
from sim.spec.policy import Backoff, CallPolicy
from sim.spec.step import AnyStep, Call, Step, Wait, Work
from sim.spec.traffic import Arrivals
from sim.vocabulary import EventKind, Outcome, Stage

__all__ = [
    "Action",
    "Activity",
    "Answers",
    "AnyDistribution",
    "AnyStep",
    "Arrivals",
    "Authentication",
    "Backoff",
    "Between",
    "Branches",
    "Broker",
    "Call",
    "CallPolicy",
    "CallStep",
    "Calls",
    "Constant",
    "Count",
    "Distribution",
    "Duration",
    "Ends",
    "EventKind",
    "Factor",
    "Fault",
    "Few",
    "Field",
    "Flag",
    "Leaves",
    "Many",
    "Number",
    "Outcome",
    "Performs",
    "Price",
    "Publishes",
    "Rate",
    "Ratio",
    "Replica",
    "Runs",
    "Share",
    "Site",
    "Spec",
    "Stage",
    "Step",
    "TakesStock",
    "TakesTime",
    "Task",
    "Topic",
    "Wait",
    "Whole",
    "Work",
    "behaviour",
    "register",
]
