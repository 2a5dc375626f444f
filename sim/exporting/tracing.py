"""A run of which the spans of exemplars are kept, whatever the scenario records."""

from __future__ import annotations

from sim.experiments.running.jobs import Job, JobResult, Tick, perform, scenario_of, simulated
from sim.records.columns import Columns


def perform_tracing(job: Job, tick: Tick) -> JobResult:
    """What `perform` does, of rows with the spans of exemplars."""
    from sim.metrics import measure
    from sim.metrics.timeline import timeline

    scenario = scenario_of(job)
    if scenario.auto_warmup:
        return perform(job, tick)  # a run of the pilot, whose timeline tells when it has settled
    record = scenario.record.model_copy(update={"keep": "rows", "spans": "exemplars"})
    scenario = scenario.model_copy(update={"record": record})
    records = simulated(scenario, job, tick)
    measurement = measure(records, scenario)
    return JobResult(
        metrics=dict(measurement.values),
        censored=frozenset(measurement.censored),
        timeline=timeline(records, scenario) if job.keep_timeline else Columns(),
        fingerprint=records.fingerprint(),
        simulated=records.duration,
        records=records if job.keep_records else None,
    )
