"""sim: a discrete-event simulator of microservices under load and harm.

    import sim

    print(sim.check("payment-outage"))            # the load on every station, on paper
    comparison = sim.compare("payment-outage")    # same shoppers, same luck, same outage
    sim.write_report(comparison, "reports/payment-outage")

The front door. A scenario may be given as a path, as the name of a shipped one (`sim list`), or as a Study.

    load, load_text         a scenario file, or its text, to a Study
    check                   errors, offered load and warnings, without simulating
    run, compare            one variant; all of them on common random numbers; a measurement beside a model
    sweep                   settings varied: scaling curves, laws, what matters
    find_capacity           the highest load at which all expectations hold
    find_cheapest           the cheapest settings that hold at a load
    explain                 where the time of slow requests went, and which station fills first
    find_stability          whether the system comes back after a disturbance, and up to which load
    simulate, measure       Scenario -> Records -> numbers: one run, by hand
    read_measured           what a load test or a log says
    validate, fit           a model held against it; its times set by it
    what_if                 sliders over settings, in a notebook
    write_report            charts, tables and the story of a comparison
    Study, Scenario         what is said
    Records, Outcome        what happened, and how requests end
    Comparison, Interval    what an experiment answers, and how sure it is
    SimError                the root of all errors raised on purpose

The house, floor by floor; imports only ever point downwards:

    cli                     one thin command per verb
    plugin | builder/       the one door that a plug-in imports from | scenarios in Python, with completion
    docs/                   THE SITE           README, reference, scenarios, notebooks, recipes as pages
    assisting/              FOR ASSISTANTS     the verbs as tools, each call a process with bounds
    importing/              WHAT OTHERS SAY    files of other tools -> a scenario as text
    exporting/              WHAT OTHERS READ   a run or a scenario -> traces, time series, settings
    report/                 WHAT WE SHOW       charts, tables, the report
    fitting/                HOW NEAR IT COMES  a model against a measurement: validate, fit
    experiments/            WHAT WE ASK        rooms: on paper, running, replicating, searching, stability
    compiled/               HOW IT IS FAST     the same behaviour as machine code, over tables
    models/ | metrics/      HOW IT BEHAVES     the SimPy models | WHAT IT AMOUNTS TO  records -> numbers
    policies/               HOW IT DECIDES     breaker, retry, limiter ...: pure, handed `now`
    chance/ | measured/     WHAT IS DRAWN      keyed luck | WHAT WAS MEASURED  load tests and logs as columns
    stats/                  HOW SURE WE ARE    intervals, paired differences
    records/                WHAT HAPPENED      columns of requests, messages, spans, events, gauges
    spec/                   WHAT IS SAID       YAML in, frozen data out, errors with file and line
    vocabulary, units, files, errors
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.errors import SimError
    from sim.experiments.on_paper.offered_load import check
    from sim.experiments.replicating.comparison import run
    from sim.experiments.replicating.explaining import explain
    from sim.experiments.replicating.results import Comparison
    from sim.experiments.searching.capacity import find_capacity
    from sim.experiments.searching.cheapest import find_cheapest
    from sim.experiments.searching.sweep import sweep
    from sim.experiments.shipped import load
    from sim.experiments.stability.recovery import find_stability
    from sim.fitting import compare, fit, validate
    from sim.measured import read_measured
    from sim.metrics import measure
    from sim.models import simulate
    from sim.records.tables import Records
    from sim.report import write_report
    from sim.report.what_if import what_if
    from sim.spec import load_text
    from sim.spec.scenario import Scenario
    from sim.spec.study import Study
    from sim.stats.interval import Interval
    from sim.vocabulary import Outcome

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "Interval",
    "Outcome",
    "Records",
    "Scenario",
    "SimError",
    "Study",
    "check",
    "compare",
    "explain",
    "find_capacity",
    "find_cheapest",
    "find_stability",
    "fit",
    "load",
    "load_text",
    "measure",
    "read_measured",
    "run",
    "simulate",
    "sweep",
    "validate",
    "what_if",
    "write_report",
]

_ROOMS = {
    "Comparison": "sim.experiments.replicating.results",
    "Interval": "sim.stats.interval",
    "Outcome": "sim.vocabulary",
    "Records": "sim.records.tables",
    "Scenario": "sim.spec.scenario",
    "SimError": "sim.errors",
    "Study": "sim.spec.study",
    "check": "sim.experiments.on_paper.offered_load",
    "compare": "sim.fitting",
    "explain": "sim.experiments.replicating.explaining",
    "find_capacity": "sim.experiments.searching.capacity",
    "find_cheapest": "sim.experiments.searching.cheapest",
    "find_stability": "sim.experiments.stability.recovery",
    "fit": "sim.fitting",
    "load": "sim.experiments.shipped",
    "load_text": "sim.spec",
    "measure": "sim.metrics",
    "read_measured": "sim.measured",
    "run": "sim.experiments.replicating.comparison",
    "simulate": "sim.models",
    "sweep": "sim.experiments.searching.sweep",
    "validate": "sim.fitting",
    "what_if": "sim.report.what_if",
    "write_report": "sim.report",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever stands behind the name
    """Rooms are entered when they are asked for: `sim --help` needs neither numpy nor SimPy."""
    import importlib

    if name not in _ROOMS:
        raise AttributeError(f"module 'sim' has no attribute '{name}'")
    found = globals()[name] = getattr(importlib.import_module(_ROOMS[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
