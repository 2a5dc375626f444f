"""The one door that a plug-in imports from: to say what may be written, what it asks of the system, and how it behaves.

`scenarios/cache.py` is a whole plug-in. What may be said is a frozen class with `@register(kind, word)`; what a run of
it asks of the system are its `actions`, from which its load on paper, its arrows in the drawing and the names that it
refers to follow; how it behaves is a class with `@behaviour`. That is enough for SimPy; a step that has a flow as well,
by `@compiled_as`, runs on either engine, and `sim.testing.play_on_both` compares them.
"""

from __future__ import annotations

from sim.models.behaviours import behaviour
from sim.models.flows import (
    Chance,
    Frame,
    Memory,
    Part,
    Shared,
    State,
    StepRow,
    Total,
    Waits,
    compiled_as,
    flow,
    run,
    uniform,
)
from sim.models.site import Site
from sim.models.steps import CallStep
from sim.models.task import Activity, Replica, Task
from sim.policies.base import passed, policy, reached
from sim.spec.actions import Action, Answers, Branches, Calls, Ends, Performs, Publishes, Runs, TakesStock, TakesTime
from sim.spec.arrivals import Arrivals
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
    "Chance",
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
    "Frame",
    "Leaves",
    "Many",
    "Memory",
    "Number",
    "Outcome",
    "Part",
    "Performs",
    "Price",
    "Publishes",
    "Rate",
    "Ratio",
    "Replica",
    "Runs",
    "Share",
    "Shared",
    "Site",
    "Spec",
    "Stage",
    "State",
    "Step",
    "StepRow",
    "TakesStock",
    "TakesTime",
    "Task",
    "Topic",
    "Total",
    "Wait",
    "Waits",
    "Whole",
    "Work",
    "behaviour",
    "compiled_as",
    "flow",
    "passed",
    "policy",
    "reached",
    "register",
    "run",
    "uniform",
]
